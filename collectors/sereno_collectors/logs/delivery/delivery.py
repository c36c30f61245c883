"""Takes parcels from the queue, writes them to a store, and settles each document by the store's answer."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread, get_ident
from time import monotonic
from typing import Protocol

from sereno_backends.logs import LogStore, LogStoreError, LogStoreUnreachable

from sereno_collectors.logs.delivery.letter import KeepsDeadLetters
from sereno_collectors.logs.delivery.sinks import sink_of
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import Parcel
from sereno_collectors.logs.queue import QueueUnavailable, Settlement

IDLE_SECONDS = 0.2
FLUSH_SECONDS = 0.6
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

    def give_back(self, parcels: Sequence[Parcel], *, in_doubt: bool = True) -> None:
        """They are not; `in_doubt`: and nothing is known of them."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What delivery works with."""

    queue: GivesParcels
    store: LogStore
    dead_letters: KeepsDeadLetters
    metrics: CollectorMetrics
    report: Callable[[str], None]
    settled: Callable[[], None]
    """Called when parcels have left the queue: positions may be noted down."""
    scatter: Callable[[], float] = random.random
    """A number in [0, 1); many collectors must not come back in step."""


class Delivery:
    """Brings what is queued into the store, each document once."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._parts = parts
        self._sink = sink_of(parts.store)
        self._settling = Lock()
        self._failing: set[int] = set()
        """The workers, by thread, that have a trouble."""
        self._at_work: set[int] = set()
        """Those that do not pause."""
        self._troubles = 0

    def run(self, stop: Event) -> None:
        """Deliver until told to stop; then what is queued already, for a second at most."""
        bugs: list[BaseException] = []
        workers = [
            Thread(target=self._guarded, args=(stop, bugs), name="delivery", daemon=True)
            for _ in range(self._sink.in_flight)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if bugs:
            raise bugs[0]

    def finish(self, read: Event) -> None:
        """Deliver until everything is `read` and nothing is queued; the first trouble ends it.

        Raises:
            LogStoreError: the store does not take something; it stays queued.
            QueueUnavailable: the queue's disk is full; likewise.
            OSError: the dead letters can't be written; likewise.
        """
        troubles: list[Exception] = []
        others = [
            Thread(target=self._finish, args=(read, troubles), name="delivery", daemon=True)
            for _ in range(self._sink.in_flight - 1)
        ]
        for other in others:
            other.start()
        self._finish(read, troubles)
        for other in others:
            other.join()
        if troubles:
            self._parts.metrics.failed()
            raise troubles[0]

    def _finish(self, read: Event, troubles: list[Exception]) -> None:
        queue = self._parts.queue
        try:
            while not troubles:
                is_last = read.is_set()
                most = self._sink.most
                wait_seconds = 0 if is_last else IDLE_SECONDS
                parcels = queue.take(most.documents, most.size_bytes, wait_seconds=wait_seconds)
                if parcels and (trouble := self._deliver(parcels)) is not None:
                    troubles.append(LogStoreUnreachable(trouble))
                elif is_last and not parcels:
                    return
        except Exception as error:  # noqa: BLE001 - raised again by `finish`
            troubles.append(error)

    def _guarded(self, stop: Event, bugs: list[BaseException]) -> None:
        try:
            self._work(stop)
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            bugs.append(error)
            stop.set()

    def _work(self, stop: Event) -> None:
        delay_seconds = FIRST_DELAY_SECONDS
        deadline: float | None = None
        while deadline is None or monotonic() < deadline:
            if deadline is None and stop.is_set():
                deadline = monotonic() + FLUSH_SECONDS
            wait_seconds = IDLE_SECONDS if deadline is None else 0
            taken = self._persevered(wait_seconds)
            if taken is None:
                if deadline is not None:
                    return
                continue
            if taken:
                delay_seconds = FIRST_DELAY_SECONDS
            elif stop.wait(delay_seconds * (0.5 + self._parts.scatter() / 2)):
                return
            else:
                delay_seconds = min(2 * delay_seconds, LONGEST_DELAY_SECONDS)

    def _persevered(self, wait_seconds: float) -> bool | None:
        """Deliver, and tell a trouble once while it lasts; whether there was none. None: nothing was queued."""
        most = self._sink.most
        with self._settling:
            self._at_work.add(get_ident())
            troubles_before = self._troubles
        try:
            parcels = self._parts.queue.take(most.documents, most.size_bytes, wait_seconds=wait_seconds)
            if not parcels:
                self._found_nothing(troubles_before)
                return None
            trouble = self._deliver(parcels)
        except (LogStoreError, QueueUnavailable, OSError) as error:
            trouble = str(error)
        self._met(trouble)
        return trouble is None

    def _met(self, trouble: str | None) -> None:
        """This worker has a trouble, or stored something; a trouble lasts until no worker has any.

        So one stream that is blocked, and that workers meet in turn, is one trouble although others are stored.
        """
        with self._settling:
            self._at_work.discard(get_ident())
            if trouble is None:
                self._ended({get_ident()})
                if not self._failing:
                    self._parts.metrics.recovered()
                return
            had_trouble = bool(self._failing)
            self._failing.add(get_ident())
            self._troubles += 1
            self._parts.metrics.failed()
            if not had_trouble:
                self._parts.report(f"{trouble}; nothing is lost, trying again")

    def _found_nothing(self, troubles_before: int) -> None:
        """Nothing waits, so a worker that pauses has no trouble any more: another stored what it gave back."""
        with self._settling:
            self._at_work.discard(get_ident())
            gave_back_since = self._troubles != troubles_before
            self._ended({get_ident()} if gave_back_since else self._failing - self._at_work)

    def _ended(self, workers: set[int]) -> None:
        """These workers' troubles are over."""
        if self._failing and self._failing <= workers:
            self._parts.report("storing again")
            self._parts.metrics.recovered()
        self._failing -= workers

    def _deliver(self, parcels: Sequence[Parcel]) -> str | None:
        """Send and settle; why something still waits, if something does."""
        parts = self._parts
        try:
            sent = self._sink.send(parcels)
            with self._settling:
                parts.dead_letters.keep(sent.letters)
            parts.queue.settle(sent.settled)
        except BaseException:
            parts.queue.give_back(parcels)
            raise
        parts.queue.give_back(sent.returned, in_doubt=sent.in_doubt)
        parts.metrics.settled(sent.indexed, sent.duplicates, len(sent.letters))
        with self._settling:
            parts.settled()
        return sent.trouble
