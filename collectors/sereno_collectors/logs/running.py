"""The log collector: inputs, intake, queue and delivery at work together, and ended in the right order.

inputs ─► intake (parse, enrich) ─► durable queue ─► delivery ─► the store, or the dead letters
"""

from collections.abc import Sequence
from threading import Event, Thread
from typing import Protocol

from sereno_collectors.logs.model import Input, Intake


class Delivers(Protocol):
    """The back half of the collector."""

    def run(self, stop: Event) -> None:
        """Deliver what is queued until `stop` is set, and end what is on its way then."""
        ...

    def drain(self, stop: Event) -> None:
        """Deliver what is queued now, and return when nothing is left.

        Raises:
            LogStoreError: the store does not take it; what is left stays queued.
        """
        ...


class LogCollector:
    """Runs inputs and delivery in threads of their own.

    Args:
        inputs: who reads.
        intake: who queues what they read.
        delivery: who brings it into the store.
        stop: set to end `run`; set by it when no input can give any more, or when a part failed for a bug of ours.
    """

    def __init__(self, inputs: Sequence[Input], intake: Intake, delivery: Delivers, *, stop: Event) -> None:
        self._inputs = tuple(inputs)
        self._intake = intake
        self._delivery = delivery
        self._stop = stop
        self._delivered = Event()
        self._bugs: list[BaseException] = []

    def run(self) -> None:
        """Collect until told to stop: inputs end first, then what is on its way to the store.

        Raises:
            Exception: a part failed in a way that nobody foresaw; nothing is lost, what was read is queued.
        """
        readers = [self._thread(f"input {one.name}", one.run, self._intake, self._stop) for one in self._inputs]
        sender = self._thread("delivery", self._delivery.run, self._delivered)
        for reader in readers:
            reader.join()
        self._stop.set()  # inputs that have an end have reached it
        self._delivered.set()
        sender.join()
        if self._bugs:
            raise self._bugs[0]

    def _thread(self, name: str, work: object, *arguments: object) -> Thread:
        def guarded() -> None:
            try:
                work(*arguments)  # type: ignore[operator]
            except Exception as error:  # noqa: BLE001 - raised again by `run`
                self._bugs.append(error)
                self._stop.set()
                self._delivered.set()

        # A daemon: one that hangs in a request must not hold up the end; what was not answered is sent again.
        thread = Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread
