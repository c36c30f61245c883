"""What the benchmark of devops-events sees in the store: by content, so that it could also see doubles."""

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from support.postgresql import PostgresqlServer, marked, postgresql

from benchmarks.devops_events.__main__ import is_right
from benchmarks.devops_events.looking import Database, Found, Kept, drained, found
from benchmarks.devops_events.sending import REPOSITORY

__all__ = ["postgresql"]

pytestmark = marked


@pytest.fixture
def database(postgresql: PostgresqlServer) -> Iterator[Database]:
    """A store without any unique key."""
    name = f"looking_{uuid.uuid4().hex[:12]}"
    postgresql.run(f"CREATE DATABASE {name};")
    with psycopg.connect(postgresql.url(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE deliveries (key text, original jsonb)")
        connection.execute("CREATE TABLE events (event_id text, kind text, document jsonb)")
        yield connection
    postgresql.run(f"DROP DATABASE {name};")


def store(database: Database, number: int, repository: str = REPOSITORY) -> None:
    """A delivery and its event, under a key and an id that nobody has used."""
    original = {"after": f"sha-{number}", "repository": {"full_name": repository}}
    database.execute("INSERT INTO deliveries VALUES (%s, %s)", (uuid.uuid4().hex, json.dumps(original)))
    document = {"devops": {"repository": repository, "commit": {"sha": f"sha-{number}"}}}
    database.execute("INSERT INTO events VALUES (%s, 'commit', %s)", (uuid.uuid4().hex, json.dumps(document)))


def test_lost_and_doubled_ones_are_told_apart_whatever_their_keys(database: Database) -> None:
    """One that is missing and one that is there twice don't make up for each other; others' deliveries don't count."""
    assert found(database) == Found(Kept(0, 0), Kept(0, 0))
    for number in range(5):
        store(database, number)
    store(database, 1, "acme/shop")
    assert is_right(found(database), 5)
    database.execute("DELETE FROM deliveries WHERE original ->> 'after' = 'sha-3'")
    store(database, 4)
    kept = found(database)
    assert kept == Found(Kept(5, 4), Kept(6, 5))
    assert (kept.deliveries.lost(5), kept.deliveries.doubled) == (1, 1)
    assert (kept.events.lost(5), kept.events.doubled) == (0, 1)
    assert not is_right(kept, 5)


def test_what_waits_on_the_queue_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A double that comes last is seen, too."""
    monkeypatch.setattr("benchmarks.devops_events.looking._STILL_SECONDS", 1)
    store(database, 1)
    left = [0, 1, 1]

    def waiting() -> int:
        if left.pop() and len(left) == 1:
            store(database, 1)
        return len(left)

    assert drained(database, waiting, 30) == Found(Kept(2, 1), Kept(2, 1))
