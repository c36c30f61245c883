"""Writes dashboards/grafana/handwritten from every dashboard.yaml. `--check` compares.

.venv/bin/python scripts/written-dashboards.py [--check]

exporters/standard/<name>/dashboard.yaml becomes <name>.json: `instances` is a series of each instance, and `$chosen`
in a query stands for the job and the instances that are chosen at the top. systems/<name>/dashboard.yaml becomes
system-<name>.json: `services` are those whose SLO dashboards it links, and its queries name their jobs themselves.
dashboards/grafana/written/<name>/dashboard.yaml becomes <name>.json: `variables` are what is chosen at its top, in the
order of their queries, and `chosen` says which words of its queries stand for which matchers.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model
from sereno_slo.plan.annotations import dashboard_uid
from sereno_slo.render.dashboards.layout import Line, PanelBuilder, Section, place
from sereno_slo.render.dashboards.panels import DATASOURCE, PLAIN, Query, Text, as_document, figure, graph, to_json

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = {"$chosen": 'job=~"$job", instance=~"$instance"'}
ANY = ".+"


@dataclass(frozen=True, slots=True)
class Kind:
    """Dashboards of one kind: where they are written down, what their names begin with, and what finds them."""

    folder: str
    prefix: str
    tag: str


KINDS = (
    Kind("exporters/standard", "", "exporters"),
    Kind("systems", "system-", "systems"),
    Kind("dashboards/grafana/written", "", "sereno"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A query as somebody wrote it: panels only print expressions."""

    text: str

    def __str__(self) -> str:
        return self.text


def main() -> int:
    """Write or check."""
    differing = []
    for path, text in written():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            differing.append(path)
            if "--check" not in sys.argv[1:]:
                path.write_text(text, encoding="utf-8")
    if differing and "--check" in sys.argv[1:]:
        for path in differing:
            print(f"{path.relative_to(ROOT)} is not what its dashboard.yaml says; run `make compile`", file=sys.stderr)
        return 1
    return 0


def written() -> Iterator[tuple[Path, str]]:
    """Each dashboard's file, and what belongs into it."""
    for kind in KINDS:
        for source in sorted((ROOT / kind.folder).glob("*/dashboard.yaml")):
            path = ROOT / "dashboards" / "grafana" / "handwritten" / f"{kind.prefix}{source.parent.name}.json"
            yield path, to_json(document(kind, source, yaml.safe_load(source.read_text(encoding="utf-8"))))


def document(kind: Kind, source: Path, content: dict[str, Any]) -> dict[str, object]:
    """The JSON model of a dashboard."""
    name = source.parent.name
    board = (
        dashboard.Dashboard(content["title"])
        .uid(f"sereno_{kind.prefix}{name}")
        .description(f"{content['description']} Written from {source.relative_to(ROOT)}; do not edit.")
        .tags([kind.tag])
        .readonly()
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(others(kind.tag))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    if "services" in content:
        for service in content["services"]:
            board.link(slo_dashboard(service))
        firing = firing_for(content["services"], name)
    else:
        for each in content.get("variables") or of_instances(content["instances"]):
            board.with_variable(variable(**each))
        firing = firing_of(content["alerts"])
    chosen = content.get("chosen", CHOSEN)
    sections = [
        Section(each["title"], tuple(line(one, chosen) for one in each["lines"])) for each in content["sections"]
    ]
    place(board, sections)
    made = as_document(board.build())
    made["annotations"] = {"list": [firing]}
    return made


def line(content: dict[str, Any], chosen: dict[str, str]) -> Line:
    """Panels side by side."""
    return Line(content["height"], tuple(panel(each, chosen) for each in content["panels"]))


def panel(content: dict[str, Any], chosen: dict[str, str]) -> PanelBuilder:
    """A figure of now, or lines over time."""
    title = content.get("figure") or content["graph"]
    text = Text(title, content["description"], content["unit"])
    if "figure" in content:
        asked = query(content["query"], chosen)
        return figure(text, asked, steps=content.get("steps", PLAIN), none=content.get("none", "no data"))
    queries = [query(expr, chosen, legend) for legend, expr in content["queries"].items()]
    lines, maximum = content.get("lines", ()), content.get("maximum")
    return graph(text, queries, lines=lines, minimum=content.get("minimum", 0), maximum=maximum)


def query(expr: str, chosen: dict[str, str], legend: str = "") -> Query:
    """A query for what is chosen at the top."""
    for word, matchers in chosen.items():
        expr = expr.replace(word, matchers)
    return Query(Written(expr), legend)


def of_instances(series: str) -> list[dict[str, str]]:
    """The variables of a dashboard with a series of each instance."""
    return [
        {"name": "job", "label": "Job", "series": series, "value": "job"},
        {"name": "instance", "label": "Instance", "series": series + '{job=~"$job"}', "value": "instance"},
    ]


def variable(*, name: str, label: str, series: str, value: str, all: str = ANY) -> dashboard.QueryVariable:  # noqa: A002
    """Any of the values that a label has now; all of them to begin with, by `all` as a pattern."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(f"label_values({series}, {value})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(all)
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def others(tag: str) -> dashboard.DashboardLink:
    """The other dashboards of its kind."""
    link = dashboard.DashboardLink(tag.capitalize()).type(model.DashboardLinkType.DASHBOARDS).tags([tag])
    return link.as_dropdown(as_dropdown=True).keep_time(keep_time=True)


def slo_dashboard(service: str) -> dashboard.DashboardLink:
    """The dashboard of a service's SLOs, at the same time."""
    link = dashboard.DashboardLink(f"SLO {service}").type(model.DashboardLinkType.LINK)
    return link.url(f"/d/{dashboard_uid(service)}").keep_time(keep_time=True)


def firing_of(alerts: str) -> dict[str, object]:
    """An annotation for each of an exporter's alerts that fires for a chosen job."""
    return marks(f'ALERTS{{alertname=~"{alerts}", alertstate="firing", job=~"$job"}}', "{{instance}}")


def firing_for(services: Sequence[str], system: str) -> dict[str, object]:
    """The same for alerts of these services, and of the servers that a system stands on."""
    of_services = f'ALERTS{{alertstate="firing", service=~"{"|".join(services)}"}}'
    return marks(f'{of_services} or ALERTS{{alertstate="firing", system="{system}"}}', "{{service}} {{slo}}")


def marks(expr: str, where: str) -> dict[str, object]:
    """An annotation for each alert of an expression."""
    return {
        "name": "Firing alerts",
        "datasource": DATASOURCE.to_json(),
        "enable": True,
        "expr": expr,
        "iconColor": "red",
        "step": "60s",
        "tagKeys": "severity",
        "titleFormat": f"{{{{alertname}}}} {where}",
        "textFormat": "",
    }


if __name__ == "__main__":
    sys.exit(main())
