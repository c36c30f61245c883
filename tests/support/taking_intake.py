"""An intake that keeps what it is given, for tests of inputs."""

import time
from collections.abc import Sequence
from threading import Event, Lock

from sereno_collectors.logs.model import Chunk, Position, QueueFull


class TakingIntake:
    """Takes everything while `room` is set; else its givers wait, as before a full queue."""

    def __init__(self, stop: Event) -> None:
        self.chunks: list[Chunk] = []
        self.room = Event()
        self.room.set()
        self._stop = stop
        self._lock = Lock()

    @property
    def is_ending(self) -> bool:
        """See `Intake.is_ending`."""
        return self._stop.is_set()

    @property
    def events(self) -> list[bytes]:
        """Everything that was taken, in order."""
        return [event for chunk in self.chunks for event in chunk.events]

    def accept(
        self, chunks: Sequence[Chunk], positions: Sequence[Position] = (), *, patience_seconds: float | None = None
    ) -> None:
        """See `Intake.accept`."""
        assert not positions  # streams and senders have none
        began = time.monotonic()
        while not self.room.wait(0.01):
            late = patience_seconds is not None and time.monotonic() - began >= patience_seconds
            if late or self._stop.is_set():
                raise QueueFull("the queue is full")
        with self._lock:
            self.chunks += chunks
