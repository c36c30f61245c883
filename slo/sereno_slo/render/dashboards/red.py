"""Rate, errors, duration: the service as it does now, from the indicators' own selectors."""

from typing import assert_never

from grafana_foundation_sdk.builders import timeseries

from sereno_slo.model import CountedIndicator, Probe, Service, Settings, Threshold, TimeSlices
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.promql import Expr
from sereno_slo.render import queries
from sereno_slo.render.dashboards import durations, endpoints
from sereno_slo.render.dashboards.indicators import NamedIndicators, of_instances
from sereno_slo.render.dashboards.layout import Line, PanelBuilder, Section
from sereno_slo.render.dashboards.panels import RATE_INTERVAL, WARNING, Query, Text, graph
from sereno_slo.render.words import out_of_bounds_in_words

_WORST = 10


def section(service: Service, settings: Settings) -> Section:
    """Throughput, failures and durations, then what fails."""
    slos = tuple((slo.name, of_instances(slo.indicator, settings)) for slo in service.slos)
    counted = tuple((name, indicator) for name, indicator in slos if isinstance(indicator, CountedIndicator))
    gauges = tuple(_gauge(name, indicator, settings) for name, indicator in slos if isinstance(indicator, TimeSlices))
    panels = (*(_of_counted(counted) if counted else ()), *gauges)
    lines = [Line(8, panels[start : start + 3]) for start in range(0, len(panels), 3)]
    breakdown = (_what_fails(counted, settings),) if counted else ()
    return Section("Now", (*lines, *durations.lines(counted), *breakdown))


def _of_counted(slos: NamedIndicators) -> tuple[timeseries.Panel, ...]:
    failed = _failed(slos)
    return (_throughput(slos), *((failed,) if failed else ()), *endpoints.by_status(slos))


def _what_fails(slos: NamedIndicators, settings: Settings) -> Line:
    panels: tuple[PanelBuilder, ...] = (_breakdown(slos, settings), *endpoints.by_endpoint(slos))
    return Line(8, panels)


def _throughput(slos: NamedIndicators) -> timeseries.Panel:
    """One line for each way of counting; SLOs that count the same share it."""
    lines = [Query(total * 60, ", ".join(names)) for total, names in _counted_alike(slos).items()]
    description = "Events per minute of the chosen instances, as each SLO counts them. Half of it gone is news, too."
    none = "No events were counted in this time: nobody called, or the targets are gone"
    return graph(Text("Throughput", description, "cpm"), lines, none=none)


def _counted_alike(slos: NamedIndicators) -> dict[Expr, list[str]]:
    """The names of the SLOs by how they count all events."""
    totals: dict[Expr, list[str]] = {}
    for name, indicator in slos:
        totals.setdefault(queries.events_counted("rate", indicator, RATE_INTERVAL), []).append(name)
    return totals


def _failed(slos: NamedIndicators) -> timeseries.Panel | None:
    """Percent of bad events of those SLOs that count failures; None where all are about latency."""
    lines = [
        Query(queries.bad_share(indicator, RATE_INTERVAL), name)
        for name, indicator in slos
        if not isinstance(indicator, queries.AnyLatency)
    ]
    description = "Part of the events that failed, of the chosen instances. A gap means no traffic."
    none = "No traffic in this time, so nothing failed"
    return graph(Text("Failed", description, "percentunit"), lines, none=none) if lines else None


def _gauge(name: str, indicator: TimeSlices, settings: Settings) -> timeseries.Panel:
    """The values that minutes are judged by; bounds are dashed."""
    legend = " ".join(f"{{{{{label}}}}}" for label in settings.identity_labels)
    match indicator:
        case Threshold(gauge=gauge, minimum=minimum, maximum=maximum):
            bad = f"{out_of_bounds_in_words(indicator)} (dashed)"
            bounds = tuple((bound, WARNING) for bound in (minimum, maximum) if bound is not None)
        case Probe(gauge=gauge):
            bad, bounds = "0", ()
        case _:
            assert_never(indicator)
    description = f"What {gauge.metric} says of the chosen instances. A minute is bad when any value in it is {bad}."
    highest = max((bound for bound, _ in bounds), default=1.0) * 1.2
    text = Text(f"{name}: {gauge.metric}", description, "short")
    none = f"{gauge.metric} had no value in this time"
    return graph(text, [Query(gauge, legend)], lines=bounds, maximum=highest, none=none)


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
    return graph(Text("What fails", description, "cpm"), lines, none="Nothing failed in this time")
