"""API and subscriber as processes of their own, on a real PostgreSQL and moto: promises hold end to end."""

import json
import time
from typing import Any

import httpx
import psycopg
import pytest
from boto3.session import Session  # type: ignore[import-untyped]
from support.ports import free_port
from support.postgresql import marked
from support.timing import timed
from support.waiting import wait_for

pytestmark = marked


def stored(system: Any) -> list[int]:
    """The amounts of all rows, in order."""
    with psycopg.connect(system.database_url) as connection:
        return sorted(amount for (amount,) in connection.execute("SELECT amount_cents FROM transactions").fetchall())


def lines(program: Any, **having: Any) -> list[dict[str, Any]]:
    """Lines of its log with these values; `log__logger` stands for `log.logger`."""
    wanted = {key.replace("__", "."): value for key, value in having.items()}
    documents = [json.loads(line) for line in program.log.read_text().splitlines()]
    return [document for document in documents if wanted.items() <= document.items()]


def test_what_is_published_is_stored_by_another_process_and_confirmed_by_the_database(full_system: Any) -> None:
    """Each once; the account of the API says so, ages and traces are known on the other side."""
    api, subscriber = full_system.api(), full_system.subscriber()
    ids = [api.post(amount).json()["id"] for amount in range(1, 31)]
    wait_for(lambda: api.metric("transactions_stored_total") == 30, what="all to be confirmed")
    assert stored(full_system) == list(range(1, 31))
    assert api.get(f"/transactions/{ids[0]}").json()["amount_cents"] == 1
    assert api.metric("transactions_published_total") == 30
    assert api.metric("transactions_late_total") == 0
    assert api.metric("transactions_queue_length") == 0
    assert subscriber.metric("messaging_processed_messages_total", outcome="ok") == 30
    assert subscriber.metric("messaging_message_age_seconds_count") == 30
    assert subscriber.metric("messaging_message_age_seconds_sum") < 100
    labels = {"messaging_system": "aws_sqs", "messaging_destination_name": f"{full_system.topic}-subscriber"}
    assert subscriber.metric("messaging_messages_in_progress", **labels) == 0
    for name, program in (("newest", api), ("find", api), ("stored", api), ("add", subscriber)):
        calls = "transactions_database_call_duration_seconds_count"
        assert program.metric(calls, operation=name, outcome="failed") == 0
    assert subscriber.metric(calls, operation="add", outcome="ok") >= 3


def test_a_stuck_subscriber_makes_messages_late_at_the_api(full_system: Any) -> None:
    """POST succeeds, ten seconds later what waits is late, once; then all of it is stored."""
    api, subscriber = full_system.api(), full_system.subscriber()
    subscriber.fault("subscriber-stuck")
    for amount in (1, 2, 3):
        assert api.post(amount).status_code == 201
    wait_for(lambda: api.metric("transactions_late_total") == 3, what="ten seconds to pass")
    assert api.metric("transactions_oldest_message_age_seconds") > 10
    assert stored(full_system) == []
    subscriber.no_fault("subscriber-stuck")
    wait_for(lambda: api.metric("transactions_stored_total") == 3, what="the queue to be stored")
    assert api.metric("transactions_late_total") == 3
    assert stored(full_system) == [1, 2, 3]


@timed
def test_without_its_database_reads_fail_writes_wait_and_nothing_is_lost(full_system: Any) -> None:
    """GET answers 503 at once, POST 201; the calls of both programs count as failed; afterwards all is stored, once."""
    api, subscriber = full_system.api(), full_system.subscriber()
    api.post(1)
    wait_for(lambda: api.metric("transactions_stored_total") == 1, what="the first to be stored")
    api.fault("database-gone")
    began = time.monotonic()
    assert api.get("/transactions").status_code == 503
    assert time.monotonic() - began < 1
    assert [api.post(amount).status_code for amount in range(2, 14)] == [201] * 12
    failed = {"outcome": "failed"}
    calls = "transactions_database_call_duration_seconds_count"
    wait_for(lambda: subscriber.metric(calls, operation="add", **failed) >= 2, what="the subscriber to fail twice")
    wait_for(lambda: api.metric(calls, operation="stored", **failed) >= 1, what="the account to be asked in vain")
    assert api.metric("transactions_stored_total") == 1
    api.no_fault("database-gone")
    wait_for(lambda: api.metric("transactions_stored_total") == 13, what="all to be stored")
    assert stored(full_system) == list(range(1, 14))
    assert api.metric("transactions_publish_refused_total") == 0
    assert subscriber.metric("messaging_redeliveries_total") >= 1
    (asked,) = lines(api, log__logger="transactions_api.confirming", log__level="error")
    assert "not currently accepting connections" in asked["message"]


