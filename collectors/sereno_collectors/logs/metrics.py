"""The collector's own metrics: what it received is what it indexed, found stored already, or dead-lettered."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge
from sereno_backends.logs import WriteResult

from sereno_collectors.logs.parsing.flaws import Flaw

_FLAWS: Mapping[Flaw, str] = {Flaw.NOT_JSON: "not_json", Flaw.TIMESTAMP: "timestamp"}


class CollectorMetrics:
    """Counters and gauges of one collector, in the registry that is given."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float]) -> None:
        self._now = now
        self._documents = Counter(
            "sereno_collector_documents",
            "Log lines by what became of them: received = indexed + duplicate + dead_lettered + those on their way.",
            ["outcome"],
            registry=registry,
        )
        self._flawed = Counter(
            "sereno_collector_flawed_documents",
            "Log lines without JSON (kept as text) or without a usable timestamp (kept with the time of reading).",
            ["flaw"],
            registry=registry,
        )
        self._failures = Counter(
            "sereno_collector_failures",
            "Failed attempts to store a batch, its rejections or the positions; each is repeated until it succeeds.",
            registry=registry,
        )
        self._lag = Gauge(
            "sereno_collector_lag_bytes", "Bytes in the followed files that are not stored yet.", registry=registry
        )
        self._last_write = Gauge(
            "sereno_collector_last_write_timestamp_seconds",
            "When the store last took a batch; 0 before the first.",
            registry=registry,
        )
        self._up = Gauge(
            "sereno_collector_up", "1 while what was read can be stored, 0 since an attempt failed.", registry=registry
        )
        self._up.set(1)
        for outcome in ("received", "indexed", "duplicate", "dead_lettered"):  # a counter must exist before it counts
            self._documents.labels(outcome)
        for flaw in _FLAWS.values():
            self._flawed.labels(flaw)

    def received(self, documents: int) -> None:
        """Lines were read."""
        self._documents.labels("received").inc(documents)

    def flawed(self, flaw: Flaw) -> None:
        """A line was not as it should be."""
        self._flawed.labels(_FLAWS[flaw]).inc()

    def answered(self, answer: WriteResult) -> None:
        """The store took a batch."""
        self._documents.labels("indexed").inc(answer.indexed)
        self._documents.labels("duplicate").inc(answer.duplicates)
        self._last_write.set(self._now())

    def dead_lettered(self, documents: int) -> None:
        """Rejected lines are in the file of dead letters."""
        self._documents.labels("dead_lettered").inc(documents)

    def failed(self) -> None:
        """An attempt failed; it will be repeated."""
        self._failures.inc()
        self._up.set(0)

    def recovered(self) -> None:
        """An attempt succeeded."""
        self._up.set(1)

    def lag(self, size_bytes: int) -> None:
        """So much is in the files and not in the store."""
        self._lag.set(size_bytes)
