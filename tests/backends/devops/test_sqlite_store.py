"""The embedded store of DevOps events: each fact once, found by any condition, whatever order it came in."""

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sereno_backends.devops import (
    Commit,
    Delivery,
    Deployment,
    DevOpsEvent,
    DevOpsQuery,
    DevOpsStoreForeign,
    DevOpsStoreTooNew,
    DevOpsStoreUnavailable,
    Disposition,
    EventKind,
    Provider,
    Recorded,
    RunStatus,
    Subject,
    event_id_of,
)
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def deployment(number: int, environment: str = "production") -> Deployment:
    """A deployment."""
    return Deployment(str(number), environment, environment == "production", RunStatus.SUCCEEDED, sha=f"{number:040x}")


def event(subject: Subject, minutes: float = 0, *, repository: str = "acme/shop", service: str = "shop") -> DevOpsEvent:
    """A fact, so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    return DevOpsEvent(
        event_id=event_id_of("github", repository, at, subject),
        provider=Provider.GITHUB,
        source="github",
        delivery_id="",
        occurred_at=at,
        received_at=NOON,
        repository=repository,
        service=service,
        subject=subject,
    )


def delivery(delivery_id: str, *events: DevOpsEvent, body: bytes | None = None) -> Delivery:
    """A delivery that tells them."""
    return Delivery(
        source="github",
        provider=Provider.GITHUB,
        delivery_id=delivery_id,
        content_hash=f"hash of {(body or delivery_id.encode()).decode()}",
        event_type="deployment_status",
        received_at=NOON,
        body=body or delivery_id.encode(),
        events=tuple(replace(each, delivery_id=delivery_id) for each in events),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "folder" / "devops.sqlite"


@pytest.fixture
def store(path: Path) -> SqliteDevOpsEventStore:
    """An empty store."""
    made = SqliteDevOpsEventStore(path)
    made.prepare()
    return made


def test_a_delivery_is_stored_once_by_its_id_or_its_content(store: SqliteDevOpsEventStore) -> None:
    """The same id, or the same content under another id, is a duplicate, in one transaction and in the next."""
    first = delivery("a", event(deployment(1)))
    receipts = store.record([first, first, replace(first, delivery_id="b")])
    assert [receipt.outcome for receipt in receipts] == [Recorded.STORED, Recorded.DUPLICATE, Recorded.DUPLICATE]
    (again,) = store.record([replace(first, content_hash="other")])
    assert (again.outcome, again.new_events) == (Recorded.DUPLICATE, ())
    assert store.counts()[EventKind.DEPLOYMENT] == 1


def test_other_sources_may_use_the_same_ids(store: SqliteDevOpsEventStore) -> None:
    """Two senders' deliveries are told apart by the source."""
    first = delivery("a", event(deployment(1)))
    (receipt,) = store.record([replace(first, source="other")]) + store.record([])
    assert receipt.outcome is Recorded.STORED
    (receipt,) = store.record([first])
    assert receipt.outcome is Recorded.STORED


def test_the_order_of_coming_changes_nothing(tmp_path: Path) -> None:
    """Late, double and shuffled deliveries leave the same events in the same order."""
    deliveries = [delivery(str(number), event(deployment(number), number)) for number in range(30)]
    shuffled = deliveries + deliveries[:7]
    random.Random(1).shuffle(shuffled)
    found = []
    for name, sent in (("a", deliveries), ("b", shuffled)):
        store = SqliteDevOpsEventStore(tmp_path / name)
        store.prepare()
        for one in sent:
            store.record([one])
        found.append(store.events(DevOpsQuery()))
    assert found[0] == found[1]
    assert len(found[0]) == 30


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (DevOpsQuery(), [0, 1, 2, 3, 4]),
        (DevOpsQuery(start=NOON + timedelta(minutes=1)), [1, 2, 3, 4]),
        (DevOpsQuery(end=NOON + timedelta(minutes=1)), [0]),
        (DevOpsQuery(kinds=(EventKind.COMMIT,)), [4]),
        (DevOpsQuery(kinds=(EventKind.COMMIT, EventKind.PIPELINE)), [4]),
        (DevOpsQuery(repositories=("acme/other",)), [2]),
        (DevOpsQuery(services=("shop",)), [0, 1, 4]),
        (DevOpsQuery(services=("shop", "pay")), [0, 1, 3, 4]),
        (DevOpsQuery(environments=("staging",)), [1]),
        (DevOpsQuery(limit=2), [3, 4]),
        (DevOpsQuery(limit=0), []),
        (DevOpsQuery(services=("it's",)), []),
    ],
)
def test_questions(store: SqliteDevOpsEventStore, query: DevOpsQuery, expected: list[int]) -> None:
    """All conditions hold for what is found, the window is half-open, the limit keeps the newest."""
    known = [
        event(deployment(0), 0),
        event(deployment(1, "staging"), 1),
        event(deployment(2), 2, repository="acme/other", service="other"),
        event(deployment(3), 3, service="pay"),
        event(Commit("c" * 40, NOON, "main"), 4),
    ]
    store.record([delivery("a", *known)])
    assert [known.index(replace(found, delivery_id="")) for found in store.events(query)] == expected


