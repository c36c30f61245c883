"""Dashboards read from their files."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_backends.grafana import DashboardInvalid, GridPosition, opening_values, read_dashboard

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "dashboards/grafana").glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_all_that_a_file_asks_is_read(path: Path) -> None:
    """Every panel and every expression of the repository's dashboards arrives, in order and unchanged."""
    content = json.loads(path.read_text(encoding="utf-8"))
    dashboard = read_dashboard(path.read_bytes())
    assert [panel.title for panel in dashboard.panels] == [panel["title"] for panel in content["panels"]]
    read = [target.expr for panel in dashboard.panels for target in panel.targets]
    assert read == [target.get("expr", "") for panel in content["panels"] for target in panel.get("targets", ())]
    assert (dashboard.uid, dashboard.time_from) == (content["uid"], content["time"]["from"])


PANEL: dict[str, Any] = {
    "id": 7,
    "type": "stat",
    "title": "Budget",
    "gridPos": {"h": 4, "w": 6, "x": 12, "y": 3},
    "fieldConfig": {
        "defaults": {
            "unit": "percentunit",
            "decimals": 1,
            "noValue": "nothing yet",
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": "red", "value": None}, {"color": "green", "value": 1}],
            },
            "mappings": [
                {"type": "value", "options": {"0": {"text": "down", "color": "red"}}},
                {"type": "range", "options": {"from": 1, "to": None, "result": {"text": "up"}}},
                {"type": "special", "options": {"match": "null", "result": {"text": "gone"}}},
            ],
        },
        "overrides": [{"matcher": {"id": "byName", "options": "A"}, "properties": [{"id": "unit", "value": "s"}]}],
    },
    "targets": [{"expr": "up", "refId": "A", "instant": True, "format": "table"}, {"query": "level:error"}],
    "transformations": [{"id": "merge", "options": {}}],
}


def test_a_panel_is_read_as_it_is_drawn() -> None:
    """Units, colours, texts for values, overrides and queries."""
    (panel,) = read_dashboard(json.dumps({"title": "t", "panels": [PANEL]})).panels
    assert (panel.unit, panel.decimals, panel.no_value) == ("percentunit", 1, "nothing yet")
    assert panel.grid == GridPosition(12, 3, 6, 4)
    assert panel.thresholds is not None
    assert [(step.value, step.color) for step in panel.thresholds.steps] == [(None, "red"), (1, "green")]
    assert [(each.matched.value, each.text) for each in panel.mappings] == [("0", "down"), (None, "up"), (None, "gone")]
    assert (panel.mappings[1].matched.start, panel.mappings[2].matched.special) == (1, "null")
    assert panel.overrides[0].properties[0].value == "s"
    assert [(target.ref_id, target.is_instant, target.is_range) for target in panel.targets] == [
        ("A", True, False),
        ("B", False, True),
    ]
    assert panel.targets[1].query == "level:error"


def test_panels_of_a_collapsed_row_are_not_lost() -> None:
    """They follow their row, and know it; so do those below an open one."""
    row = {"type": "row", "title": "More", "collapsed": True, "panels": [PANEL]}
    dashboard = read_dashboard(json.dumps({"title": "t", "panels": [PANEL, row]}))
    assert [(panel.type, panel.row) for panel in dashboard.panels] == [("stat", None), ("row", None), ("stat", "More")]
    assert len(dashboard.data_panels) == 2


VARIABLES: list[dict[str, Any]] = [
    {"name": "service", "type": "constant", "query": "shop"},
    {"name": "show", "type": "custom", "query": "Bad : -, All : .+"},
    {"name": "window", "type": "custom", "query": "7d, 30d", "current": {"value": "30d"}},
    {"name": "instance", "type": "query", "query": {"query": "label_values(up, instance)"}, "includeAll": True},
    {"name": "job", "type": "query", "query": "label_values(up, job)", "includeAll": True, "allValue": ".+"},
    {"name": "zone", "type": "query", "multi": True, "current": {"value": ["a", "b"]}},
    {"name": "node", "type": "query", "query": "label_values(node)"},
]


def test_variables_have_the_values_that_they_open_with() -> None:
    """What is chosen, else all, else the first; all is its own pattern, or what the server has."""
    content = {"title": "t", "panels": [], "templating": {"list": VARIABLES}}
    dashboard = read_dashboard(json.dumps(content))
    assert opening_values(dashboard, {"instance": ["i1", "i2"]}) == {
        "service": "shop",
        "show": "-",
        "window": "30d",
        "instance": ("i1", "i2"),
        "job": ".+",
        "zone": ("a", "b"),
        "node": "",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is no JSON"),
        ("[]", "a JSON object is expected"),
        ("{}", "it has no 'title'"),
        ("[" * 100_000, "no JSON|nested too deeply"),
        (json.dumps({"title": "t", "panels": {}}), r"^panels is a mapping; it must be a list$"),
        ('{"title": "t", "panels": [{"id": 1e999}]}', r"panels\[0\].id is inf; it must be a whole number"),
        ('{"title": "t", "panels": [{"fieldConfig": {"defaults": {"max": NaN}}}]}', r"max is nan; it must be a number"),
        (json.dumps({"title": 1, "panels": []}), r"^title is 1; it must be a text$"),
        (json.dumps({"title": "t", "panels": [{"gridPos": {"w": 0, "h": 1}}]}), r"panels\[0\].gridPos.w is 0"),
        (json.dumps({"title": "t", "panels": [{"targets": [{"expr": 1}]}]}), r"panels\[0\].targets\[0\].expr is 1"),
        (json.dumps({"title": "t", "panels": [], "templating": {"list": [{}]}}), r"templating.list\[0\] has no name"),
    ],
)
def test_what_is_no_dashboard_is_told_with_its_place(text: str, said: str) -> None:
    """Each mistake names where it stands and what must stand there."""
    with pytest.raises(DashboardInvalid, match=said):
        read_dashboard(text)


WORDS = sorted({word for path in FILES for word in re.findall(r'"(\w+)":', path.read_text(encoding="utf-8"))})
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "query", "row", "value", "${a:date}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(WORDS), ANYTHING, max_size=3),
    st.lists(st.dictionaries(st.sampled_from(WORDS), ANYTHING, max_size=5), max_size=2),
)
def test_nothing_that_somebody_writes_ends_in_anything_else(more: dict[str, Any], panels: list[dict[str, Any]]) -> None:
    """A dashboard with values to open it, or what is wrong with it."""
    with suppress(DashboardInvalid):
        opening_values(read_dashboard(json.dumps({**more, "title": "t", "panels": panels})))
