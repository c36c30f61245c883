"""Datapoints that come late and in pieces, on a real API: what the counter says in the end is what happened."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_exporters.frame.model import Parts
from support.aws_exporter import Account

INVOCATIONS = "sereno_aws_lambda_invocations_total"
DELAY, CONVERGENCE = 120, 480
PATIENCE = {"delay": "2m", "convergence": "8m"}


def start_of_minute() -> float:
    """Two hours ago: CloudWatch takes datapoints of two weeks."""
    return float(int(time.time() - 7_200) // 60 * 60)


def published(account: Account, source: Parts, name: str) -> float:
    """The counter of a topic now."""
    return account.fetched(source, "sns")["sereno_aws_sns_messages_published_total", name]


def total(account: Account, source: Parts, name: str) -> float:
    """The counter of a function now."""
    return account.fetched(source, "lambda")[INVOCATIONS, name]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 50), st.integers(0, CONVERGENCE - 1)), max_size=12),
    pauses=st.lists(st.sampled_from([20, 60, 61, 150, 700]), min_size=1, max_size=9),
    restarts=st.sets(st.integers(0, 9), max_size=3),
)
def test_the_counter_ends_with_the_truth_through_restarts(
    moto: str, tmp_path: Path, pieces: list[tuple[int, int, int]], pauses: list[int], restarts: set[int]
) -> None:
    """Pieces (minute, number, how late) that come between scrapes: the counter never goes down, and ends exact."""
    start, name = start_of_minute(), f"worker-{uuid.uuid4().hex}"
    folder = tmp_path / name
    folder.mkdir()
    account = Account(moto, folder, start + DELAY, {**PATIENCE, "sns_topics": {"names": [name]}})
    source = account.source()
    assert published(account, source, name) == 0
    waiting = sorted(pieces, key=lambda piece: 60 * piece[0] + piece[2])
    before = 0.0
    for number, pause in enumerate([*pauses, 7 * 60 + CONVERGENCE + DELAY]):
        account.now += pause
        while waiting and start + 60 * (waiting[0][0] + 1) + waiting[0][2] <= account.now:
            minute, amount, _ = waiting.pop(0)
            account.put("TopicName", name, ("NumberOfMessagesPublished", start + 60 * minute + 7, amount))
        if number in restarts:
            source.close()
            source = account.source()
        now = published(account, source, name)
        assert now >= before
        before = now
    source.close()
    assert before == sum(amount for _, amount, _ in pieces)


def test_two_exporters_with_one_state_count_once(moto: str, tmp_path: Path) -> None:
    """Both ask at the same moments, in threads; neither adds what the other has added."""
    start, name = start_of_minute(), "doubled"
    account = Account(moto, tmp_path, start + DELAY, {**PATIENCE, "sns_topics": {"names": [name]}})
    sources = [account.source(), account.source()]
    published(account, sources[0], name)
    with ThreadPoolExecutor(2) as both:
        for minute in range(4):
            account.put("TopicName", name, ("NumberOfMessagesPublished", start + 60 * minute, 5))
            account.now += 60
            found = list(both.map(lambda source: published(account, source, name), sources))
            assert max(found) == 5 * (minute + 1)
    for source in sources:
        assert published(account, source, name) == 20
        source.close()


def test_the_newest_minute_is_never_counted(moto: str, tmp_path: Path) -> None:
    """A minute counts when it is `delay` old, not before; what comes later is added."""
    start, name = start_of_minute(), "newest"
    account = Account(moto, tmp_path, start + DELAY, {**PATIENCE, "lambda_functions": {"names": [name]}})
    source = account.source()
    assert total(account, source, name) == 0
    account.put("FunctionName", name, ("Invocations", start + 5, 3))
    account.now = start + DELAY + 59
    assert total(account, source, name) == 0
    account.now = start + DELAY + 60
    assert total(account, source, name) == 3
    account.put("FunctionName", name, ("Invocations", start + 6, 4))
    account.now = start + 60 + CONVERGENCE
    assert total(account, source, name) == 7
    account.put("FunctionName", name, ("Invocations", start + 7, 100))
    account.now += 60
    assert total(account, source, name) == 7
    source.close()


def test_milliseconds_become_seconds_and_samples_are_counted(moto: str, tmp_path: Path) -> None:
    """Durations are seconds; Lambda Insights' init_duration counts cold starts by its samples."""
    start, name = start_of_minute(), "units"
    functions = {"names": [name], "insights": True}
    account = Account(moto, tmp_path, start + DELAY, {**PATIENCE, "lambda_functions": functions})
    source = account.source()
    account.fetched(source, "lambda")
    account.put("FunctionName", name, ("Duration", start, 1_500.25), ("Duration", start, 500.5))
    account.put(
        "function_name", name, ("init_duration", start, 250), ("init_duration", start, 750), namespace="LambdaInsights"
    )
    account.now += 60
    found = account.fetched(source, "lambda")
    assert found["sereno_aws_lambda_duration_seconds_total", name] == 2.00075
    assert found["sereno_aws_lambda_cold_starts_total", name] == 2
    assert found["sereno_aws_lambda_init_seconds_total", name] == 1
    source.close()


def test_a_gauge_is_the_newest_minute_that_ended_with_its_age(moto: str, tmp_path: Path) -> None:
    """The minute that still runs is not looked at; a gauge without a datapoint in a quarter of an hour is absent."""
    start, name = start_of_minute(), "gauge-1"
    account = Account(moto, tmp_path, start + 90, {"aurora_instances": {"names": [name]}})
    source = account.source()
    key = ("sereno_aws_aurora_cpu_used_ratio", name)
    age = ("sereno_aws_datapoint_age_seconds", "aurora", name, "CPUUtilization", "Average")
    points = (("CPUUtilization", start - 60, 10), ("CPUUtilization", start, 25), ("CPUUtilization", start + 60, 99))
    account.put("DBInstanceIdentifier", name, *points, namespace="AWS/RDS")
    found = account.fetched(source, "aurora")
    assert (found[key], found[age]) == (0.25, 30)
    account.now = start + 60 + 16 * 60
    assert key not in account.fetched(source, "aurora")
    source.close()
