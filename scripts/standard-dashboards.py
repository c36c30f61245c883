"""Writes dashboards/grafana/handwritten/<name>.json from exporters/standard/<name>/dashboard.yaml. `--check` compares.

.venv/bin/python scripts/standard-dashboards.py [--check]

`$chosen` in a query stands for the job and the instances that are chosen at the top of the dashboard.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model
from sereno_slo.render.dashboards.layout import Line, PanelBuilder, Section, place
from sereno_slo.render.dashboards.panels import DATASOURCE, PLAIN, Query, Text, as_document, figure, graph, to_json

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = 'job=~"$job", instance=~"$instance"'
TAG = "exporters"


@dataclass(frozen=True, slots=True)
class Written:
    """A query as somebody wrote it: panels only print expressions."""

    text: str

    def __str__(self) -> str:
        return self.text


def main() -> int:
    """Write or check."""
    differing = []
    for source in sorted(ROOT.glob("exporters/standard/*/dashboard.yaml")):
        name = source.parent.name
        path = ROOT / "dashboards" / "grafana" / "handwritten" / f"{name}.json"
        text = to_json(document(name, yaml.safe_load(source.read_text(encoding="utf-8"))))
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            differing.append(path)
            if "--check" not in sys.argv[1:]:
                path.write_text(text, encoding="utf-8")
    if differing and "--check" in sys.argv[1:]:
        for path in differing:
            print(f"{path.relative_to(ROOT)} is not what its dashboard.yaml says; run `make compile`", file=sys.stderr)
        return 1
    return 0


def document(name: str, content: dict[str, Any]) -> dict[str, object]:
    """The JSON model of an exporter's dashboard."""
    board = (
        dashboard.Dashboard(content["title"])
        .uid(f"sereno_{name}")
        .description(f"{content['description']} Written from exporters/standard/{name}/dashboard.yaml; do not edit.")
        .tags([TAG])
        .readonly()
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(others())
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(variable("job", content["instances"]))
        .with_variable(variable("instance", content["instances"] + '{job=~"$job"}'))
    )
    place(board, [Section(each["title"], tuple(line(one) for one in each["lines"])) for each in content["sections"]])
    made = as_document(board.build())
    made["annotations"] = {"list": [firing(content["alerts"])]}
    return made


def line(content: dict[str, Any]) -> Line:
    """Panels side by side."""
    return Line(content["height"], tuple(panel(each) for each in content["panels"]))


def panel(content: dict[str, Any]) -> PanelBuilder:
    """A figure of now, or lines over time."""
    title = content.get("figure") or content["graph"]
    text = Text(title, content["description"], content["unit"])
    if "figure" in content:
        return figure(
            text, query(content["query"]), steps=content.get("steps", PLAIN), none=content.get("none", "no data")
        )
    queries = [query(expr, legend) for legend, expr in content["queries"].items()]
    lines, maximum = content.get("lines", ()), content.get("maximum")
    return graph(text, queries, lines=lines, minimum=content.get("minimum", 0), maximum=maximum)


def query(expr: str, legend: str = "") -> Query:
    """A query for the chosen job and instances."""
    return Query(Written(expr.replace("$chosen", CHOSEN)), legend)


def variable(name: str, series: str) -> dashboard.QueryVariable:
    """Any of the values that a label has now; all of them to begin with."""
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(DATASOURCE)
        .query(f"label_values({series}, {name})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".+")
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def others() -> dashboard.DashboardLink:
    """The dashboards of the other exporters."""
    link = dashboard.DashboardLink("Exporters").type(model.DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(as_dropdown=True).keep_time(keep_time=True)


def firing(alerts: str) -> dict[str, object]:
    """An annotation for each alert that fires."""
    return {
        "name": "Firing alerts",
        "datasource": DATASOURCE.to_json(),
        "enable": True,
        "expr": f'ALERTS{{alertname=~"{alerts}", alertstate="firing", job=~"$job"}}',
        "iconColor": "red",
        "step": "60s",
        "tagKeys": "severity",
        "titleFormat": "{{alertname}} {{instance}}",
        "textFormat": "",
    }


if __name__ == "__main__":
    sys.exit(main())
