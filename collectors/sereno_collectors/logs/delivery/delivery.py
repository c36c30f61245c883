"""Takes parcels from the queue, writes them to a store, and settles each document by the store's answer."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Protocol

from sereno_backends.logs import LogStore, LogStoreError, WriteResult

from sereno_collectors.logs.delivery.dead_letters import DeadLetter, DeadLetters
from sereno_collectors.logs.delivery.parcels import Queued, contents
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import Parcel
from sereno_collectors.logs.queue import Settlement

MOST_DOCUMENTS = 2_000
MOST_BYTES = 5_000_000
"""Of one request to the store."""
IDLE_SECONDS = 0.2
FLUSH_SECONDS = 0.8
"""How long what is queued is still delivered after the end was asked for; what is left waits for the next start."""
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0


class GivesParcels(Protocol):
    """The queue, as delivery sees it."""

    def take(self, most_documents: int, most_bytes: int, *, wait_seconds: float) -> tuple[Parcel, ...]:
        """The oldest parcels that nobody has taken."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """They are dealt with."""
        ...

    def give_back(self, parcels: Sequence[Parcel]) -> None:
        """They are not, and nothing is known of them."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What delivery works with."""

    queue: GivesParcels
    store: LogStore
    dead_letters: DeadLetters
    metrics: CollectorMetrics
    report: Callable[[str], None]
    settled: Callable[[], None]
    """Called when parcels have left the queue: positions may be noted down."""
    scatter: Callable[[], float] = random.random
    """A number in [0, 1); many collectors must not come back in step."""


class Delivery:
    """Brings what is queued into the store, one request at a time, each document once."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._parts = parts
        self._failed = False

    def run(self, stop: Event) -> None:
        """Deliver until told to stop; then what is queued already, for a second at most."""
        while not stop.is_set():
            self._deliver_some(stop, wait_seconds=IDLE_SECONDS)
        deadline = monotonic() + FLUSH_SECONDS
        while monotonic() < deadline and self._deliver_some(stop, wait_seconds=0):
            pass

    def drain(self) -> None:
        """Deliver what is queued now.

        Raises:
            LogStoreError: the store does not take it; it stays queued.
            OSError: the dead letters can't be written; likewise.
        """
        while parcels := self._parts.queue.take(MOST_DOCUMENTS, MOST_BYTES, wait_seconds=0):
            try:
                self._deliver(parcels)
            except BaseException:
                self._parts.queue.give_back(parcels)
                raise

    def _deliver_some(self, stop: Event, *, wait_seconds: float) -> bool:
        """One request's worth, repeated until it is taken; False when there was nothing, or it was given up."""
        parcels = self._parts.queue.take(MOST_DOCUMENTS, MOST_BYTES, wait_seconds=wait_seconds)
        if not parcels:
            return False
        delay_seconds = FIRST_DELAY_SECONDS
        while True:
            try:
                self._deliver(parcels)
            except (LogStoreError, OSError) as error:
                self._tell(error)
                if stop.wait(delay_seconds * (0.5 + self._parts.scatter() / 2)):
                    self._parts.queue.give_back(parcels)
                    return False
                delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)
            else:
                return True

    def _deliver(self, parcels: Sequence[Parcel]) -> None:
        parts = self._parts
        documents = [document for inner in contents(parcels) for document in inner]
        answer = parts.store.write([document.record for document in documents])
        parts.dead_letters.keep(_letters(answer, documents))
        parts.queue.settle([Settlement(parcel) for parcel in parcels])
        parts.settled()
        parts.metrics.answered(answer)
        parts.metrics.recovered()
        if self._failed:
            self._failed = False
            parts.report("storing again")

    def _tell(self, error: Exception) -> None:
        self._parts.metrics.failed()
        if not self._failed:
            self._failed = True
            self._parts.report(f"{error}; nothing is lost, trying again")


def _letters(answer: WriteResult, documents: Sequence[Queued]) -> list[DeadLetter]:
    if not answer.rejections:
        return []
    by_id = {document.record_id: document.record for document in documents}
    return [DeadLetter(refused.reason, by_id[refused.record_id]) for refused in answer.rejections]
