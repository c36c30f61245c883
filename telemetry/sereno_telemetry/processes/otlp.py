"""prometheus_client's families as OpenTelemetry's metrics, so that Prometheus 3 stores them under the same names.

Names go out as they are in `/metrics` (`orders_total`, `http_server_request_duration_seconds`) and without a unit:
then Prometheus' OTLP receiver adds nothing to them, whichever `translation_strategy` it has. It would add `_total` to
any monotonic sum without it and `_seconds` to any unit `s`; a summary's `_count` and `_sum` are therefore sent as sums
that aren't said to be monotonic.
"""

from collections.abc import Iterable, Sequence

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Exemplar as PrometheusExemplar
from prometheus_client.samples import Sample

SCOPE = InstrumentationScope("sereno_telemetry")

_NO_SPAN = 0  # the encoder leaves out a trace id without a span id; receivers leave out one that is all zeros
_TRACE_ID_DIGITS = 32
_CUMULATIVE = AggregationTemporality.CUMULATIVE


def metrics_data(
    families: Iterable[Family], resource: Resource, *, start_nanoseconds: int, now_nanoseconds: int
) -> MetricsData:
    """All families as one message of `resource`, whose counts began at `start_nanoseconds` (Unix time)."""
    times = _Times(start_nanoseconds, now_nanoseconds)
    metrics = [metric for family in families for metric in times.metrics(family)]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(SCOPE, metrics, "")], "")])


class _Times:
    """Converts what was counted between two points in time."""

    def __init__(self, start_nanoseconds: int, now_nanoseconds: int) -> None:
        self._start = start_nanoseconds
        self._now = now_nanoseconds

    def metrics(self, family: Family) -> list[Metric]:
        """One metric for a histogram, else one for each name among the samples; `_created` is in their start time.

        None of a family without samples: Prometheus refuses the whole message for a metric without points.
        """
        if family.type == "histogram":
            histograms = self._histograms(family)
            data = Histogram(histograms, _CUMULATIVE)
            return [Metric(family.name, family.documentation, "", data)] if histograms else []
        by_name: dict[str, list[NumberDataPoint]] = {}
        for sample in family.samples:
            if sample.name != f"{family.name}_created":
                by_name.setdefault(sample.name, []).append(self._number(sample))
        return [Metric(name, family.documentation, "", _data(family, name, points)) for name, points in by_name.items()]

    def _number(self, sample: Sample) -> NumberDataPoint:
        exemplars = [self._exemplar(sample.exemplar)] if sample.exemplar else []
        return NumberDataPoint(dict(sample.labels), self._start, self._now, float(sample.value), exemplars)

    def _histograms(self, family: Family) -> list[HistogramDataPoint]:
        """One point for each set of labels without `le`."""
        ladders: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for sample in family.samples:
            labels = tuple(pair for pair in sample.labels.items() if pair[0] != "le")
            if "le" in sample.labels:
                ladders.setdefault(labels, []).append(sample)
            elif sample.name == f"{family.name}_sum":
                sums[labels] = float(sample.value)
        return [self._histogram(labels, ladder, sums.get(labels, 0.0)) for labels, ladder in ladders.items()]

    def _histogram(
        self, labels: tuple[tuple[str, str], ...], ladder: Sequence[Sample], total: float
    ) -> HistogramDataPoint:
        rungs = sorted(ladder, key=lambda sample: float(sample.labels["le"]))
        up_to = [int(rung.value) for rung in rungs]
        counts = [upper - lower for lower, upper in zip([0, *up_to], up_to, strict=False)]
        return HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=self._start,
            time_unix_nano=self._now,
            count=up_to[-1],
            sum=total,
            bucket_counts=counts,
            explicit_bounds=[float(rung.labels["le"]) for rung in rungs[:-1]],
            min=None,  # type: ignore[arg-type]  # optional on the wire, and nobody has counted it
            max=None,  # type: ignore[arg-type]
            exemplars=[self._exemplar(rung.exemplar) for rung in rungs if rung.exemplar],
        )

    def _exemplar(self, exemplar: PrometheusExemplar) -> Exemplar:
        labels = dict(exemplar.labels)
        trace_id = _trace_id(labels.get("trace_id", ""))
        if trace_id is not None:
            del labels["trace_id"]
        return Exemplar(
            filtered_attributes=labels,
            value=float(exemplar.value),
            time_unix_nano=self._now if exemplar.timestamp is None else int(float(exemplar.timestamp) * 1e9),
            span_id=None if trace_id is None else _NO_SPAN,
            trace_id=trace_id,
        )


def _data(family: Family, name: str, points: Sequence[NumberDataPoint]) -> Sum | Gauge:
    if family.type == "counter":
        return Sum(points, _CUMULATIVE, is_monotonic=True)
    if family.type == "summary" and name != family.name:
        return Sum(points, _CUMULATIVE, is_monotonic=False)
    return Gauge(points)


def _trace_id(digits: str) -> int | None:
    if len(digits) != _TRACE_ID_DIGITS:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None
