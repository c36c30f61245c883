"""Transactions in a real PostgreSQL: kept, once each; and what happens when it goes away, hangs, or is locked."""

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from support.postgresql import PostgresqlServer, marked, running_postgresql
from support.waiting import wait_for
from transactions_api.batch_job import BatchJob
from transactions_api.model import Transaction
from transactions_api.postgresql_store import PostgresqlStore, accept_again
from transactions_api.store import StoreUnavailable, Unstorable

pytestmark = marked


def transaction(number: int) -> Transaction:
    """Some transaction."""
    return Transaction(f"id-{number}", "A-1", 100 + number, "EUR", "", datetime(2026, 11, 20, tzinfo=UTC))


def test_a_store_makes_its_database_and_keeps_what_it_was_given(database_url: str) -> None:
    """Rows come back as they went in, newest first, also for the next process; the same row again is one row."""
    store = PostgresqlStore(database_url)
    store.add([transaction(1), transaction(2)])
    store.add([transaction(2), transaction(3)])
    store.close()
    again = PostgresqlStore(database_url)
    assert again.newest(2) == (transaction(3), transaction(2))
    assert again.find("id-1") == transaction(1)
    assert again.find("id-9") is None
    assert again.stored(["id-3", "id-9", "id-1"]) == {"id-1", "id-3"}
    assert again.stored([]) == frozenset()
    again.close()


