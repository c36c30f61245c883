"""What a processing worker counts beside its messages."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sereno_backends.devops import Disposition, EventKind

from devops_events.platforms import PROVIDERS
from devops_events.processing.normalising import IGNORED, Record
from devops_events.processing.store import Stored

_DISPOSITIONS = (Disposition.TRANSLATED.value, Disposition.UNKNOWN_SCHEMA.value, IGNORED)
_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


class ProcessingMetrics:
    """Counters by platform; all are there from the start, at 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stored = Counter(
            "devops_events_stored_total",
            "Deliveries that were stored, once each, by what they came to.",
            ["platform", "disposition"],
            registry=registry,
        )
        self._duplicates = Counter(
            "devops_events_duplicates_total",
            "Deliveries that were there already, by what removed them: the filter at ingestion, or the store.",
            ["stage", "platform"],
            registry=registry,
        )
        self._events = Counter(
            "devops_events_normalised_total",
            "Events of the common schema that were stored and not known before.",
            ["platform", "kind"],
            registry=registry,
        )
        self._dead_letters = Counter(
            "devops_events_dead_letters_total",
            "Messages that can't be stored, whatever is tried, and went to the queue of dead letters.",
            registry=registry,
        )
        self._end_to_end = Histogram(
            "devops_events_end_to_end_seconds",
            "From the moment at which a node received a delivery to the one at which it was stored.",
            ["platform"],
            buckets=_BOUNDS,
            registry=registry,
        )
        self._fault_active = Gauge(
            "devops_events_fault_active", "1 while a fault is switched on.", ["fault"], registry=registry
        )
        for platform in PROVIDERS:
            self._duplicates.labels("store", platform)
            self._end_to_end.labels(platform)
            for disposition in _DISPOSITIONS:
                self._stored.labels(platform, disposition)
            for kind in EventKind:
                self._events.labels(platform, kind.value)

    def stored(self, records: Sequence[Record], stored: Stored, now: datetime) -> None:
        """A batch was stored: of deliveries with the same key, one counts as new and the others as doubles."""
        new, new_events = set(stored.keys), set(stored.events)
        for record in records:
            platform = record.envelope.platform
            if record.envelope.key not in new:
                self._duplicates.labels("store", platform).inc()
                continue
            new.discard(record.envelope.key)
            self._stored.labels(platform, record.disposition).inc()
            seconds = (now - record.envelope.received_at).total_seconds()
            self._end_to_end.labels(platform).observe(max(0.0, seconds))
            for event in record.events:
                if event.event_id in new_events:
                    new_events.discard(event.event_id)
                    self._events.labels(platform, event.kind).inc()

    def dead_letter(self) -> None:
        """A message was given up."""
        self._dead_letters.inc()

    def fault(self, name: str, on: bool) -> None:
        """A fault was switched."""
        self._fault_active.labels(name).set(on)