def test_deployments_between(store: SqliteDevOpsEventStore) -> None:
    """Timelines get deployments of the window only, of one service where one is named."""
    store.record([delivery("a", *(event(deployment(number), number) for number in range(5)))])
    store.record([delivery("b", event(Commit("c" * 40, NOON, "main"), 2), event(deployment(9), 2.5, service="pay"))])
    window = NOON + timedelta(minutes=1), NOON + timedelta(minutes=4)
    subjects = [each.subject for each in store.deployments_between(*window)]
    assert [one.deployment_id for one in subjects if isinstance(one, Deployment)] == ["1", "2", "9", "3"]
    (only,) = store.deployments_between(*window, service="pay")
    assert only.service == "pay"


def test_readers_go_on_behind_what_they_saw(store: SqliteDevOpsEventStore) -> None:
    """Events are given in the order in which they were taken, in parts, each once; a late one comes last."""
    store.record([delivery("a", *(event(deployment(number), 10 + number) for number in range(5)))])
    first = store.events_after(0, limit=3)
    store.record([delivery("late", event(deployment(9), -100))])
    rest = store.events_after(first[-1].number, limit=10)
    subjects = [each.event.subject for each in (*first, *rest)]
    assert [one.deployment_id for one in subjects if isinstance(one, Deployment)] == ["0", "1", "2", "3", "4", "9"]


def test_a_kept_original_gets_its_events_when_it_comes_again_translated(store: SqliteDevOpsEventStore) -> None:
    """A newer Sereno may understand what an older one only kept: sent again, it counts, once."""
    misfit = replace(delivery("a"), disposition=Disposition.UNKNOWN_SCHEMA, reason="where: what")
    assert [receipt.outcome for receipt in store.record([misfit, misfit])] == [Recorded.STORED, Recorded.DUPLICATE]
    (receipt,) = store.record([delivery("a", event(deployment(1)))])
    assert (receipt.outcome, len(receipt.new_events)) == (Recorded.STORED, 1)
    assert store.kept(Disposition.UNKNOWN_SCHEMA) == ()
    assert store.record([misfit])[0].outcome is Recorded.DUPLICATE


def test_originals_are_given_back(store: SqliteDevOpsEventStore) -> None:
    """The payload that told an event is as it came; for an unknown event there is none."""
    body = b'{"a": "\xc3\xa4"}' * 100
    store.record([delivery("a", event(deployment(1)), body=body)])
    (found,) = store.events(DevOpsQuery())
    assert store.original(found) == body
    assert store.original(replace(found, delivery_id="unknown")) is None


def test_nothing_of_a_failed_transaction_stays(store: SqliteDevOpsEventStore) -> None:
    """If one delivery can't be written, none of its transaction is."""
    broken = replace(event(deployment(2)), service=object())  # type: ignore[arg-type]
    with pytest.raises(Exception, match="object"):
        store.record([delivery("a", event(deployment(1))), delivery("b", broken)])
    assert store.events(DevOpsQuery()) == ()
    assert store.record([delivery("a", event(deployment(1)))])[0].outcome is Recorded.STORED


def test_a_missing_file_is_told(path: Path) -> None:
    """Reading before anything was made names the file; nothing is made by it."""
    with pytest.raises(DevOpsStoreUnavailable, match=f"{path}: there is no such file"):
        SqliteDevOpsEventStore(path).events(DevOpsQuery())
    assert not path.exists()


def test_a_newer_file_is_not_touched(store: SqliteDevOpsEventStore, path: Path) -> None:
    """What a newer Sereno wrote is told, with the cure."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DevOpsStoreTooNew, match="upgrade"):
        store.prepare()


def test_other_programs_files_are_not_touched(tmp_path: Path) -> None:
    """A database of another program, and a file that is none, are refused and stay as they are."""
    database, text = tmp_path / "other.sqlite", tmp_path / "text.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE mine (id)")
    connection.close()
    text.write_text("no database at all, but long enough to be one: " * 50)
    for file in (database, text):
        before = file.read_bytes()
        with pytest.raises(DevOpsStoreForeign):
            SqliteDevOpsEventStore(file).prepare()
        assert file.read_bytes() == before


def test_a_locked_file_is_unavailable(
    store: SqliteDevOpsEventStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the lock nothing is written, and that is said; afterwards it is."""
    monkeypatch.setattr("sereno_backends.devops.sqlite_file.LOCK_WAIT_SECONDS", 0.05)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(DevOpsStoreUnavailable, match="locked"):
        store.record([delivery("a", event(deployment(1)))])
    blocker.execute("ROLLBACK")
    blocker.close()
    assert store.record([delivery("a", event(deployment(1)))])[0].outcome is Recorded.STORED
