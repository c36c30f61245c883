"""The handwritten dashboard of quotas: data in every panel on a real Prometheus, with the recording rules evaluated."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from sereno_exporters.quotas.families import ALL
from sereno_exporters.quotas.kind import KIND
from support import grafana
from support.configured_exporters import scraped, write_files
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/quotas.json"
RULES = ROOT / "alerting/rules/handwritten/quotas.rules.yaml"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
MINUTES = 20
PLAN = """      plan:
        quotas:
          - {name: commands, unit: commands, limit: 10, period: {day: 1}, read: {file: {file: used}}}
          - {name: projects, limit: 10, read: {file: {file: used}}}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporter once a minute, up to now, and evaluates the rules."""
    folder, now = tmp_path_factory.mktemp("exporter"), float(int(time.time()))
    write_files(folder, {"used": "7"})
    found = scraped(KIND, PLAN, folder)
    assert found.failed == {}
    history = [
        HistorySample(
            sample.name, {**sample.labels, "job": "e", "instance": "e1"}, now - 60 * minute, float(sample.value)
        )
        for metric in found.exposition.metrics
        for sample in metric.samples
        for minute in range(MINUTES, -1, -1)
    ]
    config = yaml.safe_dump({"global": {"evaluation_interval": "1s"}, "rule_files": [str(RULES)]})
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history, config=config) as server:
        wait_for(lambda: asked(server, "sereno:quota_at_period_end:least_ratio"), what="the rules are evaluated")
        yield server


def asked(server: RunningProcess, query: str) -> list[float]:
    """The values of a query, now."""
    url = f"{server.url}/api/v1/query"
    answer = httpx.get(url, params={"query": query}, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    return [float(series["value"][1]) for series in answer["data"]["result"]]


@pytest.mark.parametrize(
    "query", list(grafana.queries(DASHBOARD)), ids=lambda query: f"{query.panel} {query.expr[:40]}"
)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers."""
    values = asked(prometheus, query.expr.replace("1m15s", "5m"))
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)


def test_the_rule_agrees_with_the_exporter(prometheus: RunningProcess) -> None:
    """What is used at the end by the line from the start is over 1 exactly if it runs out before the end."""
    (at_end,) = asked(prometheus, "sereno:quota_at_period_end:ratio")
    (before_end,) = asked(
        prometheus, "sereno_quotas_period_end_timestamp_seconds > bool sereno_quotas_runs_out_timestamp_seconds"
    )
    assert (at_end > 1) == bool(before_end)


def test_every_family_is_on_the_dashboard() -> None:
    """What the exporter tells of, somebody sees."""
    shown = " ".join(query.expr for query in grafana.queries(DASHBOARD))
    assert [family.name for family in ALL if not re.search(rf"\b{family.name}\b", shown)] == []
