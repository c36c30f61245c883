"""What the receiver tells Prometheus about itself, in a registry of its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sereno_backends.devops import DevOpsEvent, DevOpsEventStore, DevOpsStoreUnavailable, EventKind

from sereno_collectors.devops.habits import LOOKED_AT, usual_silence

UNKNOWN_SOURCE = "_unknown"
"""Stands for all names that the configuration doesn't have: what strangers ask for makes no series."""


class Outcome(StrEnum):
    """What became of a delivery."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    """Authentic, of a type that the schema has no place for."""
    UNKNOWN_SCHEMA = "unknown_schema"
    """Authentic, of a known type, and not shaped like it: the original is kept."""
    UNAUTHENTICATED = "unauthenticated"
    """No credentials, or wrong ones."""
    STALE = "stale"
    """Rightly signed for another time."""
    INVALID = "invalid"
    """No JSON, another media type, or a broken connection."""
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    """The store couldn't be written; the sender was told to try again."""
    UNKNOWN_SOURCE = "unknown_source"


class ReceiverMetrics:
    """Counts deliveries and events; whether the store can be read is asked at each scrape."""

    def __init__(self, sources: Sequence[str], store: DevOpsEventStore, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._deliveries = Counter(
            "sereno_devops_deliveries_total",
            "Webhook deliveries by source and by what became of them.",
            ["source", "outcome"],
            registry=registry,
        )
        self._events = Counter(
            "sereno_devops_events_total",
            "Events that were stored and not known before, by source and kind.",
            ["source", "kind"],
            registry=registry,
        )
        self._last = Gauge(
            "sereno_devops_last_delivery_timestamp_seconds",
            "When an authentic delivery was last received, since the start or by the store; 0: never.",
            ["source"],
            registry=registry,
        )
        for source in sources:  # born at zero, so that the first failure is an increase
            self._last.labels(source).set(_last_heard(store, source))
            for outcome in Outcome:
                if outcome is not Outcome.UNKNOWN_SOURCE:
                    self._deliveries.labels(source, outcome.value)
            for kind in EventKind:
                self._events.labels(source, kind.value)
        self._deliveries.labels(UNKNOWN_SOURCE, Outcome.UNKNOWN_SOURCE.value)
        registry.register(_StoreState(sources, store))

    def count(self, source: str, outcome: Outcome) -> None:
        """Count one delivery."""
        self._deliveries.labels(source, outcome.value).inc()

    def count_events(self, events: Iterable[DevOpsEvent]) -> None:
        """Count what was new in a delivery."""
        for event in events:
            self._events.labels(event.source, event.kind.value).inc()

    def authentic(self, source: str, at: datetime) -> None:
        """Remember that the way from this source works."""
        self._last.labels(source).set(at.timestamp())


def _last_heard(store: DevOpsEventStore, source: str) -> float:
    """A restart is no silence: the store remembers."""
    try:
        heard = store.heard(source, timedelta(0))
    except DevOpsStoreUnavailable:
        return 0
    return heard[-1].timestamp() if heard else 0


class _StoreState(Collector):
    def __init__(self, sources: Sequence[str], store: DevOpsEventStore) -> None:
        self._sources = sources
        self._store = store

    def describe(self) -> list[Metric]:
        """Registering must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Numbers by kind, habits by source; absent, not zero, while the store can't be read."""
        up = GaugeMetricFamily("sereno_devops_store_up", "1 if the store of events could be read, else 0.")
        try:
            counts = self._store.counts()
            silences = {source: usual_silence(self._store.heard(source, LOOKED_AT)) for source in self._sources}
        except DevOpsStoreUnavailable:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        stored = GaugeMetricFamily("sereno_devops_stored_events", "Events in the store by kind.", labels=["kind"])
        for kind, count in counts.items():
            stored.add_metric([kind.value], count)
        yield stored
        usual = GaugeMetricFamily(
            "sereno_devops_usual_silence_seconds",
            "Longest silence but one of the 28 days up to the newest stored delivery; absent without a habit.",
            labels=["source"],
        )
        for source, silence in silences.items():
            if silence is not None:
                usual.add_metric([source], silence.total_seconds())
        yield usual


class ForwarderMetrics:
    """Counts what was forwarded, and tells what still waits."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int | None]) -> None:
        self._forwarded = Counter(
            "sereno_devops_forwarded_total",
            "Events that the second store has answered for, by its answer.",
            ["outcome"],
            registry=registry,
        )
        self._failures = Counter(
            "sereno_devops_forward_failures_total",
            "Attempts to forward that failed; nothing is lost by them.",
            registry=registry,
        )
        for outcome in ("indexed", "duplicate", "refused"):
            self._forwarded.labels(outcome)
        registry.register(_Waiting(waiting))

    def forwarded(self, indexed: int, duplicates: int, refused: int) -> None:
        """Count the answers to one batch."""
        for outcome, count in (("indexed", indexed), ("duplicate", duplicates), ("refused", refused)):
            self._forwarded.labels(outcome).inc(count)

    def failed(self) -> None:
        """Count one attempt that failed."""
        self._failures.inc()


class _Waiting(Collector):
    def __init__(self, waiting: Callable[[], int | None]) -> None:
        self._waiting = waiting

    def describe(self) -> list[Metric]:
        """Registering must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Absent while the outbox can't be read."""
        waiting = self._waiting()
        if waiting is not None:
            yield GaugeMetricFamily(
                "sereno_devops_forward_waiting_events", "Events on disk that are still to be forwarded.", value=waiting
            )
