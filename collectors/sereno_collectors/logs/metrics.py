"""The collector's own metrics: what it received is indexed, found stored already, dead-lettered, or still queued."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.parser import Parsed

OUTCOMES = ("received", "indexed", "duplicate", "dead_lettered")


FLAWS = {Flaw.NOT_JSON: "not_json", Flaw.TIMESTAMP: "timestamp"}


class QueueFigures(Protocol):
    """What the queue holds at one moment."""

    @property
    def documents(self) -> int:
        """Events that wait."""
        ...

    @property
    def size_bytes(self) -> int:
        """Their size."""
        ...

    @property
    def limit_bytes(self) -> int:
        """Size at which the queue is full."""
        ...

    @property
    def oldest_queued_at(self) -> float | None:
        """Seconds since 1970; None while it is empty."""
        ...


class CollectorMetrics:
    """Counters and gauges of one collector, in the registry that is given."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float]) -> None:
        self._registry = registry
        self._now = now
        self._documents = Counter(
            "sereno_collector_documents",
            "Log events by what became of them: received = indexed + duplicate + dead_lettered + what the queue holds.",
            ["outcome"],
            registry=registry,
        )
        self._flawed = Counter(
            "sereno_collector_flawed_documents",
            "Log events without JSON (kept as text) or without a usable timestamp (kept with the time of reading).",
            ["flaw"],
            registry=registry,
        )
        self._failures = Counter(
            "sereno_collector_failures",
            "Failed attempts to queue, to store or to put aside; each is repeated until it succeeds.",
            registry=registry,
        )
        self._last_write = Gauge(
            "sereno_collector_last_write_timestamp_seconds",
            "When the store last took documents; 0 before the first.",
            registry=registry,
        )
        self._up = Gauge(
            "sereno_collector_up", "1 while what was read can be stored, 0 since an attempt failed.", registry=registry
        )
        self._up.set(1)
        for outcome in OUTCOMES:  # a counter must exist before it counts
            self._documents.labels(outcome)
        for flaw in FLAWS.values():
            self._flawed.labels(flaw)

    def show_queue(
        self, figures: Callable[[], QueueFigures], unread_bytes: Callable[[], int], missing: Callable[[], int]
    ) -> None:
        """Serve, as they are at each scrape, the queue's figures and others.

        Args:
            figures: what the queue holds.
            unread_bytes: bytes in followed files that are not read.
            missing: numbered events that never came although later ones of their source did.
        """
        self._registry.register(_QueueMetrics(figures, unread_bytes, missing, self._now))

    def show_messages(self, messages: Collector) -> None:
        """Serve the metrics that are made of the logs themselves."""
        self._registry.register(messages)

    def received(self, parsed: Parsed) -> None:
        """Events are in the queue."""
        self._documents.labels("received").inc(len(parsed.documents))
        for flaw, events in parsed.flaws.items():
            self._flawed.labels(FLAWS[flaw]).inc(events)

    def settled(self, indexed: int, duplicates: int, dead_lettered: int) -> None:
        """The store took documents, knew others already, and refused some, which are kept aside."""
        self._documents.labels("indexed").inc(indexed)
        self._documents.labels("duplicate").inc(duplicates)
        self._documents.labels("dead_lettered").inc(dead_lettered)
        if indexed or duplicates:
            self._last_write.set(self._now())

    def failed(self) -> None:
        """An attempt failed; it will be repeated."""
        self._failures.inc()
        self._up.set(0)

    def recovered(self) -> None:
        """An attempt succeeded."""
        self._up.set(1)


@dataclass(frozen=True, slots=True)
class _QueueMetrics(Collector):
    """Gauges that are read at each scrape: nothing of the hot path keeps them up to date."""

    figures: Callable[[], QueueFigures]
    unread_bytes: Callable[[], int]
    missing: Callable[[], int]
    now: Callable[[], float]

    def collect(self) -> Iterable[Metric]:
        figures = self.figures()
        waiting = self.unread_bytes() + figures.size_bytes
        age = 0.0 if figures.oldest_queued_at is None else max(0.0, self.now() - figures.oldest_queued_at)
        for name, text, value in (
            ("lag_bytes", "Bytes that are not stored yet: in the followed files and in the queue.", waiting),
            (
                "missing_documents",
                "Numbered events that never came although later ones of their source did, since the collector's start.",
                self.missing(),
            ),
            ("queue_documents", "Events in the queue on disk.", figures.documents),
            ("queue_bytes", "Size of the events in the queue on disk.", figures.size_bytes),
            ("queue_limit_bytes", "Size at which the queue is full and reading waits.", figures.limit_bytes),
            ("queue_oldest_age_seconds", "How long the oldest event has been in the queue; 0: it is empty.", age),
        ):
            yield GaugeMetricFamily(f"sereno_collector_{name}", text, float(value))
