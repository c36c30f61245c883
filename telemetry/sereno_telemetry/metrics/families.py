"""Metric families that stay small and cheap: children are kept, label values are limited, exemplars are rationed.

A label is declared with the number of values that it may have, or with None if the code that sets it draws from a
closed set (an outcome, a method out of the known ones). Values beyond the limit are counted together under `OVERFLOW`,
as OpenTelemetry's SDKs do with `otel.metric.overflow` (specification "Metrics SDK", section "Cardinality limits"), and
each such observation in `sereno_telemetry_overflows_total`.

Nothing here swallows exceptions: whoever measures somebody else's work guards the call, and tells `TelemetryHealth`.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sereno_telemetry.metrics.health import health_of

OVERFLOW = "_OVERFLOW"
"""The label value of everything beyond a label's limit."""

EXEMPLAR_INTERVAL_SECONDS = 1.0
"""A bucket takes a new exemplar at most this often: a scrape shows one of each, and each one costs a validation."""

Labels = Mapping[str, int | None]
"""Names of labels, in order, with the most values that each may have; None: a closed set."""

GaugeMode = Literal["livesum", "livemostrecent", "mostrecent", "max", "min", "all", "liveall"]
"""How the gauges of several processes are made one, as in prometheus_client's multiprocess mode."""

Child = TypeVar("Child")


class _Limits:
    """Which label values a family has admitted."""

    def __init__(self, metric: str, labels: Labels, registry: CollectorRegistry) -> None:
        self._metric = metric
        self._names = tuple(labels)
        self._limits = tuple(labels.values())
        self._admitted: tuple[set[str], ...] = tuple(set() for _ in labels)
        self._health = health_of(registry)

    def admitted(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """`values` with `OVERFLOW` in place of those beyond a limit; call it under the family's lock."""
        return tuple(self._admit(index, value) for index, value in enumerate(values))

    def _admit(self, index: int, value: str) -> str:
        limit, known = self._limits[index], self._admitted[index]
        if limit is None or value in known:
            return value
        if len(known) < limit:
            known.add(value)
            return value
        self._health.overflowed(self._metric, self._names[index], limit)
        return OVERFLOW


class _Family(Generic[Child]):
    """The children of one metric, by their label values."""

    def __init__(self, name: str, labels: Labels, registry: CollectorRegistry, make: Callable[..., Child]) -> None:
        self._limits = _Limits(name, labels, registry)
        self._make = make
        self._lock = threading.Lock()
        self._children: dict[tuple[str, ...], Child] = {}

    def child(self, *values: str) -> Child:
        """The child of these label values, in the order of the declaration.

        labels() of prometheus_client validates and locks at each call, so children are kept: as many as are admitted.
        """
        return self._children.get(values) or self._admit(values)

    def is_kept(self, *values: str) -> bool:
        """Whether these values have a child of their own, which is the one that `child` will always give."""
        return values in self._children

    def _admit(self, values: tuple[str, ...]) -> Child:
        with self._lock:
            admitted = self._limits.admitted(values)
            child = self._children.get(admitted)
            if child is None:
                child = self._children[admitted] = self._make(*admitted)
            return child


class CounterFamily(_Family[Counter]):
    """Counters of one name; `name` ends in `_total`."""

    def __init__(self, registry: CollectorRegistry, name: str, documentation: str, labels: Labels) -> None:
        metric = Counter(name, documentation, labelnames=tuple(labels), registry=registry)
        super().__init__(name, labels, registry, metric.labels)


class GaugeFamily(_Family[Gauge]):
    """Gauges of one name; `mode` says how those of several processes are made one."""

    def __init__(
        self, registry: CollectorRegistry, name: str, documentation: str, labels: Labels, mode: GaugeMode
    ) -> None:
        metric = Gauge(name, documentation, labelnames=tuple(labels), registry=registry, multiprocess_mode=mode)
        super().__init__(name, labels, registry, metric.labels)


class HistogramFamily(_Family["HistogramChild"]):
    """Histograms of one name with the same upper `bounds`, ascending, without +Inf."""

    def __init__(
        self, registry: CollectorRegistry, name: str, documentation: str, labels: Labels, bounds: Sequence[float]
    ) -> None:
        metric = Histogram(name, documentation, labelnames=tuple(labels), registry=registry, buckets=tuple(bounds))
        super().__init__(name, labels, registry, lambda *values: HistogramChild(metric.labels(*values), bounds))


class HistogramChild:
    """One histogram of a family."""

    __slots__ = ("_bounds", "_clock", "_exemplar_due", "_histogram")

    def __init__(
        self, histogram: Histogram, bounds: Sequence[float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._histogram = histogram
        self._bounds = bounds
        self._clock = clock
        self._exemplar_due = [0.0] * (len(bounds) + 1)

    def observe(self, amount: float, trace_id: str | None = None) -> None:
        """Count `amount`; the trace id becomes the exemplar of its bucket, unless that got one a moment ago."""
        if trace_id is not None:
            bucket, now = bisect_left(self._bounds, amount), self._clock()
            if now >= self._exemplar_due[bucket]:
                self._exemplar_due[bucket] = now + EXEMPLAR_INTERVAL_SECONDS
                self._histogram.observe(amount, {"trace_id": trace_id})
                return
        self._histogram.observe(amount)
