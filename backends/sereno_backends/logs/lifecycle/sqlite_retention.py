"""Retention in the SQLite store: old documents are deleted in small batches, while others read and write the file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from sereno_backends.logs.ecs import EPOCH
from sereno_backends.logs.elasticsearch_documents import dataset_in_stream
from sereno_backends.logs.lifecycle.model import Retentions
from sereno_backends.logs.sqlite_file import explained, open_for_reading, open_for_writing
from sereno_backends.logs.words import words
from sereno_backends.sqlite import transaction

BATCH = 500
"""Documents of one transaction: some 20 ms in which the collector waits."""
PAUSE_SECONDS = 0.01
"""Between two transactions: SQLite hands the lock to whoever asks first, and gives no turns."""
PAGES = 1_000
"""Pages that are given back to the file system in one transaction."""
BUSY_SECONDS = 5.0
_INCREMENTAL = 2
_DELETE_WORDS = "INSERT INTO record_words (record_words, rowid, words) VALUES ('delete', ?, ?)"


@dataclass(frozen=True, slots=True)
class Overdue:
    """Documents of one dataset whose time is over."""

    dataset: str
    kept_since: datetime
    """What is older than this goes."""
    documents: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class SqliteRun:
    """What a run did."""

    documents: int
    """That were deleted."""
    freed_bytes: int
    """By which the file became smaller; what else is free inside it is used again."""


class SqliteRetention:
    """Deletes from one SQLite store what is older than its dataset's retention.

    Args:
        path: the store's file.
        now: the time, aware.
        stop: set when a run is to end after the batch that it is at; what is left is due at the next run.

    Raises (all methods):
        LogStoreError: the file can't be read or written.
    """

    def __init__(self, path: Path, retentions: Retentions, now: Callable[[], datetime], stop: Event) -> None:
        self._path = path
        self._retentions = retentions
        self._now = now
        self._stop = stop

    @property
    def name(self) -> str:
        """Kind and path."""
        return f"SQLite {self._path}"

    def plan(self) -> tuple[Overdue, ...]:
        """What a run would delete now, by dataset; nothing is changed."""
        with explained(self._path), closing(open_for_reading(self._path, BUSY_SECONDS)) as connection:
            return tuple(self._overdue(connection))

    def run(self) -> SqliteRun:
        """Delete, and give free pages back to the file system where the file was made for that."""
        with explained(self._path), closing(open_for_writing(self._path, BUSY_SECONDS)) as connection:
            deleted = sum(self._delete(connection, each) for each in list(self._overdue(connection)))
            return SqliteRun(deleted, self._shrink(connection))

    def close(self) -> None:
        """Nothing to do: each call opens the file and closes it."""

    def _overdue(self, connection: sqlite3.Connection) -> Iterator[Overdue]:
        now = self._now()
        every = (self._retentions.default, *self._retentions.by_dataset.values())
        latest = now - min(each.keep for each in every)
        rows = connection.execute(
            "SELECT DISTINCT dataset FROM record WHERE timestamp_us < ? ORDER BY dataset", (_microseconds(latest),)
        ).fetchall()
        for (dataset,) in rows:
            kept_since = now - self._retentions.of(dataset_in_stream(dataset)).keep
            documents, oldest = connection.execute(
                "SELECT count(*), min(timestamp_us) FROM record WHERE timestamp_us < ? AND dataset = ?",
                (_microseconds(kept_since), dataset),
            ).fetchone()
            if documents:
                yield Overdue(dataset, kept_since, documents, EPOCH + timedelta(microseconds=oldest))

    def _delete(self, connection: sqlite3.Connection, overdue: Overdue) -> int:
        deleted, since = 0, _microseconds(overdue.oldest)
        while not self._stop.is_set():
            with transaction(connection):
                rows = connection.execute(
                    "SELECT id, message, timestamp_us FROM record WHERE timestamp_us BETWEEN ? AND ? AND dataset = ? "
                    "ORDER BY timestamp_us LIMIT ?",
                    (since, _microseconds(overdue.kept_since) - 1, overdue.dataset, BATCH),
                ).fetchall()
                for number, message, since in rows:  # noqa: B007 - the last one's time is where the next batch begins
                    # The word index keeps no text: it has to be told which words the document had.
                    connection.execute(_DELETE_WORDS, (number, " ".join(words(message))))
                    connection.execute("DELETE FROM record WHERE id = ?", (number,))
            deleted += len(rows)
            if len(rows) < BATCH:
                break
            self._stop.wait(PAUSE_SECONDS)
        return deleted

    def _shrink(self, connection: sqlite3.Connection) -> int:
        if _figure(connection, "auto_vacuum") != _INCREMENTAL:
            return 0  # a file of an older Sereno: its free pages are used again by what comes
        before = _figure(connection, "page_count")
        while _figure(connection, "freelist_count") > PAGES and not self._stop.is_set():
            # Not `execute`: the pragma gives a row without columns for each page, and `execute` ends after the first.
            connection.executescript(f"PRAGMA incremental_vacuum({PAGES})")
            self._stop.wait(PAUSE_SECONDS)
        return (before - _figure(connection, "page_count")) * _figure(connection, "page_size")


def _figure(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _microseconds(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
