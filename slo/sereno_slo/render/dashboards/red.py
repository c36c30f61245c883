"""Rate, errors, duration: the service as it does now, from the indicators' own selectors."""

from dataclasses import replace
from typing import assert_never

from grafana_foundation_sdk.builders import timeseries

from sereno_slo.model import (
    BadEventsRatio,
    CountedIndicator,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    Service,
    Settings,
    Threshold,
    TimeSlices,
)
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.promql import Expr, Matcher, MatchOp, Selector
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import Line, Section
from sereno_slo.render.dashboards.panels import RATE_INTERVAL, Query, Text, graph
from sereno_slo.render.words import out_of_bounds_in_words

_QUANTILES = ((0.5, "P50"), (0.95, "P95"), (0.99, "P99"))
_WORST = 10


def instance_label(settings: Settings) -> str:
    """The label that tells targets apart: `instance`, or the last identity label where there is none."""
    labels = settings.identity_labels
    return "instance" if "instance" in labels else labels[-1]


def section(service: Service, settings: Settings) -> Section:
    """Throughput, failures and durations, then what fails."""
    slos = tuple((slo.name, _of_instances(slo.indicator, settings)) for slo in service.slos)
    counted = tuple((name, indicator) for name, indicator in slos if isinstance(indicator, CountedIndicator))
    gauges = tuple(_gauge(name, indicator, settings) for name, indicator in slos if isinstance(indicator, TimeSlices))
    panels = (*(_of_counted(counted) if counted else ()), *gauges)
    lines = [Line(8, panels[start : start + 3]) for start in range(0, len(panels), 3)]
    breakdown = (Line(8, (_breakdown(counted, settings),)),) if counted else ()
    return Section("Now", (*lines, *breakdown))


def _of_counted(slos: "NamedIndicators") -> tuple[timeseries.Panel, ...]:
    failed = _failed(slos)
    return (_throughput(slos), *((failed,) if failed else ()), *_durations(slos))


def _of_instances(indicator: Indicator, settings: Settings) -> Indicator:
    """The same indicator for the chosen instances only."""
    chosen = Matcher(instance_label(settings), MatchOp.REGEX, "$instance")
    total = indicator.total.where(chosen)
    match indicator:
        case BadEventsRatio():
            return replace(indicator, total=total, bad=indicator.bad.where(chosen))
        case GoodEventsRatio():
            return replace(indicator, total=total, good=indicator.good.where(chosen))
        case Latency():
            return replace(indicator, total=total, fast=indicator.fast.where(chosen))
        case NativeLatency():
            return replace(indicator, histogram=total)
        case Threshold() | Probe():
            return replace(indicator, gauge=total)
        case _:
            assert_never(indicator)


NamedIndicators = tuple[tuple[str, CountedIndicator], ...]


def _throughput(slos: NamedIndicators) -> timeseries.Panel:
    """One line for each way of counting; SLOs that count the same share it."""
    totals: dict[Expr, list[str]] = {}
    for name, indicator in slos:
        totals.setdefault(queries.events_counted("rate", indicator, RATE_INTERVAL), []).append(name)
    lines = [Query(total * 60, ", ".join(names)) for total, names in totals.items()]
    description = "Events per minute of the chosen instances, as each SLO counts them. Half of it gone is news, too."
    return graph(Text("Throughput", description, "cpm"), lines)


def _failed(slos: NamedIndicators) -> timeseries.Panel | None:
    """Percent of bad events of those SLOs that count failures; None where all are about latency."""
    lines = [
        Query(queries.bad_share(indicator, RATE_INTERVAL), name)
        for name, indicator in slos
        if not isinstance(indicator, queries.AnyLatency)
    ]
    description = "Part of the events that failed, of the chosen instances. A gap means no traffic."
    return graph(Text("Failed", description, "percentunit"), lines) if lines else None


def _durations(slos: NamedIndicators) -> list[timeseries.Panel]:
    """Percentiles of each histogram, with the SLOs' thresholds as dashed lines."""
    histograms: dict[Selector, list[queries.AnyLatency]] = {}
    for _, indicator in slos:
        if isinstance(indicator, queries.AnyLatency):
            histograms.setdefault(indicator.total, []).append(indicator)
    return [_duration(indicators, several=len(histograms) > 1) for indicators in histograms.values()]


def _duration(indicators: list[queries.AnyLatency], *, several: bool) -> timeseries.Panel:
    first = indicators[0]
    is_native = isinstance(first, NativeLatency)
    metric = first.histogram.metric if isinstance(first, NativeLatency) else first.metric
    counted = "estimated alike" if is_native else "counted at its bound"
    thresholds = sorted({indicator.threshold_seconds for indicator in indicators})
    words = " and ".join(f"{threshold:g} s" for threshold in thresholds)
    text = Text(
        f"Duration of {metric}" if several else "Duration",
        f"Half, 95 % and 99 % of the events are faster than this ({metric}). Dashed: objective at {words}. "
        f"Percentiles are estimated within a bucket; budgets are {counted}. "
        "Dots are single calls with their trace.",
        "s",
    )
    lines = [
        Query(queries.quantile(first, ratio, RATE_INTERVAL), name, exemplars=name == "P99")
        for ratio, name in _QUANTILES
    ]
    steps = tuple((threshold, "orange") for threshold in thresholds)
    return graph(text, lines, lines=steps, maximum=thresholds[-1] * 1.2)


def _gauge(name: str, indicator: TimeSlices, settings: Settings) -> timeseries.Panel:
    """The values that minutes are judged by; bounds are dashed."""
    legend = " ".join(f"{{{{{label}}}}}" for label in settings.identity_labels)
    match indicator:
        case Threshold(gauge=gauge, minimum=minimum, maximum=maximum):
            bad = f"{out_of_bounds_in_words(indicator)} (dashed)"
            bounds = tuple((bound, "orange") for bound in (minimum, maximum) if bound is not None)
        case Probe(gauge=gauge):
            bad, bounds = "0", ()
        case _:
            assert_never(indicator)
    description = f"What {gauge.metric} says of the chosen instances. A minute is bad when any value in it is {bad}."
    highest = max((bound for bound, _ in bounds), default=1.0) * 1.2
    return graph(
        Text(f"{name}: {gauge.metric}", description, "short"), [Query(gauge, legend)], lines=bounds, maximum=highest
    )


def _breakdown(slos: NamedIndicators, settings: Settings) -> timeseries.Panel:
    """What fails: bad events per minute by route and status, or by target."""
    lines = []
    for name, indicator in slos:
        labels = breakdown_labels(indicator, settings)
        shown = " ".join(f"{{{{{label}}}}}" for label in labels)
        lines.append(Query(queries.worst(_WORST, indicator, "rate", RATE_INTERVAL, labels) * 60, f"{name}: {shown}"))
    description = (
        f"Bad events per minute: the {_WORST} worst groups of each SLO (route, method and status of HTTP calls, "
        "otherwise the target). Empty when nothing fails."
    )
    return graph(Text("What fails", description, "cpm"), lines)
