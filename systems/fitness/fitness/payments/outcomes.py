"""What came of payments, on its way into the ledger."""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Gauge

from fitness.database import StoreUnavailable
from fitness.payments.ledger import Ledger, Outcome
from fitness.worker import Worker

_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 1.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Unwritten:
    payment_id: str
    outcome: Outcome
    written: threading.Event = field(default_factory=threading.Event)


class Outcomes:
    """Writes outcomes, each again until the database has it; safe for several threads."""

    def __init__(self, ledger: Ledger, registry: CollectorRegistry) -> None:
        self._ledger = ledger
        self._unwritten: deque[_Unwritten] = deque()
        Gauge(
            "fitness_payment_outcomes_unwritten",
            "Payments that have ended, and of which the ledger doesn't say how.",
            registry=registry,
        ).set_function(lambda: len(self._unwritten))
        self.worker = Worker("Writing outcomes of payments", self._step, (StoreUnavailable,))

    def write(self, payment_id: str, outcome: Outcome) -> None:
        """Done when this returns, or later: after a second who has paid is answered all the same. Raises nothing."""
        new = _Unwritten(payment_id, outcome)
        self._unwritten.append(new)
        self.worker.wake()
        if not new.written.wait(_PATIENCE_SECONDS):
            _logger.error("The ledger can't be told yet that payment %s is %s", payment_id, outcome)

    def _step(self) -> float:
        while self._unwritten:
            first = self._unwritten[0]
            self._ledger.end(first.payment_id, first.outcome)
            self._unwritten.popleft()
            first.written.set()
        return _PAUSE_SECONDS
