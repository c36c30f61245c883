"""How long events take: percentiles, all of them as a heatmap, and the slowest routes of HTTP calls."""

from sereno_slo.model import Latency, NativeLatency
from sereno_slo.plan.spenders import HTTP_METRICS
from sereno_slo.promql import Call, Number, Selector
from sereno_slo.render import queries
from sereno_slo.render.dashboards.indicators import NamedIndicators
from sereno_slo.render.dashboards.layout import Line, PanelBuilder
from sereno_slo.render.dashboards.panels import RATE_INTERVAL, WARNING, Query, Text, density, graph

_QUANTILES = ((0.5, "P50"), (0.95, "P95"), (0.99, "P99"))
_SLOWEST = 10
_NO_CALLS = "No event was timed in this time: nobody called, or the histogram is gone"


def lines(slos: NamedIndicators) -> tuple[Line, ...]:
    """A line for each histogram that an SLO is about."""
    histograms: dict[Selector, list[queries.AnyLatency]] = {}
    for _, indicator in slos:
        if isinstance(indicator, queries.AnyLatency):
            histograms.setdefault(indicator.total, []).append(indicator)
    is_one = len(histograms) == 1
    return tuple(
        _line(indicators, "" if is_one else f" of {_metric(indicators[0])}") for indicators in histograms.values()
    )


def _line(indicators: list[queries.AnyLatency], of_metric: str) -> Line:
    first = indicators[0]
    panels: list[PanelBuilder] = [_percentiles(indicators, of_metric)]
    if isinstance(first, Latency):
        panels.append(_heatmap(first, of_metric))
    if first.total.metric in HTTP_METRICS:
        panels.append(_by_route(first, of_metric))
    return Line(8, tuple(panels))


def _metric(indicator: queries.AnyLatency) -> str:
    return indicator.histogram.metric if isinstance(indicator, NativeLatency) else indicator.metric


def _percentiles(indicators: list[queries.AnyLatency], of_metric: str) -> PanelBuilder:
    first = indicators[0]
    counted = "estimated alike" if isinstance(first, NativeLatency) else "counted at its bound"
    thresholds = sorted({indicator.threshold_seconds for indicator in indicators})
    words = " and ".join(f"{threshold:g} s" for threshold in thresholds)
    text = Text(
        f"Duration{of_metric}",
        f"Half, 95 % and 99 % of the events are faster than this ({_metric(first)}). Dashed: objective at {words}. "
        f"Percentiles are estimated within a bucket; budgets are {counted}. "
        "Dots are single calls; a click on one leads to its trace, or to the logs of that trace.",
        "s",
    )
    drawn = [
        Query(queries.quantile(first, ratio, RATE_INTERVAL), name, exemplars=name == "P99")
        for ratio, name in _QUANTILES
    ]
    steps = tuple((threshold, WARNING) for threshold in thresholds)
    return graph(text, drawn, lines=steps, maximum=thresholds[-1] * 1.2, none=_NO_CALLS)


def _heatmap(indicator: Latency, of_metric: str) -> PanelBuilder:
    description = (
        "Events per minute by how long they took: a row is a bucket of the histogram, the darker the more events. Two "
        "bands are two kinds of calls, which a percentile can't show. Dots are single calls."
    )
    buckets = queries.buckets(indicator, RATE_INTERVAL) * 60
    text = Text(f"All durations{of_metric}", description, "s")
    return density(text, Query(buckets, "{{le}}", exemplars=True), "cpm", none=_NO_CALLS)


def _by_route(indicator: queries.AnyLatency, of_metric: str) -> PanelBuilder:
    by_route = queries.quantile(indicator, _QUANTILES[1][0], RATE_INTERVAL, ("http_route",))
    description = (
        f"95 % of the calls to a route are faster than this; the {_SLOWEST} slowest routes. Dashed: the objective's "
        "threshold, which is for the calls to all routes together."
    )
    # A route without calls has no percentile but NaN, which `>= 0` drops.
    slowest = Call("topk", (Number(_SLOWEST), by_route >= 0))
    threshold = indicator.threshold_seconds
    text = Text(f"P95 by route{of_metric}", description, "s")
    return graph(
        text,
        [Query(slowest, "{{http_route}}")],
        lines=((threshold, WARNING),),
        maximum=threshold * 1.2,
        none=_NO_CALLS,
    )
