"""Metric families that stay small and cheap: children are kept, label values are limited, exemplars are rationed.

A label is declared with the number of values that it may have, or with None if the code that sets it draws from a
closed set (an outcome, a method out of the known ones). Values beyond the limit are counted together under `OVERFLOW`,
as OpenTelemetry's SDKs do with `otel.metric.overflow` (specification "Metrics SDK", section "Cardinality limits"), and
each such observation in `sereno_telemetry_overflows_total`.

Nothing here swallows exceptions: whoever measures somebody else's work guards the call, and tells `TelemetryHealth`.
"""

import math
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

TraceId = str | int | None

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

    __slots__ = ("_add_to_bucket", "_add_to_sum", "_bounds", "_clock", "_exemplar_due", "_histogram")

    def __init__(
        self, histogram: Histogram, bounds: Sequence[float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._histogram = histogram
        self._bounds = bounds
        self._clock = clock
        self._exemplar_due = [0.0] * (len(bounds) + 1)
        self._add_to_sum, self._add_to_bucket = _histogram_cells(histogram, bounds)

    def observe(self, amount: float, trace_id: TraceId | Callable[[], TraceId] = None) -> None:
        """Count `amount`; the trace id becomes the exemplar of its bucket, unless that got one a moment ago.

        The id is a string of hexadecimal digits, or the number that it stands for, or what gives it when it is needed.
        """
        bucket = bisect_left(self._bounds, amount)
        if trace_id is not None and (now := self._clock()) >= self._exemplar_due[bucket]:
            trace_id = trace_id() if callable(trace_id) else trace_id
            if trace_id is not None:
                self._exemplar_due[bucket] = now + EXEMPLAR_INTERVAL_SECONDS
                digits = trace_id if isinstance(trace_id, str) else format(trace_id, "032x")
                self._histogram.observe(amount, {"trace_id": digits})
                return
        if self._add_to_sum is not None:
            self._add_to_sum(amount)
            self._add_to_bucket[bucket](1)
        else:
            self._histogram.observe(amount)


# The public methods of prometheus_client check at each call what can't change, and search buckets one by one: twice
# the price of the work itself. The cells that they add to have had these names since 2018, in one process and in
# many; where they haven't, the public methods do.

Add = Callable[[float], None]


def adding_to(gauge: Gauge) -> Add:
    """What adds to `gauge`, which has no labels or is a child."""
    add = getattr(getattr(gauge, "_value", None), "inc", None)
    return add if callable(add) else gauge.inc


def _histogram_cells(histogram: Histogram, bounds: Sequence[float]) -> tuple[Add | None, Sequence[Add]]:
    """What adds to the sum and to each bucket of `histogram`; (None, ()) if there is no such thing."""
    buckets, upper_bounds = getattr(histogram, "_buckets", None), getattr(histogram, "_upper_bounds", None)
    if upper_bounds != [*bounds, math.inf] or not isinstance(buckets, list) or len(buckets) != len(upper_bounds):
        return None, ()
    cells = (getattr(histogram, "_sum", None), *buckets)
    adding: list[Add] = [cell.inc for cell in cells if callable(getattr(cell, "inc", None))]
    return (adding[0], adding[1:]) if len(adding) == len(cells) else (None, ())
