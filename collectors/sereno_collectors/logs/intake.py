"""The front half of the collector: events are parsed, enriched and queued, and are on disk when the giver goes on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Lock
from typing import Protocol

from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import Chunk, Document, Position, QueueFull
from sereno_collectors.logs.parsing.parser import Parsed
from sereno_collectors.logs.queue import QueueUnavailable

PAUSE_SECONDS = 0.2
"""How long a giver waits before a full queue, or its full disk, is tried again."""


class TakesDocuments(Protocol):
    """The end of the front half: `DurableQueue.put`."""

    def put(self, documents: Sequence[Document], positions: Sequence[Position]) -> None:
        """Take all or nothing; on disk when it returns."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """What the intake is made of."""

    parse: Callable[[Sequence[Chunk]], Parsed]
    queue: TakesDocuments
    metrics: CollectorMetrics
    report: Callable[[str], None]
    watch: Sequence[Callable[[Sequence[Document]], None]]
    """Each is shown all that was queued, in turn."""


class QueueingIntake:
    """Gives events to the queue; inputs share it from threads of their own.

    Args:
        parts: what it is made of.
        stop: set when the collector is to end: nobody waits any more.
        monotonic: seconds that only grow.
    """

    def __init__(self, parts: IntakeParts, *, stop: Event, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._stop = stop
        self._monotonic = monotonic
        self._one_at_a_time = Lock()
        self._trouble: type[Exception] | None = None

    @property
    def is_ending(self) -> bool:
        """See `Intake.is_ending`."""
        return self._stop.is_set()

    def accept(
        self, chunks: Sequence[Chunk], positions: Sequence[Position] = (), *, patience_seconds: float | None = None
    ) -> None:
        """See `Intake.accept`."""
        parts = self._parts
        with self._one_at_a_time:  # parsing holds the interpreter anyway; in turn, the order of lines stays
            parsed = parts.parse(chunks)
            self._put(parsed, positions, patience_seconds)
            parts.metrics.received(parsed)
            for show in parts.watch:
                show(parsed.documents)

    def _put(self, parsed: Parsed, positions: Sequence[Position], patience_seconds: float | None) -> None:
        end = None if patience_seconds is None else self._monotonic() + patience_seconds
        while True:
            try:
                self._parts.queue.put(parsed.documents, positions)
            except (QueueFull, QueueUnavailable) as trouble:
                self._tell(trouble)
                left = PAUSE_SECONDS if end is None else min(PAUSE_SECONDS, end - self._monotonic())
                if left <= 0 or self._stop.wait(left):
                    raise QueueFull(str(trouble)) from trouble
            else:
                self._recovered()
                return

    def _tell(self, trouble: Exception) -> None:
        """Report a trouble once, not at each attempt while it lasts."""
        if not isinstance(trouble, QueueFull):
            self._parts.metrics.failed()
        if self._trouble is not type(trouble):  # not the text: its figures change at each attempt
            self._trouble = type(trouble)
            self._parts.report(f"{trouble}; nothing is lost, reading waits")

    def _recovered(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._parts.report("queueing again")
