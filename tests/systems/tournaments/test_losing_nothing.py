"""Nothing is lost and nothing is sold twice, whatever connection ends when; and nobody waits for ever."""

import json
import os
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pika  # type: ignore[import-untyped]
import psycopg
import pytest
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from support.postgresql import PostgresqlServer
from support.postgresql import marked as postgresql_marked
from support.rabbitmq import Broker
from support.rabbitmq import marked as rabbitmq_marked
from support.rabbitmq_management import ManagedBroker
from support.redis import marked as redis_marked
from support.tournaments_system import Tournaments
from support.waiting import wait_for
from tournaments.database import Database, DatabaseUnavailable
from tournaments.messaging.answering import Answering
from tournaments.messaging.asking import Asking, Reply
from tournaments.messaging.events import EXCHANGE, Announcing
from tournaments.messaging.link import Link

pytestmark = [postgresql_marked[0], rabbitmq_marked[0], redis_marked[0], pytest.mark.xdist_group("rabbitmq")]


@contextmanager
def _channel(broker: Broker) -> Iterator[BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    try:
        yield connection.channel()
    finally:
        connection.close()


def test_an_event_that_no_queue_takes_waits(rabbitmq: Broker) -> None:
    """The broker confirms and drops what is bound nowhere: it is no announcement, and others go on."""
    lonely, wanted = (f"test.{uuid.uuid4().hex}" for _ in range(2))
    waiting = [(lonely, "1", {"id": "1"}), (wanted, "2", {"id": "2"})]
    now = [0.0]

    def announced(kind: str, numbers: list[str]) -> None:
        waiting[:] = [each for each in waiting if each[0] != kind or each[1] not in numbers]

    announcing = Announcing(lambda _: list(waiting), announced, CollectorRegistry(), clock=lambda: now[0])
    with _channel(rabbitmq) as channel:
        announcing.begin(channel)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, EXCHANGE, wanted)
        announcing.turn(channel)
        assert [kind for kind, _, _ in waiting] == [lonely]
        channel.queue_bind(queue, EXCHANGE, lonely)
        now[0] += 10
        announcing.turn(channel)
        assert waiting == []
        came = [channel.basic_get(queue, auto_ack=True) for _ in range(3)]
        assert [json.loads(body)["id"] for _, _, body in came if body] == ["2", "1"]


def _answers(broker: Broker, queue: str, number: str, question: Mapping[str, Any], times: int) -> list[Any]:
    """What is answered to the same question, put so many times, as after a lost connection."""
    with _channel(broker) as channel:
        replies = channel.queue_declare("", exclusive=True).method.queue
        asked = pika.BasicProperties(reply_to=replies, correlation_id=number)
        for _ in range(times):
            channel.basic_publish("", queue, json.dumps(question).encode(), asked)

        def next_answer() -> Any:
            channel.connection.process_data_events(time_limit=0.05)
            return channel.basic_get(replies, auto_ack=True)[2]

        return [json.loads(wait_for(next_answer, what="an answer")) for _ in range(times)]


def test_a_question_that_comes_again_sells_one_ticket(tournaments: Tournaments) -> None:
    """The same answer, one ticket, one place less, and the catalogue counts it once."""
    number = tournaments.tournament(3)
    owner = f"owner-{uuid.uuid4().hex}"
    buy = {"action": "buy", "arguments": {"tournament": number, "owner": owner}}
    tickets = tournaments.programs["tickets"]
    sold = tickets.metric("tickets_sold_total")
    asked = uuid.uuid4().hex
    first, second = _answers(tournaments.broker, "tickets", asked, buy, 2)
    assert first == second == {"status": 201, "body": {"id": first["body"]["id"], "remaining": 1}}
    assert tickets.metric("tickets_sold_total") == sold + 1
    (other,) = _answers(tournaments.broker, "tickets", uuid.uuid4().hex, buy, 1)
    assert other["body"]["remaining"] == 0
    # The first one's answer is still the same where all are sold meanwhile.
    assert _answers(tournaments.broker, "tickets", asked, buy, 1) == [first]
    assert _answers(tournaments.broker, "tickets", uuid.uuid4().hex, buy, 1)[0]["status"] == 409
    wait_for(lambda: tournaments.sold(number) == 3, what="the catalogue shows both, and the one before")
    mine = {"action": "of_user", "arguments": {"owner": owner}}
    (shown,) = _answers(tournaments.broker, "tickets", uuid.uuid4().hex, mine, 1)
    assert {each["id"] for each in shown["body"]["tickets"]} == {first["body"]["id"], other["body"]["id"]}