def test_programs_that_start_together_make_one_database(database_url: str) -> None:
    """Neither fails because the other was quicker."""
    stores: list[PostgresqlStore] = []
    threads = [threading.Thread(target=lambda: stores.append(PostgresqlStore(database_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stores) == 4
    stores[0].add([transaction(1)])
    assert stores[3].newest(5) == (transaction(1),)
    for store in stores:
        store.close()


def test_a_batch_is_stored_whole_or_not_at_all(database_url: str) -> None:
    """A row that PostgreSQL refuses leaves none of its batch behind, and the store goes on."""
    store = PostgresqlStore(database_url)
    huge = Transaction("id-2", "A", 2**70, "EUR", "", datetime.now(UTC))
    with pytest.raises(Unstorable, match="out of range"):
        store.add([transaction(1), huge])
    with pytest.raises(Unstorable, match="NUL"):
        store.add([transaction(1), Transaction("id-2", "A\0", 1, "EUR", "", datetime.now(UTC))])
    assert store.newest(10) == ()
    assert store.find("id-\0") is None
    store.add([transaction(1)])
    assert len(store.newest(10)) == 1
    store.close()


def test_a_database_taken_away_fails_all_and_comes_back(database_url: str) -> None:
    """Really gone, for connections that are open and for new ones; back again, everything is there."""
    store, other = PostgresqlStore(database_url), PostgresqlStore(database_url)
    store.add([transaction(1)])
    store.take_away()
    calls: list[Callable[[], Any]] = [
        lambda: store.newest(1),
        lambda: store.find("id-1"),
        lambda: store.add([transaction(2)]),
        lambda: other.stored(["id-1"]),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match="not currently accepting connections"):
            call()
    store.bring_back()
    other.add([transaction(2)])
    assert store.newest(5) == (transaction(2), transaction(1))
    store.close()
    other.close()


def test_a_database_that_can_not_be_taken_away_whole_is_not_taken_away(postgresql: PostgresqlServer) -> None:
    """Its owner may close it, but not hang up a superuser: refused, and everybody gets in as before."""
    name = f"transactions_{uuid.uuid4().hex[:12]}"
    postgresql.run(f"CREATE ROLE {name} LOGIN PASSWORD 'x';\nCREATE DATABASE {name} OWNER {name};")
    try:
        store = PostgresqlStore(f"postgresql://{name}:x@127.0.0.1:{postgresql.port}/{name}")
        with psycopg.connect(postgresql.url(name)), pytest.raises(OSError, match="terminate"):
            store.take_away()
        store.close()
        store.add([transaction(1)])
        assert store.newest(1) == (transaction(1),)
        store.close()
    finally:
        postgresql.run(f"DROP DATABASE {name} WITH (FORCE);\nDROP ROLE {name};")


def test_a_batch_job_whose_connection_is_ended_goes_on_when_there_is_a_database_again(database_url: str) -> None:
    """A fault that is on works, also after another one."""
    store, seconds = PostgresqlStore(database_url), 0.2
    store.add([transaction(1)])
    job = BatchJob(database_url, lambda: seconds)
    job.start()
    try:
        store.take_away()
        store.bring_back()
        wait_for(lambda: _locks(database_url) > 0, what="the table to be locked again")
    finally:
        job.stop()
    assert _locks(database_url) == 0
    store.close()


def _locks(url: str) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'transactions'::regclass AND mode = 'ShareRowExclusiveLock'"
    with psycopg.connect(url) as connection:
        (count,) = connection.execute(query).fetchone() or (0,)
    return int(count)


def test_a_fault_that_its_process_did_not_outlive_is_undone(database_url: str) -> None:
    """A store can't be opened while the database is away; who starts the system again lets the server accept us."""
    killed = PostgresqlStore(database_url)
    killed.take_away()
    killed.close()
    with pytest.raises(StoreUnavailable, match="not currently accepting connections"):
        PostgresqlStore(database_url, patience_seconds=0)
    accept_again(database_url)
    PostgresqlStore(database_url, patience_seconds=0).close()


def test_the_servers_own_database_can_not_be_taken_away(postgresql: PostgresqlServer) -> None:
    """Nothing could bring it back."""
    store = PostgresqlStore(postgresql.url())
    with pytest.raises(OSError, match="another database than postgres"):
        store.take_away()
    assert isinstance(store.newest(1), tuple)
    store.close()
    postgresql.run("DROP TABLE transactions")


def test_connections_that_died_while_idle_are_replaced(database_url: str, postgresql: PostgresqlServer) -> None:
    """A server that restarted between two calls costs no call."""
    store = PostgresqlStore(database_url)
    store.add([transaction(1)])
    with psycopg.connect(postgresql.url()) as connection:
        end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(end_all, (database_url.rpartition("/")[2],))
    assert store.newest(1) == (transaction(1),)
    store.close()


def test_a_server_that_crashes_and_a_server_that_hangs_are_errors_and_are_used_again_afterwards() -> None:
    """Gone: an error at once. Hanging: an error within four seconds, whatever it doesn't answer. Nothing is lost."""
    with running_postgresql() as server:
        store = PostgresqlStore(server.url("transactions"))
        store.add([transaction(1)])
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.newest(1)
        server.start_again()
        assert wait_for(lambda: _quietly(lambda: store.newest(1)), what="it is used again") == (transaction(1),)
        (backend,) = _backends(server)
        os.kill(backend, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.add([transaction(2)])
        assert time.monotonic() - began < 4.5
        os.kill(backend, signal.SIGCONT)
        store.add([transaction(2)])
        assert store.newest(5) == (transaction(2), transaction(1))
        store.close()


def _backends(server: PostgresqlServer) -> list[int]:
    with psycopg.connect(server.url()) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'transactions'").fetchall()
    return [pid for (pid,) in rows]


def _quietly(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except StoreUnavailable:
        return None


def test_a_lock_of_somebody_else_is_waited_for_and_told(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Writes succeed, each a little later, reads don't notice; the log has an error of its own kind."""
    store = PostgresqlStore(database_url)
    job = BatchJob(database_url, lambda: 0.5)
    job.start()
    try:
        with caplog.at_level(logging.ERROR):
            began, number = time.monotonic(), 0
            while len(caplog.records) < 3 and time.monotonic() - began < 20:
                number += 1
                store.add([transaction(number)])
                assert store.find(f"id-{number}") == transaction(number)
    finally:
        job.stop()
    assert {record.getMessage() for record in caplog.records} == {
        "Writing transactions met somebody else's lock, and is tried again: canceling statement due to lock timeout"
    }
    assert len(store.newest(number + 1)) == number
    store.close()


def test_a_lock_that_stays_makes_the_database_unavailable(database_url: str) -> None:
    """After ten tries the write fails, and nothing of it is stored."""
    store = PostgresqlStore(database_url)
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE transactions IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            store.add([transaction(1)])
    assert store.newest(1) == ()
    store.close()
