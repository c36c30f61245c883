"""What the receiver tells Prometheus about itself, in a registry of its own."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable


class Outcome(StrEnum):
    """What became of a webhook delivery."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    WATCHDOG = "watchdog"
    """Only the alert that always fires: proof that the way works, no incident."""
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    FOREIGN_ORIGIN = "foreign_origin"
    """A web page of another origin tried to post."""
    UNAVAILABLE = "unavailable"
    """The database couldn't be written; Alertmanager was told to try again."""


class EntryOutcome(StrEnum):
    """What became of an entry, or of an event of PagerDuty."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    """An event that the record doesn't take, such as PagerDuty's test."""
    REFUSED = "refused"
    """It isn't understood, or contradicts the record."""
    UNAUTHENTICATED = "unauthenticated"
    """Not signed with a secret of ours, or written from beyond loopback without a password."""
    UNAVAILABLE = "unavailable"
    """The database, or the file of the secret, couldn't be used."""


class ReceiverMetrics:
    """Counts deliveries; the numbers of incidents are read from the store at each scrape."""

    def __init__(self, store: IncidentStore, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._deliveries = Counter(
            "sereno_incident_webhook_deliveries_total",
            "Webhook deliveries of Alertmanager by what became of them.",
            ["outcome"],
            registry=registry,
        )
        for outcome in Outcome:  # born at zero, so that the first failure is an increase
            self._deliveries.labels(outcome.value)
        self.entries = Counter(
            "sereno_incident_entries_total",
            "Entries that people sent to the interface, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self.pagerduty_events = Counter(
            "sereno_incident_pagerduty_events_total",
            "Events of PagerDuty's webhook by what became of them.",
            ["outcome"],
            registry=registry,
        )
        for kind in EntryOutcome:
            self.entries.labels(kind.value)
            self.pagerduty_events.labels(kind.value)
        self._watchdog = Gauge(
            "sereno_incident_watchdog_last_received_timestamp_seconds",
            "When the alert that always fires was last received; 0 until then.",
            registry=registry,
        )
        registry.register(_IncidentCounts(store))

    def count(self, outcome: Outcome) -> None:
        """Count one delivery."""
        self._deliveries.labels(outcome.value).inc()

    def watchdog_seen(self, at: datetime) -> None:
        """Remember that the alert that always fires has come through."""
        self._watchdog.set(at.timestamp())


class _IncidentCounts(Collector):
    def __init__(self, store: IncidentStore) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Numbers by status; absent, not zero, while the database can't be read."""
        up = GaugeMetricFamily("sereno_incident_store_up", "1 if the incident database could be read, else 0.")
        try:
            counts = self._store.counts()
        except IncidentStoreUnavailable:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        incidents = GaugeMetricFamily("sereno_incidents", "Incidents on record by status.", labels=["status"])
        for status, count in counts.items():
            incidents.add_metric([status.value], count)
        yield incidents
