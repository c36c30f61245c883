"""Dashboards by rules: each rule is broken by one change of a good dashboard, and the repository keeps all of them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_slo.dashboards_check import RULES, Document, lint
from sereno_slo.render.dashboards.panels import as_document

ROOT = Path(__file__).resolve().parents[3]
GRAFANA = ROOT / "dashboards/grafana"
CHOSEN = {"type": "prometheus", "uid": "${datasource}"}
STEPS = [{"value": None, "color": "blue"}, {"value": 1, "color": "orange"}, {"value": 2, "color": "red"}]
GOOD: dict[str, Any] = {
    "uid": "calls",
    "title": "Calls",
    "editable": False,
    "templating": {
        "list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
            {
                "name": "instance",
                "type": "query",
                "query": "label_values(up, instance)",
                "datasource": CHOSEN,
                "refresh": 2,
                "multi": True,
                "includeAll": True,
                "allValue": ".+",
            },
        ]
    },
    "panels": [
        {"id": 1, "type": "row", "title": "All", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}},
        {
            "id": 2,
            "type": "timeseries",
            "title": "Calls",
            "description": "Calls a second.",
            "datasource": CHOSEN,
            "gridPos": {"x": 0, "y": 1, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": "reqps"}},
            "targets": [{"refId": "A", "expr": 'rate(calls_total{instance=~"$instance"}[$__rate_interval])'}],
        },
        {
            "id": 3,
            "type": "stat",
            "title": "Up",
            "description": "Instances that answer.",
            "datasource": CHOSEN,
            "gridPos": {"x": 12, "y": 1, "w": 12, "h": 8},
            "fieldConfig": {
                "defaults": {"unit": "short", "noValue": "none", "thresholds": {"mode": "absolute", "steps": STEPS}}
            },
            "targets": [{"refId": "A", "expr": "sum(up)", "instant": True}],
        },
    ],
}


def found(*dashboards: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and panel of each finding."""
    texts = [Document(f"{number}.json", json.dumps(each)) for number, each in enumerate(dashboards)]
    return [(finding.code, finding.panel) for finding in lint(texts)]


Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Any]

BROKEN: dict[str, tuple[str, str, Change]] = {
    "no uid": ("DASH002", "", lambda board, _graph, _figure: board.pop("uid")),
    "a uid that no address can have": ("DASH002", "", lambda board, _graph, _figure: board.update(uid="a b")),
    "no title": ("DASH003", "", lambda board, _graph, _figure: board.update(title="")),
    "an unlabelled data source": (
        "DASH004",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][0].update(label=""),
    ),
    "options of yesterday": (
        "DASH005",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][1].pop("refresh"),
    ),
    "a variable without PromQL": (
        "DASH006",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][1].update(query="label_values(up{, instance)"),
    ),
    "labels of an expression": (
        "DASH006",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][1].update(
            query="label_values(up or down, instance)"
        ),
    ),
    "a variable that asks what is unknown": (
        "DASH006",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][1].update(query="instances()"),
    ),
    "a variable that asks elsewhere": (
        "DASH006",
        "",
        lambda board, _graph, _figure: board["templating"]["list"][1].update(datasource={"uid": "mine"}),
    ),
    "editable": ("DASH007", "", lambda board, _graph, _figure: board.pop("editable")),
    "a variable for nothing": (
        "DASH008",
        "",
        lambda board, _graph, _figure: board["templating"]["list"].append(
            {"name": "x", "type": "custom", "query": "1"}
        ),
    ),
    "an id twice": ("DASH009", "Up", lambda _board, _graph, figure: figure.update(id=2)),
    "no id": ("DASH009", "Up", lambda _board, _graph, figure: figure.pop("id")),
    "a data source of one's own": (
        "DASH010",
        "Up",
        lambda _board, _graph, figure: figure.update(datasource={"uid": "p"}),
    ),
    "no data source": ("DASH010", "Up", lambda _board, _graph, figure: figure.pop("datasource")),
    "no title of a panel": ("DASH011", "", lambda _board, _graph, figure: figure.update(title="")),
    "no description": ("DASH012", "Up", lambda _board, _graph, figure: figure.pop("description")),
    "no unit": ("DASH013", "Calls", lambda _board, graph, _figure: graph["fieldConfig"]["defaults"].pop("unit")),
    "a unit that nobody knows": (
        "DASH013",
        "Calls",
        lambda _board, graph, _figure: graph["fieldConfig"]["defaults"].update(unit="calls/s"),
    ),
    "too wide": ("DASH014", "Up", lambda _board, _graph, figure: figure["gridPos"].update(w=13)),
    "one over the other": ("DASH015", "Up", lambda _board, _graph, figure: figure["gridPos"].update(x=11, y=8)),
    "silence": ("DASH016", "Up", lambda _board, _graph, figure: figure["fieldConfig"]["defaults"].pop("noValue")),
    "green against red": ("DASH017", "Up", lambda _board, _graph, figure: recolour(figure, "green", "orange", "red")),
    "colours of one's own": ("DASH017", "Up", lambda _board, _graph, figure: recolour(figure, "#73BF69", "#F2495C")),
    "no query": ("DASH018", "Up", lambda _board, _graph, figure: figure.update(targets=[])),
    "a name twice": ("DASH018", "Up", lambda _board, _graph, figure: figure["targets"].append(figure["targets"][0])),
    "no PromQL": ("DASH019", "Up", lambda _board, _graph, figure: ask(figure, "sum(up")),
    "a rate that doesn't adapt": ("DASH020", "Calls", lambda _board, graph, _figure: ask(graph, again("[5m]"))),
    "a counter as it stands": ("DASH021", "Up", lambda _board, _graph, figure: ask(figure, "sum(calls_total)")),
    "one of several values": (
        "DASH022",
        "Up",
        lambda _board, _graph, figure: ask(figure, 'sum(up{instance="$instance"})'),
    ),
}