def test_healthy_questions_are_not_counted_as_dropped(managed_rabbitmq: ManagedBroker) -> None:
    """The broker counts no reply as unroutable: RabbitMQMessagesDropped is told of what is really lost."""
    asking, registry = Asking(CollectorRegistry()), CollectorRegistry()
    answering = Answering("echo", {"say": lambda question: Reply(200, dict(question.arguments))}, registry)
    url = managed_rabbitmq.broker.url
    links = [Link(url, "asks", asking), Link(url, "answers", answering)]
    asking.over(links[0])
    dropped = _dropped(managed_rabbitmq)
    for link in links:
        link.start()
    try:
        wait_for(lambda: all(link.is_up for link in links), what="both are connected")
        for number in range(5):
            assert asking.ask("echo", "say", {"n": number}, 5.0) == Reply(200, {"n": number})
    finally:
        for link in links:
            link.stop(5)
    assert _dropped(managed_rabbitmq) == dropped


def _dropped(broker: ManagedBroker) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(broker.metrics())
        for sample in family.samples
        if sample.name == "rabbitmq_global_messages_unroutable_dropped_total"
    )


def test_a_question_that_comes_again_makes_one_tournament(tournaments: Tournaments) -> None:
    """The same id."""
    name = f"Cup {uuid.uuid4().hex}"
    create = {"action": "create", "arguments": {"name": name, "capacity": 5}}
    first, second = _answers(tournaments.broker, "catalogue", uuid.uuid4().hex, create, 2)
    assert first == second
    newest = {"action": "newest", "arguments": {"limit": 100}}
    (shown,) = _answers(tournaments.broker, "catalogue", uuid.uuid4().hex, newest, 1)
    assert [each["name"] for each in shown["body"]["tournaments"]].count(name) == 1


@contextmanager
def _frozen(server: PostgresqlServer, database: str) -> Iterator[None]:
    """What serves this database answers nothing, and nobody new is let in."""
    serving = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server.url()) as connection:
        processes = [pid for (pid,) in connection.execute(serving, (database,))] + [server.process.pid]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_a_frozen_database_holds_neither_scrapes_nor_questions(tournaments: Tournaments) -> None:
    """Metrics answer within Prometheus' patience, without the account; afterwards tickets are sold again."""
    number, player = tournaments.tournament(50), tournaments.user()
    tickets = tournaments.programs["tickets"]
    with _frozen(tournaments.postgresql, "tournaments_tickets"):
        for _ in range(3):
            begin = time.monotonic()
            assert tickets.metric("tickets_sold_total") == 0
            assert time.monotonic() - begin < 4.9
        assert tournaments.buy(number, player).status_code in {503, 504}
    wait_for(lambda: tournaments.buy(number, player).status_code == 201, what="tickets are sold again")
    assert tickets.metric("tickets_sold_total") > 0


def test_a_database_that_hangs_is_hung_up(postgresql: PostgresqlServer) -> None:
    """A server that enforces no timeout any more is left; one that does ends the statement itself."""
    database = Database(postgresql.url("tournaments_hanging"), "SELECT 1")
    (backend,) = database.run(lambda connection: connection.execute("SELECT pg_backend_pid()").fetchone() or (0,))
    os.kill(backend, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            database.run(lambda connection: connection.execute("SELECT 1"))
        assert time.monotonic() - begin < 5
    finally:
        os.kill(backend, signal.SIGCONT)
    wait_for(lambda: _works(database), what="it works again")
    begin = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        database.run(lambda connection: connection.execute("SELECT pg_sleep(20)"))
    assert time.monotonic() - begin < 5
    wait_for(lambda: _works(database), what="it works again")
    database.close()


def _works(database: Database) -> bool:
    try:
        return database.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    except DatabaseUnavailable:
        return False
