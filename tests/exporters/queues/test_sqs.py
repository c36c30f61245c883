"""The exporter `sqs` on moto's server."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from sereno_exporters.queues.sqs import fetch
from sereno_exporters.queues.sqs.families import ALL
from sereno_exporters.queues.sqs.kind import KIND
from support.configured_exporters import Scrape, mistakes, scraped, scraping, write_files
from support.misbehaving import Answer, close_midway, drip, endless, garbage, hang, misbehaving, ok
from support.moto import REGION, running_moto
from support.ports import free_port

AGE_SECONDS = 77.0
FILES = {"id": "test-key", "secret": "test-secret"}


def target(url: str, *lines: str, reuse: str = "0s") -> str:
    """A target of the configuration."""
    keys = ("access_key_id_file: id", "secret_access_key_file: secret", f"reuse: {reuse}")
    written = (f"region: {REGION}", f"endpoint_url: '{url}'", *keys, *lines)
    return "      one:\n" + "".join(f"        {line}\n" for line in written)


def client(service: str, url: str) -> Any:
    """A client of the test's own."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the configuration and the secrets are."""
    made = tmp_path_factory.mktemp("sqs")
    write_files(made, FILES)
    return made


@pytest.fixture(scope="module")
def shop(moto: str) -> str:
    """Queues with something in each state; the endpoint's address."""
    sqs = client("sqs", moto)
    dead = sqs.create_queue(QueueName="shop-orders-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    orders = sqs.create_queue(QueueName="shop-orders", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    fifo = sqs.create_queue(QueueName="payments.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number in range(5):
        sqs.send_message(QueueUrl=orders, MessageBody=str(number))
    sqs.send_message(QueueUrl=orders, MessageBody="late", DelaySeconds=800)
    assert len(sqs.receive_message(QueueUrl=orders, MaxNumberOfMessages=2)["Messages"]) == 2
    sqs.send_message(QueueUrl=fifo, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d")
    sqs.send_message(QueueUrl=dead, MessageBody="refused")
    _put_ages(moto, {3: 12.0, 2: AGE_SECONDS})
    return moto


def _put_ages(url: str, by_minutes_ago: dict[int, float]) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [
        {
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": "shop-orders"}],
            "Timestamp": now - timedelta(minutes=minutes),
            "Value": age_seconds,
            "Unit": "Seconds",
        }
        for minutes, age_seconds in by_minutes_ago.items()
    ]
    client("cloudwatch", url).put_metric_data(Namespace="AWS/SQS", MetricData=data)


@pytest.fixture(scope="module")
def found(shop: str, folder: Path) -> Scrape:
    """One scrape of all."""
    return scraped(KIND, target(shop, "queues: [payments.fifo]", "prefixes: [shop-orders]"), folder)


def test_messages_by_state(found: Scrape) -> None:
    """Visible, in flight, delayed: of queues by name and by prefix, FIFO or not."""
    assert found.failed == {}
    by_state = {what: found.series(f"sereno_sqs_queue_{what}_messages") for what in ("visible", "in_flight", "delayed")}
    assert by_state == {
        "visible": {("payments.fifo",): 1, ("shop-orders",): 3, ("shop-orders-dead",): 1},
        "in_flight": {("payments.fifo",): 0, ("shop-orders",): 2, ("shop-orders-dead",): 0},
        "delayed": {("payments.fifo",): 0, ("shop-orders",): 1, ("shop-orders-dead",): 0},
    }


def test_the_age_of_the_oldest_is_the_newest_datapoint(found: Scrape) -> None:
    """With its own age; a queue of which CloudWatch has nothing has no series."""
    assert found.series("sereno_sqs_queue_oldest_age_seconds") == {("shop-orders",): AGE_SECONDS}
    assert 60 <= found.value("sereno_sqs_queue_oldest_age_datapoint_age_seconds") < 300


def test_dead_letters_are_found_by_the_policy(found: Scrape, shop: str, folder: Path) -> None:
    """Whether their queue is watched or not."""
    assert found.series("sereno_sqs_dead_letter_messages") == {("shop-orders-dead",): 1}
    alone = scraped(KIND, target(shop, "queues: [shop-orders]"), folder)
    assert alone.series("sereno_sqs_dead_letter_messages") == {("shop-orders-dead",): 1}
    assert set(alone.series("sereno_sqs_queue_visible_messages")) == {("shop-orders",)}


def test_every_family_is_served_and_listed(found: Scrape) -> None:
    """The kind lists what a scrape serves, with these labels."""
    served = {metric.name: metric for metric in found.exposition.metrics if metric.samples}
    listed = {family.name.removesuffix("_total"): family for family in ALL}
    own = {"up", "part_up", "scrape_duration_seconds", "series", "series_left_out"}
    assert set(served) == set(listed) | {f"sereno_sqs_{name}" for name in own}
    for name, family in listed.items():
        assert tuple(key for key in served[name].samples[0].labels if key != "target") == family.labels


def test_calls_are_counted_and_spared(shop: str, folder: Path) -> None:
    """Two calls a queue, one for all ages; a scrape within the time of reuse makes none."""
    with scraping(KIND, target(shop, "queues: [shop-orders, payments.fifo]", reuse="1m"), folder) as scrapers:
        first, again = Scrape(scrapers.scrape()), Scrape(scrapers.scrape())
    expected = {("GetQueueUrl",): 3, ("GetQueueAttributes",): 3, ("GetMetricData",): 1}
    assert first.series("sereno_sqs_api_calls_total") == again.series("sereno_sqs_api_calls_total") == expected


def test_all_queues_are_listed_however_many_pages(shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ListQueues gives pages; more queues than allowed are an error."""
    sqs = client("sqs", shop)
    for number in range(7):
        sqs.create_queue(QueueName=f"many-{number}")
    monkeypatch.setattr(fetch, "PAGE_SIZE", 3)
    found = scraped(KIND, target(shop, "prefixes: [many-]", "oldest_age: false"), folder)
    assert len(found.series("sereno_sqs_queue_visible_messages")) == 7
    found = scraped(KIND, target(shop, "prefixes: [many-]", "most: 5", "oldest_age: false"), folder)
    assert found.failure("queues") == (
        "too_large",
        "the target has more than 5 queues: write narrower prefixes, or raise most",
    )


def test_ages_are_asked_for_in_batches(shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GetMetricData takes 500 metrics; more are asked in turn, and each age stays with its queue."""
    monkeypatch.setattr(fetch, "METRICS_AT_ONCE", 1)
    found = scraped(KIND, target(shop, "queues: [payments.fifo, shop-orders]"), folder)
    assert found.series("sereno_sqs_queue_oldest_age_seconds") == {("shop-orders",): AGE_SECONDS}
    assert found.series("sereno_sqs_api_calls_total")[("GetMetricData",)] == 2


def test_a_queue_that_is_not_there_is_told(shop: str, folder: Path) -> None:
    """By name; ages are another part."""
    found = scraped(KIND, target(shop, "queues: [shop-orders, nowhere]"), folder)
    assert found.failure("queues") == (
        "configuration",
        "GetQueueUrl nowhere: there is no such queue in this account and region",
    )
    assert found.series("sereno_sqs_queue_visible_messages") == {}
    assert found.series("sereno_sqs_queue_oldest_age_seconds") == {("shop-orders",): AGE_SECONDS}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(hang, "timeout", id="hangs"),
        pytest.param(drip, "timeout", id="drips"),
        pytest.param(garbage, "unreachable", id="is no HTTP"),
        pytest.param(close_midway, "unreachable", id="closes midway"),
        pytest.param(endless, "too_large", id="sends a gigabyte"),
        pytest.param(ok(b"<html>"), "garbage", id="answers no JSON"),
        pytest.param(ok(status="503 Slow Down"), "error", id="503"),
        pytest.param(
            ok(b'{"__type": "com.amazonaws.sqs#AccessDeniedException"}', "403 Forbidden"), "refused", id="403"
        ),
        pytest.param(
            ok(b'{"__type": "com.amazonaws.sqs#InvalidSignatureException"}', "403 Forbidden"), "refused", id="clock"
        ),
    ],
)
def test_whatever_the_server_does_it_fails_in_time(folder: Path, answer: Answer, reason: str) -> None:
    """Reason, no family of its own, within the timeout, without the secret."""
    with misbehaving(answer, end=b"") as server:
        begun = time.monotonic()
        granted_seconds = 1 if reason == "timeout" else 10  # a gigabyte's first part takes a while on a busy machine
        found = scraped(KIND, target(server.url, "queues: [orders]"), folder, timeout=f"{granted_seconds}s")
        took_seconds = time.monotonic() - begun
    assert found.failure("queues")[0] == reason
    assert found.value("sereno_sqs_up") == 0
    assert "test-secret" not in str(found.failed)
    assert took_seconds < granted_seconds + 2


def test_a_server_that_is_killed_is_down_and_comes_back(tmp_path: Path) -> None:
    """`up 0` with no series of it; started again, it is up."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    write_files(tmp_path, FILES)
    with scraping(KIND, target(url, "queues: [orders]", "oldest_age: false"), tmp_path) as scrapers:
        with running_moto(tmp_path, port) as server:
            client("sqs", url).create_queue(QueueName="orders")
            assert Scrape(scrapers.scrape()).value("sereno_sqs_up") == 1
            server.kill()
            server.wait(10)
            found = Scrape(scrapers.scrape())
            assert (found.value("sereno_sqs_up"), found.failure("queues")[0]) == (0, "unreachable")
            assert found.series("sereno_sqs_queue_visible_messages") == {}
        with running_moto(tmp_path, port):
            client("sqs", url).create_queue(QueueName="orders")
            assert Scrape(scrapers.scrape()).value("sereno_sqs_up") == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{region: europe, queues: [a]}", "eu-west-1"),
        ("{region: eu-west-1}", "queues: [orders]"),
        ("{region: eu-west-1, queues: ['https://sqs/1/a']}", "not its URL"),
        ("{region: eu-west-1, queues: [a, a]}", "SLO015"),
        ("{region: eu-west-1, prefixes: ['a*']}", "shop-"),
        ("{region: eu-west-1, queues: [a], access_key_id_file: x}", "write both or none"),
        ("{region: eu-west-1, queues: [a], reuse: 2h}", "1h at most"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(line: str, expected: str) -> None:
    """Each mistake is one line of the file, with its code and what to write."""
    (found,) = mistakes(KIND, f"      one: {line}\n")
    assert found.startswith("exporters.yaml:6:")
    assert expected in found
