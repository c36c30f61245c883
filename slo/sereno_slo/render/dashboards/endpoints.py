"""HTTP calls by endpoint and by status: only where an SLO counts them by the usual metric."""

from grafana_foundation_sdk.builders import table, timeseries

from sereno_slo.model import CountedIndicator
from sereno_slo.plan.spenders import HTTP_METRICS
from sereno_slo.render import queries
from sereno_slo.render.dashboards.indicators import NamedIndicators
from sereno_slo.render.dashboards.panels import BAD, GOOD, RATE_INTERVAL, WARNING, Query, Text, fixed_color, graph
from sereno_slo.render.dashboards.tables import Column, ranked

_ENDPOINT = ("http_route", "http_request_method")
_STATUS = "http_response_status_code"
# What a code says, by its first digit; nothing is told by colour alone, the code is in the legend.
_STATUS_COLORS = {"[123]": GOOD, "4": WARNING, "5": BAD}


def _http(slos: NamedIndicators) -> tuple[CountedIndicator, ...]:
    """Those that count HTTP calls, failures before latencies."""
    found = (indicator for _, indicator in slos if indicator.total.metric in HTTP_METRICS)
    return tuple(sorted(found, key=lambda indicator: isinstance(indicator, queries.AnyLatency)))


def by_status(slos: NamedIndicators) -> tuple[timeseries.Panel, ...]:
    """Calls by the status of their answers; no panel where nothing counts HTTP calls."""
    for indicator in _http(slos)[:1]:
        calls = queries.events_counted("rate", indicator, RATE_INTERVAL, (_STATUS,)) * 60
        description = (
            "Calls per minute of the chosen instances by the status of their answers. Which of them fail is the "
            "objective's to say."
        )
        text = Text("Calls by status", description, "cpm")
        panel = graph(text, [Query(calls, f"{{{{{_STATUS}}}}}")], none="No calls in this time")
        for first_digit, color in _STATUS_COLORS.items():
            panel.override_by_regexp(f"/^{first_digit}/", [fixed_color(color)])
        return (panel,)
    return ()


def by_endpoint(slos: NamedIndicators) -> tuple[table.Panel, ...]:
    """A row for each route and method, the most failures first; no panel where nothing counts HTTP calls."""
    http = _http(slos)
    if not http:
        return ()
    columns: dict[str, Column] = {}
    if not isinstance(http[0], queries.AnyLatency):
        failed = queries.bad_share(http[0], RATE_INTERVAL, _ENDPOINT)
        columns["Failed"] = Column(failed, "percentunit", 2, ((None, GOOD), (0.001, WARNING), (0.01, BAD)))
    for latency in [one for one in http if isinstance(one, queries.AnyLatency)][:1]:
        # An endpoint without calls has no percentile but NaN, which `>= 0` drops.
        p95 = queries.quantile(latency, 0.95, RATE_INTERVAL, _ENDPOINT) >= 0
        columns["P95"] = Column(p95, "s", 2, ((None, GOOD), (latency.threshold_seconds, WARNING)))
    calls = queries.events_counted("rate", http[0], RATE_INTERVAL, _ENDPOINT) * 60
    columns["Calls per minute"] = Column(calls, "cpm", 1)
    description = (
        "Each endpoint as it does now, for the chosen instances: the part of its calls that failed, how fast 95 % of "
        "them are, and how many there are. Worst first."
    )
    text = Text("Endpoints", description, "short")
    return (ranked(text, _ENDPOINT, columns, none="No calls now", is_highest_first=True),)
