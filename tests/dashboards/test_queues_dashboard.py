"""The handwritten dashboard of queues: data in every panel on a real Prometheus, from real servers."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import httpx
import pytest
import redis
from sereno_exporters.kinds import load
from support import grafana, rabbitmq
from support.configured_exporters import Scrape, scraped, write_files
from support.moto import REGION, moto
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.queue_shop import Shop, rabbitmq_shop
from support.rabbitmq_management import managed_rabbitmq
from support.redis import redis_port

__all__ = ["managed_rabbitmq", "moto", "rabbitmq_shop", "redis_port"]
pytestmark = rabbitmq.marked

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "dashboards/grafana/handwritten/queues.json"
DASHBOARD = grafana.read(PATH.read_text(encoding="utf-8"))
KINDS = {kind.name: kind for kind in load(["rabbitmq", "redis_queues", "sqs"])}
MINUTES = 20
NOW = float(int(time.time()) - 60)


def redis_scrape(port: int, folder: Path) -> Scrape:
    """A list and a stream with a group that holds an entry."""
    with redis.Redis(port=port, db=9, protocol=2) as client:
        client.lpush("dashboard-mails", json.dumps({"at": time.time()}))
        client.xadd("dashboard-events", {"a": "b"})
        client.xgroup_create("dashboard-events", "mails", id="0")
        client.xreadgroup("mails", "one", {"dashboard-events": ">"})
    lists, streams = "[{key: dashboard-mails, time: {field: at}}]", "[{key: dashboard-events}]"
    text = f"      one: {{port: {port}, database: 9, lists: {lists}, streams: {streams}}}\n"
    return scraped(KINDS["redis_queues"], text, folder)


def sqs_scrape(url: str, folder: Path) -> Scrape:
    """A queue with a dead-letter queue, and an age."""
    write_files(folder, {"id": "a", "secret": "b"})
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    sqs = boto3.client("sqs", endpoint_url=url, region_name=REGION, **keys)
    dead = sqs.create_queue(QueueName="dashboard-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    sqs.create_queue(QueueName="dashboard", Attributes={"RedrivePolicy": policy})
    boto3.client("cloudwatch", endpoint_url=url, region_name=REGION, **keys).put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": "dashboard"}],
                "Timestamp": time.time() - 120,
                "Value": 5.0,
            }
        ],
    )
    where = f"region: {REGION}, endpoint_url: '{url}', access_key_id_file: id, secret_access_key_file: secret"
    return scraped(KINDS["sqs"], f"      one: {{{where}, queues: [dashboard]}}\n", folder)


@pytest.fixture(scope="module")
def prometheus(
    rabbitmq_shop: Shop, redis_port: int, moto: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProcess]:
    """A Prometheus that has scraped the exporters once a minute, while all counters grew."""
    folder = tmp_path_factory.mktemp("exporter")
    scrapes = [
        scraped(KINDS["rabbitmq"], rabbitmq_shop.target(), rabbitmq_shop.folder),
        redis_scrape(redis_port, folder),
        sqs_scrape(moto, folder),
    ]
    assert [scrape.failed for scrape in scrapes] == [{}, {}, {}]
    history = [
        HistorySample(
            sample.name,
            {**sample.labels, "job": "sereno-exporter", "instance": "e1"},
            NOW - 60 * (MINUTES - minute),
            sample.value * (minute + 1 if sample.name.endswith("_total") else 1),
        )
        for scrape in scrapes
        for metric in scrape.exposition.metrics
        for sample in metric.samples
        for minute in range(MINUTES + 1)
    ]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), history=history) as server:
        yield server


@pytest.mark.parametrize(
    "query", list(grafana.queries(DASHBOARD)), ids=lambda query: f"{query.panel} {query.expr[:40]}"
)
def test_no_panel_is_empty(prometheus: RunningProcess, query: grafana.PanelQuery) -> None:
    """Every query is accepted and answers with numbers from what real exporters expose."""
    parameters = {"query": query.expr.replace("1m15s", "5m"), "time": str(NOW)}
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10, trust_env=False).json()
    assert answer["status"] == "success", answer
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    assert values, query.expr
    assert all(abs(value) < float("inf") for value in values)


def test_every_family_is_on_the_dashboard() -> None:
    """What the exporters tell of, somebody sees."""
    shown = " ".join(query.expr for query in grafana.queries(DASHBOARD))
    families = [family.name for kind in KINDS.values() for family in kind.families]
    assert [name for name in families if not re.search(rf"\b{name}\b", shown)] == []
