"""The exporter `sqs` before queues that go, and an AWS that throttles, cuts its answers or has not all of them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3  # type: ignore[import-untyped]
import orjson
import pytest
from sereno_exporters.queues.sqs import fetch
from sereno_exporters.queues.sqs.kind import KIND
from support.aws_exporter import counting_proxy
from support.configured_exporters import Scrape, scraped, write_files
from support.moto import REGION
from support.proxy import Asked, Proxy, Refusal
from support.timing import timed

VISIBLE, AGE = "sereno_sqs_queue_visible_messages", "sereno_sqs_queue_oldest_age_seconds"
THROTTLED = Refusal(400, b'{"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slow down"}', None)


@pytest.fixture
def name(moto: str) -> str:
    """A queue of the test's own."""
    name = f"trouble-{uuid4().hex[:8]}"
    client(moto).create_queue(QueueName=name)
    return name


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    """A proxy before moto."""
    with counting_proxy(moto) as found:
        yield found


def client(url: str) -> Any:
    """A client of the test's own."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.client("sqs", endpoint_url=url, region_name=REGION, **keys)


def found_at(url: str, folder: Path, *lines: str, timeout: str = "8s") -> Scrape:
    """One scrape of a target with these lines."""
    write_files(folder, {"id": "test-key", "secret": "test-secret"})
    written = (
        f"region: {REGION}",
        f"endpoint_url: '{url}'",
        "access_key_id_file: id",
        "secret_access_key_file: secret",
    )
    target = "      one:\n" + "".join(f"        {line}\n" for line in (*written, "reuse: 0s", *lines))
    return scraped(KIND, target, folder, timeout=timeout)


def test_a_queue_that_is_listed_and_gone_fails_nothing(
    moto: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS lists a deleted queue for up to a minute: the others are told; one that is named is still a mistake."""
    listed = fetch._listed  # moto forgets a queue at once

    def with_a_ghost(*arguments: Any) -> Iterator[str]:
        yield from listed(*arguments)
        yield f"{moto}/123456789012/{name}-ghost"

    monkeypatch.setattr(fetch, "_listed", with_a_ghost)
    found = found_at(moto, tmp_path, f"prefixes: [{name}]")
    assert found.failed == {}
    assert found.series(VISIBLE) == {(name,): 0}
    found = found_at(moto, tmp_path, f"queues: [{name}-ghost]")
    assert found.failure("queues")[0] == "configuration"


def test_a_dead_letter_queue_that_is_gone_fails_nothing(moto: str, name: str, tmp_path: Path) -> None:
    """Its name stays in the policies of others."""
    sqs = client(moto)
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    sqs.delete_queue(QueueUrl=dead)
    found = found_at(moto, tmp_path, f"queues: [{name}]", "oldest_age: false")
    assert found.failed == {}
    assert found.series(VISIBLE) == {(name,): 0}
    assert found.series("sereno_sqs_dead_letter_messages") == {}


def test_a_throttled_call_is_made_again_by_itself(proxy: Proxy, name: str, tmp_path: Path) -> None:
    """After a pause, and without asking anew for what was answered already; each try is counted."""
    refused = [THROTTLED, THROTTLED]
    proxy.refuse = lambda asked: refused.pop() if refused and b"AttributeNames" in asked.body else None
    found = found_at(proxy.url, tmp_path, f"queues: [{name}]", "oldest_age: false")
    assert found.failed == {}
    assert found.series(VISIBLE) == {(name,): 0}
    expected = {("GetQueueUrl",): 1, ("GetQueueAttributes",): 3}
    assert found.series("sereno_sqs_api_calls_total") == expected


@timed
def test_throttling_without_end_is_told_within_the_time(proxy: Proxy, name: str, tmp_path: Path) -> None:
    """With its cure, and in less calls than the time would hold."""
    proxy.refuse = lambda _: THROTTLED
    begun = time.monotonic()
    found = found_at(proxy.url, tmp_path, f"queues: [{name}]", "oldest_age: false", timeout="2s")
    assert found.failure("queues") == (
        "timeout",
        f"GetQueueUrl {name}: AWS throttles (RequestThrottled): a longer reuse asks less often",
    )
    assert time.monotonic() - begun < 3
    assert 2 <= len(proxy.asked) < 8


def ages(status: str, by_minutes_ago: dict[int, float], **more: str) -> Refusal:
    """A page of CloudWatch's about one queue."""
    now = int(time.time()) // 60 * 60
    moments = [now - 60 * minutes for minutes in by_minutes_ago]
    result = {"Id": "q0", "StatusCode": status, "Timestamps": moments, "Values": list(by_minutes_ago.values())}
    return Refusal(200, orjson.dumps({"MetricDataResults": [result], **more}), None)


def test_further_pages_of_ages_are_read(proxy: Proxy, name: str, tmp_path: Path) -> None:
    """CloudWatch cuts an answer as it likes: the newest datapoint holds, on whichever page it is."""

    def page(asked: Asked) -> Refusal | None:
        if b"MetricDataQueries" not in asked.body:
            return None
        if b"NextToken" in asked.body:
            return ages("Complete", {2: 70.0, 4: 1.0})
        return ages("PartialData", {3: 12.0}, NextToken="more")

    proxy.refuse = page
    found = found_at(proxy.url, tmp_path, f"queues: [{name}]")
    assert found.failed == {}
    assert found.series(AGE) == {(name,): 70}


@pytest.mark.parametrize("status", ["PartialData", "InternalError"])
def test_ages_that_are_not_all_there_are_a_failure(proxy: Proxy, name: str, tmp_path: Path, status: str) -> None:
    """A queue whose age is missing for a moment is not one that nobody uses."""
    proxy.refuse = lambda asked: ages(status, {}) if b"MetricDataQueries" in asked.body else None
    found = found_at(proxy.url, tmp_path, f"queues: [{name}]")
    assert found.failure("oldest_age") == (
        "error",
        f"GetMetricData: CloudWatch answers the age of {name} with {status} (tried twice)",
    )
    assert found.series(VISIBLE) == {(name,): 0}
