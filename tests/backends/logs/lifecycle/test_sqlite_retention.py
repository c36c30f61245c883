"""Retention in the SQLite store."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sereno_backends.logs import LogQuery, LogRecord, SqliteLogStore
from sereno_backends.logs.lifecycle import Retention, Retentions, SqliteRetention, SqliteRun
from support.collecting import ALWAYS
from support.log_records import NOON

DAY = timedelta(days=1)
WEEK = Retentions(Retention(7 * DAY), {"payments_api": Retention(30 * DAY)})
Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Make a store with so many documents on each of so many days before noon, in each of two datasets."""

    def make(days: int, documents: int = 3, *, text: str = "") -> Path:
        path = tmp_path / "logs.sqlite"
        with closing(SqliteLogStore(path)) as store:
            for dataset in ("app", "Payments-API"):
                store.write(
                    [
                        LogRecord(
                            f"{dataset}-{day}-{number}",
                            NOON - day * DAY,
                            "checkout",
                            "info",
                            f"word{day} number{number} {text}",
                            dataset,
                        )
                        for day in range(days)
                        for number in range(documents)
                    ]
                )
        return path

    return make


def retention(path: Path, stop: Event | None = None) -> SqliteRetention:
    """The retention at noon."""
    return SqliteRetention(path, WEEK, lambda: NOON, stop or Event())


def stored(path: Path, text: str | None = None) -> dict[str, int]:
    """How many documents of each dataset are found, by a word of theirs if one is given."""
    query = LogQuery(ALWAYS.start, ALWAYS.end, text=text, limit=1_000_000)
    with closing(SqliteLogStore(path)) as store:
        found = [record.dataset for record in store.search(query)]
    return {dataset: found.count(dataset) for dataset in sorted(set(found))}


def test_what_is_older_than_its_datasets_retention_goes(fill: Fill) -> None:
    """A look deletes nothing; a run deletes exactly what was named, with its words, and the next one has nothing."""
    path = fill(40)
    plan = retention(path).plan()
    assert [(each.dataset, each.documents) for each in plan] == [("Payments-API", 9 * 3), ("app", 32 * 3)]
    assert stored(path) == {"Payments-API": 120, "app": 120}
    assert retention(path).run().documents == 41 * 3
    assert stored(path) == {"Payments-API": 31 * 3, "app": 8 * 3}
    assert stored(path, "word20") == {"Payments-API": 3}
    assert stored(path, "word35") == {}
    assert retention(path).plan() == ()
    assert retention(path).run() == SqliteRun(0, 0)


def test_the_word_index_stays_whole(fill: Fill) -> None:
    """After deletions SQLite's own check of the word index finds no fault, and new documents are found."""
    path = fill(40)
    retention(path).run()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO record_words (record_words) VALUES ('integrity-check')")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (left,) = connection.execute("SELECT count(*) FROM record_words WHERE record_words MATCH 'word38'").fetchone()
        assert left == 0
    with closing(SqliteLogStore(path)) as store:
        store.write([LogRecord("new", NOON, "checkout", "info", "word35 again")])
    assert stored(path, "word35") == {"app": 1}


def test_the_file_becomes_smaller(fill: Fill) -> None:
    """Free pages go back to the file system; in a file of an older Sereno they stay, to be used again."""
    path = fill(40, 600, text="x" * 500)
    before = path.stat().st_size
    run = retention(path).run()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert run.freed_bytes > before / 4
    assert path.stat().st_size <= before - run.freed_bytes

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    later = SqliteRetention(path, WEEK, lambda: NOON + 20 * DAY, Event())
    assert later.run().documents > 0
    assert later.run().freed_bytes == 0


def test_readers_and_writers_go_on_meanwhile(fill: Fill) -> None:
    """While a run deletes, another process's store writes and reads without an error, and nothing new is deleted."""
    path = fill(40, 500)
    with closing(SqliteLogStore(path, busy_timeout_seconds=2)) as store:
        worker = Thread(target=retention(path).run)
        worker.start()
        written = 0
        while worker.is_alive():
            store.write([LogRecord(f"new-{written}", datetime(2026, 11, 22, tzinfo=UTC), "mail", "info", "fresh")])
            store.count(LogQuery(ALWAYS.start, ALWAYS.end, services=("mail",)))
            written += 1
        worker.join()
    assert written > 5
    assert stored(path, "fresh") == {"app": written}
    assert stored(path, "word38") == {}


def test_a_run_that_is_told_to_stop_leaves_the_rest_for_the_next(fill: Fill) -> None:
    """Told to stop, a run ends without having begun another batch; the next one deletes what is left."""
    path = fill(40, 500)
    stop = Event()
    stop.set()
    assert retention(path, stop).run().documents == 0
    assert retention(path).run().documents == 41 * 500
