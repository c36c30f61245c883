"""The account of rows on their way: extracted, late, waiting. Its figures are taken at one moment, so they agree."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LATE_AFTER_SECONDS = 20.0


@dataclass(slots=True)
class _OnTheWay:
    rows: int
    extracted_at: float
    is_late: bool = False


class Deliveries(Collector):
    """Counts rows by batch; safe for several threads.

    A batch that isn't known to be loaded 20 seconds after its extraction is late, and its rows are counted late once.
    While the database can't be asked nothing is known to be loaded. Only rows that were counted as extracted are ever
    counted as late.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._extracted = 0
        self._late = 0
        self._waiting: dict[str, _OnTheWay] = {}

    def extracted(self, batch_id: str, rows: int, age_seconds: float = 0.0) -> None:
        """A batch is in the ledger, since `age_seconds`."""
        with self._lock:
            self._extracted += rows
            self._waiting[batch_id] = _OnTheWay(rows, self._clock() - age_seconds)

    def loaded(self, batch_ids: Iterable[str]) -> None:
        """Batches are in the table."""
        with self._lock:
            self._count_late()
            for batch_id in batch_ids:
                self._waiting.pop(batch_id, None)

    def waiting(self) -> tuple[str, ...]:
        """Batches that aren't known to be loaded."""
        with self._lock:
            return tuple(self._waiting)

    def collect(self) -> Iterable[Metric]:
        """The figures as metrics."""
        with self._lock:
            now = self._count_late()
            extracted, late = self._extracted, self._late
            rows = sum(each.rows for each in self._waiting.values())
            oldest = min((each.extracted_at for each in self._waiting.values()), default=now)
        yield CounterMetricFamily("etl_rows_extracted", "Rows that were extracted.", value=extracted)
        yield CounterMetricFamily(
            "etl_rows_late",
            f"Extracted rows not in the table {LATE_AFTER_SECONDS:g} s later, counted once each.",
            value=late,
        )
        yield GaugeMetricFamily("etl_rows_waiting", "Extracted rows not known to be in the table.", value=rows)
        yield GaugeMetricFamily(
            "etl_oldest_batch_age_seconds",
            "Age of the oldest batch that isn't known to be in the table; 0 if there is none.",
            value=max(0.0, now - oldest),
        )

    def _count_late(self) -> float:
        """Count what became late by now; the time that is taken for now."""
        now = self._clock()
        for each in self._waiting.values():
            if not each.is_late and now - each.extracted_at > LATE_AFTER_SECONDS:
                each.is_late = True
                self._late += each.rows
        return now
