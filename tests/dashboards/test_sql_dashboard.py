"""The handwritten dashboard of databases: data in every panel on a real Prometheus, from a real PostgreSQL."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from support import grafana
from support.postgresql import PostgresqlServer, marked, postgresql
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.sql_exporter import Scrape, scraped, write_secrets
from support.sql_shop import DATABASE, READER, READERS_PASSWORD, READY_MADE, WITH_OWN, shop_server, target
from support.waiting import wait_for

__all__ = ["postgresql", "shop_server"]
pytestmark = marked

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/sql.json"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
MINUTES = 20
NOW = float(int(time.time()) - 60)


@pytest.fixture(scope="module")
def prometheus(shop_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporter once a minute, while all counters grew."""
    folder = tmp_path_factory.mktemp("exporter")
    write_secrets(folder, {"user": READER, "password": READERS_PASSWORD})
    with psycopg.connect(shop_server.url(DATABASE), autocommit=True) as client:
        client.execute("SELECT count(*) FROM orders")
        client.execute("SELECT pg_stat_force_next_flush()")
        found = wait_for(lambda: _complete(scraped(target(shop_server, READY_MADE + WITH_OWN), folder)), what="scans")
    history = [
        HistorySample(
            sample.name,
            {**sample.labels, "job": "sereno-exporter", "instance": "e1"},
            NOW - 60 * (MINUTES - minute),
            sample.value * (minute + 1 if sample.name.endswith("_total") else 1),
        )
        for metric in found.exposition.metrics
        for sample in metric.samples
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


def _complete(found: Scrape) -> Scrape | None:
    assert found.failed == {}
    return found if found.series("sereno_sql_table_sequential_rows_total") else None


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD, __range="20m")), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what a real exporter exposes."""
    parameters = {"query": query.expr.replace("1m15s", "5m"), "time": str(NOW)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)
