"""What Lambda would tell of the subscriber: it is told of what the subscriber did, and Sereno's exporter reads it."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.session import Session  # type: ignore[import-untyped]
from support.waiting import wait_for
from transactions_api.aws import Aws
from transactions_api.lambda_metrics import Invocations, InvokedStore, Reporting
from transactions_api.model import Transaction
from transactions_api.store import StoreUnavailable

pytestmark = [pytest.mark.usefixtures("aws_environment")]


class Recording:
    """A store that fails when it is told to, and knows how often it was connected anew."""

    def __init__(self) -> None:
        self.fails = False
        self.reconnected = 0

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Nothing is kept."""
        assert transactions == []
        if self.fails:
            raise StoreUnavailable("gone")

    def reconnect(self) -> None:
        """Count it."""
        self.reconnected += 1


def invoked(store: Recording, invocations: Invocations, *, idle_seconds: float) -> InvokedStore:
    """The store of a process that started five seconds ago."""
    return InvokedStore(
        store,
        reconnect=store.reconnect,
        invocations=invocations,
        started_seconds=time.time() - 5,
        idle_seconds=idle_seconds,
    )


def totals(minutes: Mapping[int, Any]) -> tuple[int, int, int]:
    """Invocations, errors, cold starts."""
    return (
        sum(len(minute.seconds) for minute in minutes.values()),
        sum(minute.errors for minute in minutes.values()),
        sum(len(minute.init_seconds) for minute in minutes.values()),
    )


def test_the_first_invocation_is_a_cold_start_and_failures_are_errors() -> None:
    """The process' own start is told once, with the time that it took; errors count among the invocations."""
    store, invocations = Recording(), Invocations()
    function = invoked(store, invocations, idle_seconds=60)
    function.add([])
    store.fails = True
    with pytest.raises(StoreUnavailable):
        function.add([])
    minutes = invocations.take()
    assert totals(minutes) == (2, 1, 1)
    assert store.reconnected == 0
    (init_seconds,) = [seconds for minute in minutes.values() for seconds in minute.init_seconds]
    assert 5 <= init_seconds < 10
    assert invocations.take() == {}


def test_after_idleness_connections_are_made_anew_and_that_is_a_cold_start() -> None:
    """As Lambda takes an environment away that nobody needs."""
    store, invocations = Recording(), Invocations()
    function = invoked(store, invocations, idle_seconds=-1)
    function.add([])
    function.add([])
    assert totals(invocations.take()) == (2, 0, 2)
    assert store.reconnected == 2


def test_cloudwatch_is_told_what_happened(moto: str) -> None:
    """Sums, durations and cold starts of a function stand in CloudWatch, the last ones when the process ends."""
    store, invocations = Recording(), Invocations()
    reporting = Reporting(Aws(moto), "told", invocations)
    function = invoked(store, invocations, idle_seconds=60)
    for _ in range(3):
        function.add([])
    store.fails = True
    with pytest.raises(StoreUnavailable):
        function.add([])
    reporting.start()
    reporting.stop(10)
    client = Session().client("cloudwatch", endpoint_url=moto)
    assert _sum(client, "AWS/Lambda", "FunctionName", "Invocations") == 4
    assert _sum(client, "AWS/Lambda", "FunctionName", "Errors") == 1
    assert _sum(client, "AWS/Lambda", "FunctionName", "Throttles") == 0
    assert _sum(client, "AWS/Lambda", "FunctionName", "Duration") > 0
    assert 5000 <= _sum(client, "LambdaInsights", "function_name", "init_duration") < 10_000


def _sum(client: Any, namespace: str, dimension: str, metric: str) -> float:
    now = datetime.now(UTC)
    answer = client.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": "told"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def test_what_can_not_be_told_is_told_later() -> None:
    """Minutes that CloudWatch refused are kept; after an hour the oldest is forgotten."""
    invocations = Invocations()
    for minute in range(100):
        invocations.add(60.0 * minute, 0.1, failed=False, init_seconds=None)
    invocations.put_back(invocations.take())
    assert sorted(invocations.take()) == [60 * minute for minute in range(40, 100)]


def test_nobody_there_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The subscriber goes on, and what was to be told is kept."""
    invocations = Invocations()
    invocations.add(0.0, 0.1, failed=False, init_seconds=None)
    reporting = Reporting(Aws("http://127.0.0.1:1"), "told", invocations)
    reporting.start()
    reporting.stop(10)
    wait_for(lambda: caplog.records, what="the warning")
    assert caplog.records[0].getMessage().startswith("CloudWatch could not be told of the last invocations: ")
    assert totals(invocations.take()) == (1, 0, 0)
