"""Published against stored, end to end: the database is asked which of the messages that wait have arrived.

Where the subscriber is a process of its own, or a function of Lambda, it could tell what it has done only by counters
of its own; whether a message that we promised to store is stored, the database knows.
"""

import logging
import threading

from transactions_api.deliveries import Deliveries
from transactions_api.store import StoreUnavailable, TransactionStore

EVERY_SECONDS = 1.0
_ASKED_AT_ONCE = 500

_logger = logging.getLogger(__name__)


class Confirming:
    """A thread that asks once a second. While the database can't be asked, nothing is confirmed."""

    def __init__(self, store: TransactionStore, deliveries: Deliveries) -> None:
        self._store = store
        self._deliveries = deliveries
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="confirming", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self._ask()
            except StoreUnavailable as error:
                self._tell(str(error))
            except Exception:
                # A bug must not end the thread silently: every message would become late, with nobody to tell why.
                _logger.exception("Asking which transactions are stored failed")
            else:
                self._tell("")

    def _ask(self) -> None:
        # Queues of SQS keep no order: each that waits may be the next that is stored.
        waiting = self._deliveries.waiting_ids()
        for first in range(0, len(waiting), _ASKED_AT_ONCE):
            self._deliveries.stored(self._store.stored(waiting[first : first + _ASKED_AT_ONCE]))

    def _tell(self, trouble: str) -> None:
        """A trouble once while it lasts, and its end."""
        if bool(trouble) == self._failing:
            return
        self._failing = bool(trouble)
        if trouble:
            _logger.error(
                "Which transactions are stored can't be asked: %s",
                trouble,
                extra={"ecs": {"error.type": f"{StoreUnavailable.__module__}.StoreUnavailable"}},
            )
        else:
            _logger.info("Which transactions are stored can be asked again")