def recolour(figure: dict[str, Any], *colours: str) -> None:
    """Thresholds in these colours."""
    steps = [{"value": number or None, "color": colour} for number, colour in enumerate(colours)]
    figure["fieldConfig"]["defaults"]["thresholds"]["steps"] = steps


def ask(panel: dict[str, Any], expr: str) -> None:
    """Another query."""
    panel["targets"][0]["expr"] = expr


def again(window: str) -> str:
    """The graph's query over another window."""
    query: str = GOOD["panels"][1]["targets"][0]["expr"]
    return query.replace("[$__rate_interval]", window)


def test_a_good_dashboard_breaks_no_rule() -> None:
    """What all other cases change is right before."""
    assert found(GOOD) == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_finds_what_breaks_it(name: str) -> None:
    """One change, one finding: its code, its panel."""
    code, panel, change = BROKEN[name]
    board = copy.deepcopy(GOOD)
    change(board, board["panels"][1], board["panels"][2])
    assert found(board) == [(code, panel)]


def test_every_rule_has_a_case() -> None:
    """No rule is only promised."""
    elsewhere = {"DASH001"}
    assert {code for code, _, _ in BROKEN.values()} | elsewhere == set(RULES)


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph.update(description="Calls within five minutes.", targets=[{"expr": again("[5m]")}]),
        lambda graph: graph.update(description="Calls, 5m.", targets=[{"expr": again("[5m]")}]),
        lambda graph: graph.update(title="Calls per day", targets=[{"expr": again("[24h]")}]),
        lambda graph: graph.update(targets=[{"expr": again("[$__range]")}]),
        lambda graph: graph.update(targets=[{"expr": 'count(calls_total{instance=~"$instance"})'}]),
        lambda graph: graph["fieldConfig"]["defaults"].update(unit="suffix: calls"),
    ],
)
def test_what_is_meant_so_is_no_mistake(change: Callable[[dict[str, Any]], None]) -> None:
    """A window that people are told of, series that are only counted, a unit of one's own."""
    board = copy.deepcopy(GOOD)
    change(board["panels"][1])
    assert found(board) == []


def test_dashboards_do_not_take_each_others_names() -> None:
    """Of two with one uid Grafana keeps one; two with one title nobody tells apart."""
    assert found(GOOD, GOOD) == [("DASH002", ""), ("DASH003", "")]


def test_what_is_no_dashboard_is_a_finding() -> None:
    """The others are looked at all the same."""
    findings = lint([Document("a.json", "[]"), Document("b.json", json.dumps({**GOOD, "title": ""}))])
    assert [(finding.path, finding.code) for finding in findings] == [("a.json", "DASH001"), ("b.json", "DASH003")]


def test_a_finding_is_one_line_with_place_and_cure() -> None:
    """As editors and people read it; nobody's title steers the terminal."""
    board = copy.deepcopy(GOOD)
    board["panels"][2].update(title="Up\n\x1b[2J", description="")
    (finding,) = lint([Document("a.json", json.dumps(board))])
    told = "it has no description; say what is counted, and what to think of it"
    assert str(finding) == f'a.json: panel "Up\\n\\x1b[2J": error[DASH012]: {told}'


VALUES = (
    st.none() | st.booleans() | st.integers(-5, 40) | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["description", "datasource", "unit", "options", "links", "title", "id"]), VALUES),
    st.text('abc_total(){}[]5m$instance"=~', max_size=20),
)
def test_no_panel_makes_it_stumble(changes: dict[str, Any], expr: str) -> None:
    """Whatever stands there, there are findings or none."""
    board = copy.deepcopy(GOOD)
    board["panels"][1].update(changes)
    ask(board["panels"][2], expr)
    assert all(code in RULES for code, _ in found(board))


def test_the_repositorys_dashboards_keep_all_rules() -> None:
    """Handwritten and generated ones."""
    paths = sorted(GRAFANA.glob("*/*.json"))
    findings = lint([Document(str(path.relative_to(GRAFANA)), path.read_text(encoding="utf-8")) for path in paths])
    assert [str(each) for each in findings] == []


@pytest.mark.parametrize("path", sorted(GRAFANA.glob("*/*.json")), ids=lambda path: path.stem)
def test_grafanas_own_types_take_every_dashboard(path: Path) -> None:
    """Read into the SDK's types and written again, no panel, query or unit is lost."""
    content = json.loads(path.read_text(encoding="utf-8"))
    again = as_document(Dashboard.from_json(content))

    def told(board: dict[str, Any]) -> list[Any]:
        return [
            (
                panel["type"],
                panel["title"],
                panel["gridPos"],
                panel.get("fieldConfig", {}).get("defaults", {}).get("unit"),
                [target.get("expr") for target in panel.get("targets", ())],
            )
            for panel in board["panels"]
        ]

    assert told(again) == told(content)
