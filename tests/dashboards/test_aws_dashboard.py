"""The handwritten dashboard of AWS: data in every panel on a real Prometheus, from what the exporter reads of moto."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sereno_exporters.frame.deadline import Deadline
from support import grafana
from support.aws_exporter import Account
from support.moto import moto
from support.prometheus import HistorySample, RunningProcess, running_prometheus

__all__ = ["moto"]

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/aws.json"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
MINUTES = 20
NOW = float(int(time.time()) - 60)
RESOURCES = {
    "lambda_functions": {"names": ["worker"], "insights": True},
    "sns_topics": {"names": ["orders"]},
    "aurora_instances": {"names": ["shop-1"], "connections_limits": {"shop-1": 1_000}},
}
METRICS = (
    (
        "AWS/Lambda",
        "FunctionName",
        "worker",
        ("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"),
    ),
    ("AWS/Lambda", "FunctionName", "worker", ("ProvisionedConcurrencySpilloverInvocations",)),
    ("LambdaInsights", "function_name", "worker", ("init_duration",)),
    ("AWS/SNS", "TopicName", "orders", ("NumberOfMessagesPublished", "NumberOfNotificationsDelivered")),
    ("AWS/SNS", "TopicName", "orders", ("NumberOfNotificationsFailed",)),
    ("AWS/RDS", "DBInstanceIdentifier", "shop-1", ("CPUUtilization", "DatabaseConnections", "FreeableMemory")),
    ("AWS/RDS", "DBInstanceIdentifier", "shop-1", ("AuroraReplicaLag", "Deadlocks", "CommitLatency", "SelectLatency")),
)


@pytest.fixture(scope="module")
def prometheus(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporter once a minute, while all counters grew."""
    account = Account(moto, tmp_path_factory.mktemp("exporter"), NOW - 600, RESOURCES)
    source = account.source(state_file=Path("simulated.sqlite"))
    for part in source.parts:
        part.fetch(Deadline.after(10))
    for namespace, dimension, resource, metrics in METRICS:
        points = [(metric, moment, 12.0) for metric in metrics for moment in (NOW - 600, NOW - 120)]
        account.put(dimension, resource, *points, namespace=namespace)
    account.now = NOW
    fetched = [
        (sample.name, {"target": "one", **sample.labels}, sample.value)
        for part in source.parts
        for metric in part.families(part.fetch(Deadline.after(10)))
        for sample in metric.samples
    ]
    source.close()
    with account.scraping() as exporter:
        samples, failures = exporter.scrape()
    assert failures == {}
    own = [(name, dict(labels), value) for (name, labels), value in samples.items()]
    found = [*fetched, *(each for each in own if each[0] in {"sereno_aws_up", "sereno_aws_part_up"})]
    history = [
        HistorySample(
            name,
            {**labels, "job": "sereno-exporter", "instance": "e1"},
            NOW - 60 * (MINUTES - minute),
            value * (minute + 1 if name.endswith("_total") else 1),
        )
        for name, labels, value in found
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


@pytest.mark.parametrize("query", list(grafana.queries(DASHBOARD, __range="20m")), ids=lambda query: query.panel)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what the real exporter exposes."""
    parameters = {"query": query.expr.replace("1m15s", "5m"), "time": str(NOW)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)
