"""Reading a dashboard as Grafana does: panels, and queries with their variables filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What Grafana fills in for a dashboard of six hours with scrapes every 15 s.
BUILT_IN = {"__rate_interval": "1m15s", "__interval": "1m"}


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


def variables(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """Each variable with the value that it has when the dashboard is opened."""
    return {variable["name"]: _first_value(variable) for variable in dashboard["templating"]["list"]}


def _first_value(variable: Mapping[str, Any]) -> str:
    chosen = variable.get("current", {}).get("value", variable["query"])
    return str(variable["allValue"] if chosen == "$__all" else chosen)


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """`$name` and `${name}` replaced; what is no variable stays, as in Grafana (`$1` of label_replace)."""
    known = {**BUILT_IN, **values}
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda match: known.get(match[1] or match[2], match[0]), text)


def asks_prometheus(panel: Mapping[str, Any]) -> bool:
    """Whether its data comes from there, and not from Elasticsearch."""
    return bool(panel["datasource"]["type"] == "prometheus")


def queries(dashboard: Mapping[str, Any], **chosen: str) -> Iterator[PanelQuery]:
    """Every query of every panel that asks Prometheus; `chosen` are variables that somebody has changed."""
    values = {**variables(dashboard), **chosen}
    for panel in panels(dashboard):
        for target in panel["targets"] if asks_prometheus(panel) else ():
            instant, by_days = bool(target.get("instant")), panel.get("interval") == "1d"
            yield PanelQuery(panel["title"], filled_in(target["expr"], values), instant, by_days)
