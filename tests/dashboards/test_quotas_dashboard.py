"""The handwritten dashboard of quotas: data in every panel on a real Prometheus that evaluates the real rules."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from support import grafana
from support.exporting import samples
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.quotas import scraped

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/quotas.json"
RULES = ROOT / "alerting/rules/handwritten/quotas.rules.yaml"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
DAY = 86_400
NOW = float(int(time.time()) // DAY * DAY)
"""Midnight: where days are counted."""
DAYS = 9


def history(folder: Path) -> list[HistorySample]:
    """Nine days, hour by hour, of what a real exporter tells of a quota that doesn't last and of a level that grows."""
    (folder / "used.txt").write_text("1")
    usage = "usage: {file: {path: used.txt}}"
    exposition = scraped(
        folder,
        f"{{name: commands, unit: commands, limit: 200, restarts: {{month_day: 1}}, {usage}}}",
        f"{{name: storage, unit: bytes, limit: 1KB, {usage}}}",
    )
    return [
        HistorySample(name, {**dict(labels), "job": "e", "instance": "e1"}, NOW - 3600 * (24 * DAYS - hour), value)
        for (name, labels), told in samples(exposition).items()
        for hour in range(24 * DAYS + 1)
        for value in (told * (1 + 4 * hour if "_used" in name else 1),)
    ]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporter."""
    with running_prometheus(
        tmp_path_factory.mktemp("prometheus"), history=history(tmp_path_factory.mktemp("exporter"))
    ) as server:
        yield server


def with_rules(expr: str) -> str:
    """The query with what the recorded series are made of in their place: history has no recorded ones."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    records = {rule["record"]: rule["expr"] for rule in group["rules"] if "record" in rule}
    for name, made_of in reversed(records.items()):  # later ones are made of earlier ones
        for selector in ('{target=~".*"}', ""):
            expr = expr.replace(name + selector, f"({made_of})") if name + selector in expr else expr
    return expr


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD, __range="20m")), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers."""
    parameters = {"query": with_rules(query.expr), "time": str(NOW)}
    answer = httpx.post(f"{prometheus.url}/api/v1/query", data=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values, parameters["query"]
    assert all(abs(value) < float("inf") for value in values)


def test_every_panel_says_what_it_shows() -> None:
    """Title, description and unit on each panel; no overlap; queries with the data source that is chosen."""
    taken: set[tuple[int, int]] = set()
    for panel in grafana.panels(DASHBOARD):
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_uid_title_and_panels_are_its_own() -> None:
    """No other dashboard has its uid or title: a duplicate stops Grafana's provisioning."""
    others = [json.loads(path.read_text()) for path in (ROOT / "dashboards/grafana").glob("*/*.json") if path != PATH]
    assert DASHBOARD["uid"] not in {one["uid"] for one in others}
    assert DASHBOARD["title"] not in {one["title"] for one in others}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
