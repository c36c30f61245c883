"""The lines of a pipe: `my-service | sereno collect logs --stdin`."""

import os
import select
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event

from sereno_collectors.logs.inputs.stdin.event_buffer import EventBuffer
from sereno_collectors.logs.inputs.timing import FLUSH_SECONDS, OPEN_EVENT_SECONDS, POLL_SECONDS, utc_now
from sereno_collectors.logs.model import Format, Intake, Origin, OriginKind, QueueFull

READ_BYTES = 256 * 1024


class StdinInput:
    """Hands over the events of a stream until it ends. While the queue is full the pipe fills, and its writer waits.

    A pipe can't be read twice: what was read and not yet queued is lost when the collector is killed. What was
    refused because the collector ends with a full queue is lost, too, and reported.

    Args:
        descriptor: of the stream; it is not closed.
        run: what tells this run's stream from those of other runs.
        report: takes what a person should know, one sentence each.
        form: how the lines are to be read.
        service: `service.name` of events that name none.
        dataset: `event.dataset` of events that name none.
        now: the time of day; aware.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        run: str,
        report: Callable[[str], None],
        form: Format = Format.AUTO,
        service: str | None = None,
        dataset: str | None = None,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._descriptor = descriptor
        self._report = report
        self._now = now
        self._monotonic = monotonic
        self._failure: OSError | None = None
        self._buffer = EventBuffer(Origin(OriginKind.STDIN, "-", f"stdin\0{run}", form, service, dataset))

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return "standard input"

    def run(self, intake: Intake, stop: Event) -> None:
        """Read until the stream ends, or until told to stop; then what is in the pipe already, for a second at most.

        Raises:
            OSError: the stream can't be read; what was read before is handed over.
        """
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        heard_at = self._monotonic()
        ended = False
        while not ended and not stop.is_set():
            data = self._read(poll, POLL_SECONDS)
            ended = data == b""
            if data:
                heard_at = self._monotonic()
                self._buffer.feed(data)
            settled = self._monotonic() - heard_at >= OPEN_EVENT_SECONDS
            if not ended and not self._hand_over(intake, settled=settled):
                return
        deadline = self._monotonic() + FLUSH_SECONDS
        while not ended and self._monotonic() < deadline and (data := self._read(poll, 0)):
            self._buffer.feed(data)
            if not self._hand_over(intake):
                return
        self._hand_over(intake, ended=True)
        if self._failure is not None:
            raise self._failure

    def _read(self, poll: select.poll, patience_seconds: float) -> bytes | None:
        """What has come; nothing at the end of the stream or its failure, None when there was nothing in time."""
        if not poll.poll(patience_seconds * 1000):
            return None
        try:
            return os.read(self._descriptor, READ_BYTES)
        except OSError as error:
            self._failure = OSError(error.errno, f"standard input can't be read: {error.strerror}")
            return b""

    def _hand_over(self, intake: Intake, *, settled: bool = False, ended: bool = False) -> bool:
        """Give the whole events to the intake, and wait for it; False when it ends and took nothing."""
        chunks = self._buffer.take(self._now(), settled=settled, ended=ended)
        if not chunks:
            return True
        try:
            intake.accept(chunks)
        except QueueFull as full:
            lost = sum(len(chunk.events) for chunk in chunks)
            more = "" if self._buffer.is_empty else ", and the beginning of another"
            self._report(f"standard input: {lost} events that were read{more} are lost, the collector ends: {full}")
            return False
        return True
