"""Consumers die, Redis dies with its memory, services die: every event is stored, once."""

import json
import signal
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import httpx
import psycopg
import pytest
from fitness.events import DEAD_LIST, LIST
from support.fitness_system import DATABASE, Fitness, Program
from support.postgresql import marked as postgresql_marked
from support.redis import marked as redis_marked
from support.waiting import wait_for

pytestmark = [postgresql_marked[0], redis_marked[0], pytest.mark.xdist_group("fitness")]

TAKEN = f"{LIST}:taken:consumer-0"


def test_a_consumer_that_is_killed_with_events_in_hand_loses_none(fitness: Fitness) -> None:
    """Taken from the list, not stored, killed -9: whoever starts next under its name stores them, once."""
    consumer, database = fitness.programs["metrics_consumer"], fitness.postgresql
    somebody = fitness.log_in(fitness.sign_up())
    fitness.everything_arrived()
    before = fitness.stored("training-created")
    # Held by a lock that the store needs, so that the kill comes between taking and storing, not by luck.
    with psycopg.connect(database.url(DATABASE)) as lock:
        lock.execute("LOCK TABLE metrics.events IN SHARE MODE")
        for _ in range(5):
            assert fitness.train(somebody).status_code == 201
        wait_for(lambda: _lengths(fitness) == 5 and _length(fitness, TAKEN), what="the consumer has some in hand")
        consumer.kill()
        assert fitness.stored("training-created") == before
    consumer.start()
    fitness.everything_arrived()
    assert fitness.stored("training-created") == before + 5
    wait_for(lambda: _lengths(fitness) == 0, what="nothing is left in Redis")
    assert consumer.metric("messaging_redeliveries_total") >= 1


def test_killed_again_and_again_under_traffic(fitness: Fitness) -> None:
    """Two hundred trainings while the consumer is killed three times: two hundred are stored."""
    consumer, somebody = fitness.programs["metrics_consumer"], fitness.log_in(fitness.sign_up())
    fitness.everything_arrived()
    before = fitness.stored("training-created")
    with ThreadPoolExecutor(4) as pool:
        codes = [pool.submit(lambda: fitness.train(somebody).status_code) for _ in range(200)]
        for number in range(3):
            wait_for(partial(_done, codes, 40 * (number + 1)), what="traffic")
            consumer.kill()
            consumer.start()
    assert {each.result() for each in codes} == {201}
    fitness.everything_arrived()
    assert fitness.stored("training-created") == before + 200


def test_what_is_pushed_twice_is_stored_once(fitness: Fitness) -> None:
    """The same entry again changes nothing, and is counted as repeated."""
    consumer, event = fitness.programs["metrics_consumer"], uuid.uuid4().hex
    entry = json.dumps({"id": event, "kind": "blocked", "user": "x", "at": "2026-01-01T00:00:00Z"})
    repeated = consumer.metric("fitness_events_repeated_total")
    for _ in range(3):
        fitness.redis().lpush(LIST, entry)
    wait_for(lambda: consumer.metric("fitness_events_repeated_total") == repeated + 2, what="two are repeated")
    assert fitness.sql(f"SELECT count(*) FROM metrics.events WHERE id = '{event}'") == "1"  # noqa: S608 - ours


def test_what_is_no_event_is_put_aside(fitness: Fitness) -> None:
    """It goes to the dead letters with a logged reason; those behind it are stored."""
    consumer = fitness.programs["metrics_consumer"]
    rejected = consumer.metric("messaging_processed_messages_total", outcome="rejected")
    fitness.redis().lpush(LIST, "no JSON", json.dumps({"id": "x", "kind": "danced"}))
    wait_for(lambda: _length(fitness, DEAD_LIST) == 2, what="both are put aside")
    fitness.train(fitness.log_in(fitness.sign_up()))
    fitness.everything_arrived()
    assert consumer.metric("messaging_processed_messages_total", outcome="rejected") == rejected + 2
    wait_for(lambda: _lengths(fitness) == 0, what="nothing is left in Redis")
    assert len(consumer.lines(error__type="pydantic.ValidationError")) == 2
    fitness.redis().delete(DEAD_LIST)


def test_redis_may_die_with_all_that_it_knows(fitness: Fitness) -> None:
    """People notice nothing, events go past it, what it had got is sent again; afterwards the list is used again."""
    users, somebody = fitness.programs["users"], fitness.log_in(fitness.sign_up())
    consumer = fitness.programs["metrics_consumer"]
    fitness.everything_arrived()
    before, late = fitness.stored("training-created"), users.metric("fitness_event_deliveries_total", outcome="late")
    fitness.hold_consumer()
    assert fitness.train(somebody).status_code == 201
    wait_for(lambda: _length(fitness, LIST) == 1, what="an event is in Redis alone")
    told_before = len(users.lines(error__type="redis.exceptions.RedisError"))
    fitness.stop_redis()
    consumer.fault("consumer-stuck", on=False)
    for _ in range(5):
        assert fitness.train(somebody).status_code == 201
    fitness.everything_arrived()
    assert fitness.stored("training-created") == before + 6
    assert users.metric("fitness_events_pushed_total", way="detour") >= 6
    told = users.lines(error__type="redis.exceptions.RedisError")[told_before:]
    assert [line["log.level"] for line in told] == ["error"], "an outage is one record"
    fitness.start_redis()
    queued = users.metric("fitness_events_pushed_total", way="queue")
    wait_for(
        lambda: (
            fitness.train(somebody).status_code == 201
            and users.metric("fitness_events_pushed_total", way="queue") > queued
        ),
        what="the list is used again",
    )
    fitness.everything_arrived()
    assert int(fitness.sql("SELECT count(*) FROM users.trainings")) == fitness.stored("training-created")
    assert users.metric("fitness_event_deliveries_total", outcome="late") == late


