"""Takes parcels from the queue, writes them to a store, and settles each document by the store's answer."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol

from sereno_backends.logs import LogStore, LogStoreError, LogStoreUnreachable

from sereno_collectors.logs.delivery.letter import KeepsDeadLetters
from sereno_collectors.logs.delivery.sinks import Sent, sink_of
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import Parcel
from sereno_collectors.logs.queue import QueueUnavailable, Settlement

IDLE_SECONDS = 0.2
FLUSH_SECONDS = 0.6
"""How long what is queued is still delivered after the end was asked for; what is left waits for the next start."""
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
_QUEUE_ITSELF = -1
"""Stands among the parcels in trouble where it is not about a parcel: nothing can be taken."""


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
        self._in_trouble: set[int] = set()
        """Parcels, by their numbers, that a trouble kept from being stored and that still wait; or `_QUEUE_ITSELF`."""
        self._is_told = False
        """That there is a trouble, and not yet that it is over."""

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
                if parcels and (trouble := self._deliver(parcels).trouble) is not None:
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
        parcels: Sequence[Parcel] = ()
        sent = Sent()
        try:
            if parcels := self._taken(wait_seconds):
                sent = self._deliver(parcels)
        except (LogStoreError, QueueUnavailable, OSError) as error:
            sent = Sent(trouble=str(error))
        self._tell(sent.trouble, stored=bool(parcels))
        return sent.trouble is None if parcels or sent.trouble else None

    def _taken(self, wait_seconds: float) -> Sequence[Parcel]:
        most = self._sink.most
        try:
            parcels = self._parts.queue.take(most.documents, most.size_bytes, wait_seconds=wait_seconds)
        except BaseException:
            self._note({_QUEUE_ITSELF}, waiting={_QUEUE_ITSELF})
            raise
        self._note({_QUEUE_ITSELF}, waiting=set())
        return parcels

    def _note(self, numbers: set[int], *, waiting: set[int]) -> None:
        """Which of these parcels wait because of a trouble. Before they are given back: others store them at once."""
        with self._settling:
            self._in_trouble -= numbers
            self._in_trouble |= waiting

    def _tell(self, trouble: str | None, *, stored: bool) -> None:
        """Of a trouble when it begins, and when it is over: when all that it kept waiting has been stored.

        So one stream that is blocked, and that workers meet in turn, is one trouble although others are stored; and
        the worker that met it may pause on while another stores what it gave back.
        """
        with self._settling:
            if trouble is not None:
                self._parts.metrics.failed()
                if not self._is_told:
                    self._parts.report(f"{trouble}; nothing is lost, trying again")
                self._is_told = True
            if self._in_trouble:
                return
            if self._is_told:
                self._parts.report("storing again")
            if self._is_told or stored:
                self._parts.metrics.recovered()
            self._is_told = False

    def _deliver(self, parcels: Sequence[Parcel]) -> Sent:
        """Send and settle; what became of them."""
        parts = self._parts
        numbers = {parcel.number for parcel in parcels}
        try:
            sent = self._sink.send(parcels)
            self._note(numbers, waiting=_waiting(sent))
            with self._settling:
                parts.dead_letters.keep(sent.letters)
            parts.queue.settle(sent.settled)
        except BaseException:
            self._note(numbers, waiting=numbers)
            parts.queue.give_back(parcels)
            raise
        parts.queue.give_back(sent.returned, in_doubt=sent.in_doubt)
        parts.metrics.settled(sent.indexed, sent.duplicates, len(sent.letters))
        with self._settling:
            parts.settled()
        return sent


def _waiting(sent: Sent) -> set[int]:
    """The parcels, or rests of them, that have to be sent again."""
    rests = {settlement.parcel.number for settlement in sent.settled if settlement.rest}
    return rests | {parcel.number for parcel in sent.returned}
