"""A store whose calls are counted and timed: what the SLO of the database stands on."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Histogram

from transactions_api.model import Transaction
from transactions_api.store import StoreUnavailable, TransactionStore

METRIC = "transactions_database_call_duration_seconds"
OPERATIONS = ("add", "newest", "find", "stored")
OUTCOMES = ("ok", "failed")

_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class MeasuredStore:
    """A `TransactionStore` over another one; each call is one observation, whether it succeeds or fails."""

    def __init__(self, store: TransactionStore, registry: CollectorRegistry) -> None:
        self._store = store
        durations = Histogram(
            METRIC,
            "Duration of calls of the database, those that could not reach it among them.",
            ["operation", "outcome"],
            buckets=_BUCKETS_SECONDS,
            registry=registry,
        )
        # All from the start, at 0: the first failure is then an increase that everybody sees.
        self._durations = {
            (operation, outcome): durations.labels(operation, outcome)
            for operation in OPERATIONS
            for outcome in OUTCOMES
        }

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Write all in one commit. Raises `StoreUnavailable`, or `Unstorable`, which is no failure of the database."""
        with self._measured("add"):
            self._store.add(transactions)

    def newest(self, limit: int) -> tuple[Transaction, ...]:
        """The transactions stored last. Raises `StoreUnavailable`."""
        with self._measured("newest"):
            return self._store.newest(limit)

    def find(self, transaction_id: str) -> Transaction | None:
        """The transaction with this id. Raises `StoreUnavailable`."""
        with self._measured("find"):
            return self._store.find(transaction_id)

    def stored(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are stored. Raises `StoreUnavailable`."""
        with self._measured("stored"):
            return self._store.stored(ids)

    def close(self) -> None:
        """Close all connections."""
        self._store.close()

    @contextmanager
    def _measured(self, operation: str) -> Iterator[None]:
        began, outcome = time.perf_counter(), "ok"
        try:
            yield
        except StoreUnavailable:
            outcome = "failed"
            raise
        finally:
            self._durations[operation, outcome].observe(time.perf_counter() - began)