def test_a_redis_that_comes_back_empty_is_pushed_to_again(fitness: Fitness) -> None:
    """A restart so quick that nobody saw it gone: what its memory had is recognized as lost, and pushed again."""
    consumer, somebody = fitness.programs["metrics_consumer"], fitness.log_in(fitness.sign_up())
    metrics = fitness.programs["metrics_api"]
    fitness.everything_arrived()
    before = fitness.stored("training-created")
    fitness.hold_consumer()
    metrics.signal(signal.SIGSTOP)  # so that no detour helps
    try:
        assert fitness.train(somebody).status_code == 201
        wait_for(lambda: _length(fitness, LIST) == 1, what="it is in Redis")
        fitness.stop_redis()
        fitness.start_redis()
        wait_for(lambda: _length(fitness, LIST) == 1, what="it is pushed again")
    finally:
        metrics.signal(signal.SIGCONT)
        consumer.fault("consumer-stuck", on=False)
    fitness.everything_arrived()
    assert fitness.stored("training-created") == before + 1


def test_late_events_are_counted_once_and_arrive(fitness: Fitness) -> None:
    """Not stored after ten seconds: late, once each, while they wait; stored afterwards, and the account is even."""
    users, consumer = fitness.programs["users"], fitness.programs["metrics_consumer"]
    somebody = fitness.log_in(fitness.sign_up())
    fitness.everything_arrived()
    deliveries = "fitness_event_deliveries_total"
    late, in_time = (users.metric(deliveries, outcome=outcome) for outcome in ("late", "in_time"))
    consumer.signal(signal.SIGSTOP)
    try:
        for _ in range(3):
            assert fitness.train(somebody).status_code == 201
        wait_for(lambda: users.metric(deliveries, outcome="late") == late + 3, what="three are late")
        assert users.metric("fitness_events_waiting") == 3
        assert users.metric("fitness_oldest_waiting_event_age_seconds") > 9
    finally:
        consumer.signal(signal.SIGCONT)
    fitness.everything_arrived()
    assert fitness.train(somebody).status_code == 201
    wait_for(lambda: users.metric(deliveries, outcome="in_time") == in_time + 1, what="the next is in time")
    assert users.metric(deliveries, outcome="late") == late + 3


def test_a_database_that_hangs_is_hung_up(fitness: Fitness) -> None:
    """Frozen, it answers nothing: requests get 503, every worker says so, and all goes on when the database does."""
    users, consumer = fitness.programs["users"], fitness.programs["metrics_consumer"]
    somebody = fitness.log_in(fitness.sign_up())
    fitness.everything_arrived()
    known, before = _tried_again(users, consumer), fitness.stored("blocked")
    with fitness.postgresql.frozen():
        event = {"id": uuid.uuid4().hex, "kind": "blocked", "user": "x", "at": "2026-01-01T00:00:00Z"}
        fitness.redis().lpush(LIST, json.dumps(event))
        assert httpx.get(f"{users.url}/trainings", headers=somebody, timeout=15).status_code == 503
        wait_for(lambda: len(_tried_again(users, consumer) - known) == 3, what="all three workers have noticed")
    wait_for(lambda: fitness.train(somebody).status_code == 201, what="people can train again")
    wait_for(lambda: fitness.stored("blocked") == before + 1, what="the event is stored")
    fitness.everything_arrived()


def _tried_again(*programs: Program) -> Counter[str]:
    """What has failed for want of the database, as their logs tell it."""
    told = [
        line["message"] for each in programs for line in each.lines(error__type="fitness.database.StoreUnavailable")
    ]
    return Counter(name for name, again, _ in (message.partition(" will be tried again") for message in told) if again)


def test_a_users_service_that_is_killed_loses_no_event(fitness: Fitness) -> None:
    """What was committed and not sent when it died is sent by whoever starts next."""
    users, somebody = fitness.programs["users"], fitness.log_in(fitness.sign_up())
    fitness.everything_arrived()
    before = fitness.stored("training-created")
    consumer, metrics = fitness.programs["metrics_consumer"], fitness.programs["metrics_api"]
    fitness.hold_consumer()
    metrics.signal(signal.SIGSTOP)
    try:
        fitness.stop_redis()
        for _ in range(3):
            assert fitness.train(somebody).status_code == 201
        users.kill()
        assert fitness.waiting() == 3
    finally:
        fitness.start_redis()
        metrics.signal(signal.SIGCONT)
        consumer.fault("consumer-stuck", on=False)
    users.start()
    fitness.everything_arrived()
    assert fitness.stored("training-created") == before + 3


def _done(codes: Sequence[Future[int]], most: int) -> bool:
    return sum(each.done() for each in codes) >= most


def _length(fitness: Fitness, key: str) -> int:
    return int(str(fitness.redis().llen(key)))


def _lengths(fitness: Fitness) -> int:
    return _length(fitness, LIST) + _length(fitness, TAKEN)
