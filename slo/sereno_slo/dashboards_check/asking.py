"""What a dashboard's variables and queries mean for servers: asked as Grafana asks, at one moment."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sereno_backends.grafana import (
    Dashboard,
    Panel,
    Target,
    TimeShown,
    Value,
    Variable,
    built_in_values,
    filled_in,
    opening_value,
)
from sereno_backends.prometheus import PrometheusClient, Sample

from sereno_slo.dashboards_check.whole import LABEL_VALUES, QUERY_RESULT

POINTS = 240
"""Of a graph: about as many as Grafana asks for a panel of half a screen."""
LEAST_STEP = timedelta(seconds=15)
_RELATIVE = re.compile(r"now(?:-(?P<count>\d+)(?P<unit>[smhdwMy]))?(?:/[smhdwMy])?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Documents(Protocol):
    """A store of log documents that Lucene queries are asked of."""

    def count(self, lucene: str, start: datetime, end: datetime) -> int:
        """How many documents match within the window."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Whom to ask, and about which moment."""

    prometheus: PrometheusClient
    documents: Documents | None
    """None where nobody is asked about logs."""
    now: datetime
    scrape_interval: timedelta = timedelta(seconds=15)
    asked: Callable[[], None] = lambda: None
    """Called after each question, for progress."""


@dataclass(frozen=True, slots=True)
class Variables:
    """What is filled in."""

    values: Mapping[str, Value]
    is_subject_there: bool
    """Whether the first variable that the server is asked for has anything to choose: else nothing is there to show."""


def ask_for_variables(servers: Servers, dashboard: Dashboard, chosen: Mapping[str, str]) -> Variables:
    """The values with which the dashboard opens, those of queries asked from the server; `chosen` ones outrank them.

    A variable may stand in the query of one that comes later.
    """
    shown = _shown(servers, dashboard, None)
    values: dict[str, Value] = built_in_values(shown)
    first: Sequence[str] | None = None
    for variable in dashboard.variables:
        if variable.name in chosen:
            values[variable.name] = chosen[variable.name]
            continue
        found = _options(servers, variable, values, shown) if variable.kind == "query" else ()
        if variable.kind == "query" and first is None:
            first = found
        values[variable.name] = opening_value(variable, found)
    return Variables(values, is_subject_there=first is None or bool(first))


def has_data(servers: Servers, dashboard: Dashboard, panel: Panel, target: Target, values: Mapping[str, Value]) -> bool:
    """Whether a query answers with anything to be drawn: a number, or a document.

    Raises:
        PrometheusError: it is refused, or the server can't be reached.
        LogStoreError: the same of the store of documents.
    """
    shown = _shown(servers, dashboard, panel)
    filled = {**values, **built_in_values(shown)}
    if not target.expr:
        answer = (
            servers.documents is not None
            and servers.documents.count(filled_in(target.query, filled), shown.start, shown.end) > 0
        )
    elif target.is_instant:
        samples = servers.prometheus.instant(filled_in(target.expr, filled), shown.end)
        answer = any(sample.is_finite for sample in samples)
    else:
        start, end = (_on_a_step(moment, shown.interval) for moment in (shown.start, shown.end))
        found = servers.prometheus.range(filled_in(target.expr, filled), start, end, shown.interval)
        answer = any(point.is_finite for series in found for point in series.points)
    servers.asked()
    return answer


def _on_a_step(moment: datetime, step: timedelta) -> datetime:
    """As Grafana moves both ends, so that a graph doesn't flicker: back to a whole number of steps since 1970."""
    return moment - (moment - _EPOCH) % step


def asks_documents(target: Target, panel: Panel) -> bool:
    """Whether a query is for Elasticsearch."""
    source = target.datasource or panel.datasource
    return source is not None and source.kind == "elasticsearch"


def _shown(servers: Servers, dashboard: Dashboard, panel: Panel | None) -> TimeShown:
    start, end = _moment(dashboard.time_from, servers.now), _moment(dashboard.time_to, servers.now)
    if panel is not None and panel.time_from:
        start = _moment(panel.time_from if panel.time_from.startswith("now") else f"now-{panel.time_from}", end)
    least = _duration(panel.interval) if panel is not None and panel.interval else LEAST_STEP
    whole_seconds = timedelta(seconds=round((end - start).total_seconds() / POINTS))
    return TimeShown(start, end, max(whole_seconds, least), servers.scrape_interval)


def _moment(text: str, now: datetime) -> datetime:
    match = _RELATIVE.fullmatch(text)
    if match is None or match["count"] is None:
        return now
    return now - timedelta(seconds=int(match["count"]) * _SECONDS[match["unit"]])


def _duration(text: str) -> timedelta:
    parts = re.findall(r"(\d+)(ms|[smhdw])", text)
    return timedelta(seconds=sum(int(count) * (0.001 if unit == "ms" else _SECONDS[unit]) for count, unit in parts))


def _options(servers: Servers, variable: Variable, values: Mapping[str, Value], shown: TimeShown) -> Sequence[str]:
    text = filled_in(variable.query, values)
    if labels := LABEL_VALUES.fullmatch(text):
        label = labels["label"]
        selector = labels["selector"] or f'{{{label}!=""}}'
        span = f"{(shown.end - shown.start).total_seconds():.0f}s"
        found = servers.prometheus.instant(f"group by ({label}) (last_over_time({selector}[{span}]))", shown.end)
        options = sorted(sample.labels[label] for sample in found if sample.labels.get(label))
    elif result := QUERY_RESULT.fullmatch(text):
        options = [_as_text(sample) for sample in servers.prometheus.instant(result["query"], shown.end)]
    else:
        options = []
    servers.asked()
    return _by_regex(variable.regex, options)


def _as_text(sample: Sample) -> str:
    """As Grafana shows a result, for the variable's regex to pick from: `name{label="value"} 1 1700000000000`."""
    labels = ",".join(f'{name}="{text}"' for name, text in sample.labels.items() if name != "__name__")
    milliseconds = round(sample.timestamp.timestamp() * 1000)
    return f"{sample.labels.get('__name__', '')}{{{labels}}} {sample.value:g} {milliseconds}"


def _by_regex(pattern: str, options: Sequence[str]) -> Sequence[str]:
    """Those that a variable's regex finds, each as its first group where it has one."""
    if not pattern:
        return options
    found = (re.search(pattern.strip("/"), option) for option in options)
    return list(dict.fromkeys(match[1] if match.re.groups else match[0] for match in found if match))
