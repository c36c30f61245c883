"""The handwritten dashboard of logs: data in every panel on a real Prometheus, and what Grafana needs."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from support import grafana
from support.collecting import Bench, ecs_line
from support.prometheus import HistorySample, RunningProcess, running_prometheus

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/logs.json"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
MINUTES = 20
NOW = float(int(time.time()) - 60)
TARGET = {"job": "sereno-collector", "instance": "l1"}


def collected(folder: Path) -> list[HistorySample]:
    """Every sample that a real collector exposes, after errors of two kinds, once a minute and growing."""
    with closing(Bench(folder)) as bench:
        bench.start()
        bench.append(*(ecs_line(f"user {number} unknown", **{"log.level": "error"}) for number in range(5)))
        bench.append(ecs_line("disk full", **{"log.level": "critical"}), "no JSON", ecs_line("fine"))
        bench.drain()
        exposed = [sample for family in bench.registry.collect() for sample in family.samples]
    return [
        HistorySample(
            sample.name,
            {**sample.labels, **TARGET},
            NOW - 60 * (MINUTES - minute),
            sample.value * (minute + 1 if sample.name.endswith("_total") else 1),
        )
        for sample in exposed
        for minute in range(MINUTES + 1)
    ]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped a collector."""
    history = collected(tmp_path_factory.mktemp("collector"))
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD, __range="20m")), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what a real collector exposes."""
    parameters = {"query": query.expr.replace("1m15s", "5m"), "time": str(NOW)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)


def test_the_table_of_kinds_counts_right(prometheus: RunningProcess) -> None:
    """A kind is shown with its template and how often it came within the time shown."""
    (query,) = [one for one in grafana.queries(DASHBOARD, __range="20m") if one.panel == "Kinds of errors"]
    parameters = {"query": query.expr, "time": str(NOW)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    found = {one["metric"]["template"]: float(one["value"][1]) for one in answer["data"]["result"]}
    assert found == pytest.approx({"user <num> unknown": 100, "disk full": 20}, rel=0.1)


def test_links_to_kibana_have_the_window_and_the_service() -> None:
    """Each link is an address without signs that end one, with the window shown. Kibana itself can't run here."""
    links = re.findall(r'"url": "(\$\{kibana\}[^"]*)"', PATH.read_text(encoding="utf-8"))
    assert len(links) == 4
    for link in links:
        assert "time:(from:'${__from:date:iso}',to:'${__to:date:iso}')" in link
        bare = re.sub(r"\$\{[\w.:]+\}", "", link)
        assert not re.search(r"[\s\"<>{}|\\^`]", bare)
    assert sum("${__field.labels.service}" in link or "${__value.text}" in link for link in links) == 3
