"""Reading a dashboard as Grafana does: panels, and queries with their variables filled in.

Dashboards stay mappings here, so that tests can look at whatever they want; values come from `sereno_backends.grafana`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sereno_backends import grafana

_NOW = datetime.now(UTC)
SHOWN = grafana.TimeShown(_NOW - timedelta(hours=6), _NOW, timedelta(minutes=1))
"""A dashboard of six hours with scrapes every 15 s."""
BUILT_IN = {name: text for name, text in grafana.built_in_values(SHOWN).items() if name.endswith("interval")}
"""The rest is told by those tests that need it."""


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of a panel, ready for Prometheus."""

    panel: str
    expr: str
    instant: bool
    by_days: bool
    """Asked in steps of a day: Grafana moves the end of such a range to the last midnight."""


def read(content: str) -> dict[str, Any]:
    """A dashboard's JSON model."""
    document: dict[str, Any] = json.loads(content)
    return document


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that shows data; rows are only titles."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard: Mapping[str, Any]) -> dict[str, grafana.Value]:
    """Each variable with the value that it has when the dashboard is opened."""
    return grafana.opening_values(grafana.read_dashboard(json.dumps(dashboard)))


def filled_in(text: str, values: Mapping[str, grafana.Value]) -> str:
    """`$name` and `${name}` replaced; what is no variable stays, as in Grafana (`$1` of label_replace)."""
    return grafana.filled_in(text, {**BUILT_IN, **values})


def asks_prometheus(panel: Mapping[str, Any]) -> bool:
    """Whether its data comes from there, and not from Elasticsearch."""
    return bool(panel["datasource"]["type"] == "prometheus")


def queries(dashboard: Mapping[str, Any], **chosen: str) -> Iterator[PanelQuery]:
    """Every query of every panel that asks Prometheus; `chosen` are variables that somebody has changed."""
    read_in = grafana.read_dashboard(json.dumps(dashboard))
    values = {**grafana.opening_values(read_in), **chosen}
    for panel in read_in.data_panels:
        for target in (each for each in panel.targets if each.expr):
            expr = filled_in(target.expr, values)
            yield PanelQuery(panel.title, expr, target.is_instant, by_days=panel.interval == "1d")
