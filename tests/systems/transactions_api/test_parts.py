"""Settings, topic and store on their own."""

import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from reference_system.settings import WrongSettings
from support.timing import timed
from transactions_api.model import Message, Transaction
from transactions_api.settings import Settings, read_settings
from transactions_api.sqlite_store import SqliteStore
from transactions_api.store import StoreUnavailable, Unstorable
from transactions_api.topic import InProcessTopic, TopicFull


def transaction(number: int) -> Transaction:
    """Some transaction."""
    return Transaction(f"id-{number}", "A-1", 100 + number, "EUR", "", datetime(2026, 11, 20, tzinfo=UTC))


def test_without_variables_the_defaults_hold() -> None:
    """An empty environment is a configuration; other programs' variables are none of ours."""
    assert read_settings({"PATH": "/bin"}) == Settings()
    assert read_settings({"TRANSACTIONS_PORT": " ", "TRANSACTIONS_LOG_FILE": ""}) == Settings()
    assert (Settings().port, Settings().admin_port, Settings().host) == (18080, 18081, "127.0.0.1")


def test_all_variables_are_read() -> None:
    """Each variable reaches its setting."""
    assert read_settings(
        {
            "TRANSACTIONS_HOST": "0.0.0.0",
            "TRANSACTIONS_PORT": "1",
            "TRANSACTIONS_ADMIN_PORT": "2",
            "TRANSACTIONS_DATABASE": "/d",
            "TRANSACTIONS_LOG_FILE": "/l",
            "TRANSACTIONS_QUEUE_CAPACITY": "3",
        }
    ) == Settings("0.0.0.0", 1, 2, Path("/d"), Path("/l"), 3)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "1.5", "0x10", "²"])
def test_a_port_is_a_whole_number(port: str) -> None:
    """What is no port is a mistake with the range."""
    assert read_settings({"TRANSACTIONS_PORT": port}) == WrongSettings(
        (f"TRANSACTIONS_PORT={port}: write a whole number from 1 to 65535",)
    )


def test_both_ports_can_not_be_one() -> None:
    """The API and the faults must not share a port."""
    settings = read_settings({"TRANSACTIONS_PORT": "18081"})
    assert settings == WrongSettings(
        ("TRANSACTIONS_PORT and TRANSACTIONS_ADMIN_PORT are both 18081: give each its own",)
    )


def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    """A slip of the pen is told; what Kubernetes adds does not stop the service."""
    settings = read_settings({"TRANSACTIONS_PROT": "1", "TRANSACTIONS_API_SERVICE_UNRELATED": "x"})
    assert isinstance(settings, Settings)
    assert settings.unknown == (
        "TRANSACTIONS_API_SERVICE_UNRELATED is not known and ignored",
        "TRANSACTIONS_PROT is not known and ignored; did you mean TRANSACTIONS_PORT?",
    )


def test_messages_stay_until_they_are_acknowledged() -> None:
    """What was received but not acknowledged comes again, in order."""
    topic = InProcessTopic(10, on_publish=lambda _: None)
    messages = [Message(transaction(number)) for number in range(3)]
    for message in messages:
        topic.publish(message)
    assert list(topic.receive(2, 0)) == messages[:2]
    assert list(topic.receive(2, 0)) == messages[:2]
    topic.acknowledge(messages[:1])
    assert list(topic.receive(5, 0)) == messages[1:]


def test_a_full_topic_refuses_and_counts_nothing() -> None:
    """Memory is bounded; a refused message is not published."""
    published: list[Message] = []
    topic = InProcessTopic(1, on_publish=published.append)
    topic.publish(Message(transaction(1)))
    with pytest.raises(TopicFull, match="1 messages wait"):
        topic.publish(Message(transaction(2)))
    assert len(published) == 1


@timed
def test_receive_waits_for_a_message_and_no_longer() -> None:
    """A subscriber neither spins nor sleeps through a message."""
    topic = InProcessTopic(10, on_publish=lambda _: None)
    began = time.monotonic()
    assert topic.receive(1, 0.1) == ()
    assert 0.09 < time.monotonic() - began < 1
    threading.Timer(0.1, topic.publish, [Message(transaction(1))]).start()
    began = time.monotonic()
    assert len(topic.receive(1, 5)) == 1
    assert time.monotonic() - began < 1


def test_a_store_keeps_what_it_was_given(tmp_path: Path) -> None:
    """Rows come back as they went in, newest first, also after the file was closed; the same row again is one row."""
    path = tmp_path / "folder with space %41?" / "t.sqlite3"
    store = SqliteStore(path)
    store.add([transaction(1), transaction(2)])
    store.add([transaction(2), transaction(3)])
    store.close()
    again = SqliteStore(path)
    assert again.newest(2) == (transaction(3), transaction(2))
    assert again.find("id-1") == transaction(1)
    assert again.find("id-9") is None
    again.close()


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    """A row that can't be stored leaves none of its batch behind, and the store goes on."""
    store = SqliteStore(tmp_path / "t.sqlite3")
    huge = Transaction("id-2", "A", 2**70, "EUR", "", datetime.now(UTC))
    with pytest.raises(Unstorable):
        store.add([transaction(1), huge])
    assert store.newest(10) == ()
    store.add([transaction(1)])
    assert len(store.newest(10)) == 1
    store.close()


def test_a_database_taken_away_fails_all_and_comes_back(tmp_path: Path) -> None:
    """Really gone: no new empty file is made in its place; back again, everything is there."""
    path = tmp_path / "t.sqlite3"
    store = SqliteStore(path)
    store.add([transaction(1)])
    store.take_away()
    for call in (lambda: store.newest(1), lambda: store.find("id-1"), lambda: store.add([transaction(2)])):
        with pytest.raises(StoreUnavailable, match="unable to open database file"):
            call()
    assert not path.exists()
    store.bring_back()
    store.add([transaction(2)])
    assert store.newest(5) == (transaction(2), transaction(1))
    store.close()


def test_a_locked_database_is_unavailable_and_works_afterwards(tmp_path: Path) -> None:
    """Another program's lock is an error after a second, not a hang, and nothing stays broken."""
    path = tmp_path / "t.sqlite3"
    store = SqliteStore(path)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.add([transaction(1)])
    assert store.newest(5) == ()
    other.rollback()
    other.close()
    store.add([transaction(1)])
    assert len(store.newest(5)) == 1
    store.close()
