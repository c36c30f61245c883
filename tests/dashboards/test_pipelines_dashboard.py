"""The dashboard of pipelines: data in every panel on a real Prometheus, from a real Job and a real ledger."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from sereno_backends.grafana import read_dashboard
from sereno_backends.prometheus import PrometheusClient
from sereno_exporters.sql.families import ALL
from sereno_slo.dashboards_check import NO_REASONS, Servers, look
from sereno_telemetry import Job
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.sql_exporter import scraped

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = read_dashboard((ROOT / "dashboards/grafana/handwritten/pipelines.json").read_bytes())
MINUTES = 20
NOW = float(int(time.time()) - 60)
LEDGER = """\
      shop:
        dialect: sqlite
        file: shop.sqlite
        etl:
          - {table: runs, pipeline: pipeline, stage: stage, rows_in: rows_in, rows_out: rows_out,
             rows_rejected: rejected, finished_at: ended}
"""


def of_jobs() -> list[Metric]:
    """What a process exposes after a run that ended well and one that failed."""
    registry = CollectorRegistry()
    job = Job("import", registry=registry)
    with job.running() as run:
        run.rows("parse", read=100, written=98, rejected=2)
    with pytest.raises(OSError, match="gone"), job.running():
        raise OSError("gone")
    return list(text_string_to_metric_families(generate_latest(registry).decode()))


def of_the_ledger(folder: Path) -> list[Metric]:
    """What the exporter reads from a table of runs."""
    with closing(sqlite3.connect(folder / "shop.sqlite", isolation_level=None)) as database:
        database.executescript(
            "CREATE TABLE runs (pipeline TEXT, stage TEXT, rows_in INT, rows_out INT, rejected INT, ended TEXT);"
            "INSERT INTO runs VALUES ('orders', 'load', 10, 9, 1, datetime('now', '-50 seconds'));"
        )
    found = scraped(LEDGER, folder)
    assert found.failed == {}
    return list(found.exposition.metrics)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped both once a minute, while all counters grew."""
    metrics = [*of_jobs(), *of_the_ledger(tmp_path_factory.mktemp("ledger"))]
    history = [
        HistorySample(
            sample.name,
            {**sample.labels, "job": "etl", "instance": "e1"},
            NOW - 60 * (MINUTES - minute),
            sample.value * (minute + 1 if sample.name.endswith(("_total", "_bucket", "_count", "_sum")) else 1),
        )
        for metric in metrics
        for sample in metric.samples
        for minute in range(MINUTES + 1)
    ]
    # A run a minute that takes 10 to 60 s, and a job that rests.
    history += [
        HistorySample(
            "job_duration_seconds_bucket",
            {"job": "etl", "instance": "e1", "job_name": name, "outcome": "ok", "le": bound},
            NOW - 60 * (MINUTES - minute),
            1 + runs * minute,
        )
        for name, bound, runs in (
            *(("slow", "10", 0), ("slow", "60", 1), ("slow", "+Inf", 1)),
            *(("resting", "10", 0), ("resting", "60", 0), ("resting", "+Inf", 0)),
        )
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


def test_no_panel_is_empty(prometheus: RunningProcess) -> None:
    """Every query answers with numbers from what a Job and the exporter really expose, and none needs a reason."""
    with PrometheusClient(prometheus.url) as client:
        servers = Servers(client, None, datetime.fromtimestamp(NOW, UTC))
        (looked,) = look(servers, [("pipelines.json", DASHBOARD)], NO_REASONS, chosen={})
    assert looked.asked == sum(len(panel.targets) for panel in DASHBOARD.panels) > 0
    assert [str(each) for each in looked.empty] == []


def test_durations_are_estimated_within_the_bucket_they_fall_into(prometheus: RunningProcess) -> None:
    """All runs took 10 to 60 s: of a hundred, 95 stayed below 57.5 s, and what didn't run has no line."""
    (panel,) = [panel for panel in DASHBOARD.panels if panel.title.startswith("Duration, 95")]
    expr = re.sub(r"\$(job|instance|environment|name)\b", ".*", panel.targets[0].expr.replace("$__rate_interval", "5m"))
    with PrometheusClient(prometheus.url) as client:
        samples = client.instant(expr, datetime.fromtimestamp(NOW, UTC))
    found = {sample.labels["job_name"]: sample.value for sample in samples}
    assert found["slow"] == pytest.approx(57.5)
    assert "resting" not in found


def test_every_metric_of_jobs_and_ledgers_is_on_the_dashboard() -> None:
    """What they tell of, somebody sees."""
    shown = " ".join(target.expr for panel in DASHBOARD.panels for target in panel.targets)
    jobs = {
        metric.name for metric in of_jobs() if metric.name.startswith("job_") and not metric.name.endswith("_created")
    }
    ledger = {family.name for family in ALL if family.name.startswith("sereno_sql_etl_")}
    assert [name for name in sorted(jobs | ledger) if not re.search(rf"\b{name}(_total|_bucket)?\b", shown)] == []
