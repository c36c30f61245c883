"""The account of all events: were they in the metrics store ten seconds after what they tell of?

Counted event by event: each is judged once, by the time at which the store has it, or as late when the time is over.
While the metrics API doesn't say what is stored nobody is judged; that is done when it answers again.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import httpx
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import AwareDatetime, BaseModel, ValidationError

from fitness.database import StoreUnavailable
from fitness.users.outbox import Judged, Outbox, Waiting
from fitness.worker import Worker

LATE_AFTER_SECONDS = 10.0
_BATCH = 500
_PAUSE_SECONDS = 1.0


class MetricsSilent(Exception):  # noqa: N818 - reads as what happened
    """The metrics API didn't say which events are stored."""


class _Stored(BaseModel):
    stored: dict[str, AwareDatetime]


class Deliveries(Collector):
    """Judges what leaves by the outbox, once a second; safe for several threads."""

    def __init__(self, outbox: Outbox, metrics_api: httpx.Client) -> None:
        self._outbox = outbox
        self._metrics_api = metrics_api
        self._lock = threading.Lock()
        self._judged = Judged()
        self._waiting = Waiting(0, 0.0)
        self.worker = Worker("Asking which events are stored", self.step, (MetricsSilent, StoreUnavailable))

    def step(self) -> float:
        """Judge once; how many seconds to pause then."""
        judged = self._outbox.judge(LATE_AFTER_SECONDS, _BATCH, self._stored_when)
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

    def _stored_when(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        try:
            answer = self._metrics_api.post("/events/stored", json={"ids": list(ids)})
            answer.raise_for_status()
            return _Stored.model_validate_json(answer.content).stored
        except (httpx.HTTPError, ValidationError) as error:
            raise MetricsSilent(f"the metrics API doesn't say which events are stored: {error}") from error
