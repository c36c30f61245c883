"""The account of all events: were they in the metrics store ten seconds after what they tell of?

Counted event by event: each is judged once, by the time at which the store has it, or as late when the time is over.
While the metrics API doesn't say what is stored nobody is judged; that is done when it answers again.
"""

import threading
from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fitness.database import StoreUnavailable
from fitness.users.metrics_client import MetricsApi, MetricsSilent
from fitness.users.outbox import Judged, Outbox, Waiting
from fitness.worker import Worker

LATE_AFTER_SECONDS = 10.0
_BATCH = 500
_PAUSE_SECONDS = 1.0


class Deliveries(Collector):
    """Judges what leaves by the outbox, once a second; safe for several threads."""

    def __init__(self, outbox: Outbox, metrics_api: MetricsApi) -> None:
        self._outbox = outbox
        self._metrics_api = metrics_api
        self._lock = threading.Lock()
        self._judged = Judged()
        self._waiting = Waiting(0, 0.0)
        self.worker = Worker("Asking which events are stored", self.step, (MetricsSilent, StoreUnavailable))

    def step(self) -> float:
        """Judge once; how many seconds to pause then."""
        judged = self._outbox.judge(LATE_AFTER_SECONDS, _BATCH, self._metrics_api.stored)
        waiting = self._outbox.waiting()
        with self._lock:
            self._judged = Judged(self._judged.in_time + judged.in_time, self._judged.late + judged.late)
            self._waiting = waiting
        return _PAUSE_SECONDS

    def collect(self) -> Iterable[Metric]:
        """The figures as metrics."""
        with self._lock:
            judged, waiting = self._judged, self._waiting
        deliveries = CounterMetricFamily(
            "fitness_event_deliveries",
            f"Business events by whether the metrics store had them within {LATE_AFTER_SECONDS:g} s; each once.",
            labels=["outcome"],
        )
        deliveries.add_metric(["in_time"], judged.in_time)
        deliveries.add_metric(["late"], judged.late)
        yield deliveries
        yield GaugeMetricFamily(
            "fitness_events_waiting", "Business events that the metrics store hasn't got.", value=waiting.events
        )
        yield GaugeMetricFamily(
            "fitness_oldest_waiting_event_age_seconds",
            "Age of the oldest business event that the metrics store hasn't got; 0 if it has all.",
            value=waiting.oldest_age_seconds,
        )