@pytest.mark.usefixtures("aws_environment")
def test_what_can_not_be_stored_is_refused_or_put_aside_and_holds_up_nobody(full_system: Any, moto: str) -> None:
    """Control characters are the client's mistake; what gets onto the topic all the same isn't the database's."""
    api, subscriber = full_system.api(), full_system.subscriber()
    assert [api.get(f"/transactions/{unknown}").status_code for unknown in ("%00", "a%00b")] == [404, 404]
    for fields in ({"account": "A\0"}, {"account": "A\n1"}, {"description": "\x7f"}, {"account": "A\ud800"}):
        body = json.dumps({"account": "A-1", "amount_cents": 1, "currency": "EUR", **fields})
        assert httpx.post(f"{api.url}/transactions", content=body).status_code == 422
    subscriber.fault("subscriber-stuck")
    time.sleep(1.5)  # until its long polling is over
    sns = Session().client("sns", endpoint_url=moto)
    (topic,) = (
        each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(full_system.topic)
    )
    bad = {"id": "bad", "account": "A\0", "amount_cents": 7, "currency": "EUR", "description": ""}
    for amount in range(1, 10):
        api.post(amount)
        if amount == 5:
            body = json.dumps(bad | {"created_at": "2026-11-20T00:00:00Z"})
            sns.publish(TopicArn=topic, Message=body)
    subscriber.no_fault("subscriber-stuck")
    wait_for(lambda: api.metric("transactions_stored_total") == 9, what="all others to be stored")
    wait_for(lambda: subscriber.metric("transactions_dead_letters_total") == 1, what="the bad one to be put aside")
    assert stored(full_system) == list(range(1, 10))
    (told,) = lines(subscriber, **{"error.type": "transactions_api.store.Unstorable"})
    assert told["labels"] == {"transaction": "bad"}
    calls = "transactions_database_call_duration_seconds_count"
    assert subscriber.metric(calls, outcome="failed") == api.metric(calls, outcome="failed") == 0


def test_a_killed_subscriber_loses_nothing(full_system: Any) -> None:
    """What it had taken and not stored comes again to the next one, and no row is there twice."""
    api = full_system.api()
    for amount in range(1, 41):
        api.post(amount)
    first = full_system.subscriber()
    wait_for(lambda: first.metric("messaging_processed_messages_total", outcome="ok") >= 1, what="it to begin")
    first.process.kill()
    full_system.subscriber()
    # What the first one had in its hands stays invisible for half a minute.
    wait_for(lambda: len(stored(full_system)) == 40, what="all to be stored", timeout_seconds=60)
    assert stored(full_system) == list(range(1, 41))
    wait_for(lambda: api.metric("transactions_stored_total") == 40, what="all to be confirmed")


def test_a_locked_table_is_only_in_the_log(full_system: Any) -> None:
    """Everything is stored in time; the subscriber's log has an error that it never had before."""
    api, subscriber = full_system.api(), full_system.subscriber()
    subscriber.fault("table-locked")
    published = 0
    while len(lines(subscriber, **{"error.type": "psycopg.errors.LockNotAvailable"})) < 3 and published < 200:
        published += 1
        assert api.post(published).status_code == 201
        assert api.get("/transactions").status_code == 200
    subscriber.no_fault("table-locked")
    wait_for(lambda: api.metric("transactions_stored_total") == published, what="all to be confirmed")
    assert published < 200
    assert api.metric("transactions_late_total") == 0
    assert subscriber.metric("transactions_database_call_duration_seconds_count", outcome="failed") == 0


def test_a_fault_that_is_on_ends_with_the_process(full_system: Any) -> None:
    """SIGTERM brings the database back; both programs end cleanly."""
    api, subscriber = full_system.api(), full_system.subscriber()
    api.fault("database-gone")
    subscriber.fault("subscriber-stuck")
    api.stop()
    assert stored(full_system) == []
    subscriber.stop()


@pytest.mark.parametrize(
    ("module", "variables", "code", "message"),
    [
        (
            "transactions_api",
            {"TRANSACTIONS_SNS_TOPIC": "t"},
            2,
            (
                "transactions-api: TRANSACTIONS_SNS_TOPIC=t: its subscriber is a program of its own, so both need a "
                "database server: set TRANSACTIONS_DATABASE_URL, too\n"
            ),
        ),
        (
            "transactions_api",
            {"TRANSACTIONS_DATABASE_URL": "mysql://secret@h/d", "TRANSACTIONS_AWS_ENDPOINT_URL": "moto:5000"},
            2,
            (
                "transactions-api: TRANSACTIONS_DATABASE_URL is no address of PostgreSQL: write for example "
                "postgresql://user:password@127.0.0.1:5432/transactions\n"
                "transactions-api: TRANSACTIONS_AWS_ENDPOINT_URL=moto:5000: write an address, for example "
                "http://127.0.0.1:5000\n"
            ),
        ),
        (
            "transactions_api.subscribe",
            {},
            2,
            (
                "transactions-subscriber: TRANSACTIONS_DATABASE_URL is not set: write where transactions are stored, "
                "for example postgresql://user:password@127.0.0.1:5432/transactions\n"
            ),
        ),
        (
            "transactions_api.exporters",
            {},
            2,
            (
                "transactions-exporters: TRANSACTIONS_DATABASE_URL and TRANSACTIONS_AWS_ENDPOINT_URL say what is "
                "watched: set both\n"
            ),
        ),
    ],
)
def test_wrong_variables_end_with_the_cure(
    run_to_its_end: Any, module: str, variables: dict[str, str], code: int, message: str
) -> None:
    """Exit code 2 and every mistake; no password is repeated."""
    assert run_to_its_end(module, **variables) == (code, message)


def test_a_database_that_nobody_serves_ends_the_start(run_to_its_end: Any) -> None:
    """Exit code 3 with the reason, once ten seconds of patience are over."""
    ports = {"TRANSACTIONS_PORT": str(free_port()), "TRANSACTIONS_ADMIN_PORT": str(free_port())}
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/transactions"
    code, message = run_to_its_end("transactions_api", TRANSACTIONS_DATABASE_URL=url, **ports)
    assert code == 3
    assert message.startswith("transactions-api: the database can't be used: connection failed")
    assert message.count("\n") == 1
