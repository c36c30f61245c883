"""The embedded log store: one SQLite file with full-text search; one process writes while others read."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

import orjson

from sereno_backends.logs.ecs import EPOCH
from sereno_backends.logs.model import LogQuery, LogRecord, LogStoreCorrupt, LogStoreError, MessageCount, WriteResult
from sereno_backends.logs.sqlite_file import explained, open_for_reading, open_for_writing
from sereno_backends.logs.storable import Storable, sort_out
from sereno_backends.logs.words import words
from sereno_backends.sqlite import transaction

_COLUMNS = "record_id, timestamp_us, service, level, message, dataset, trace_id, error_type, action, document"
_INSERT = f"INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record_id) DO NOTHING"  # noqa: S608
_INSERT_WORDS = "INSERT INTO record_words (rowid, words) VALUES (?, ?)"

# The newest trace and error type of a group in the same pass: timestamp and id as sortable text before the value.
_NEWEST = "max(printf('%020d%020d', timestamp_us, id) || {column})"
_NEWEST_PREFIX = 40


class SqliteLogStore:
    """A log store in one SQLite file.

    The file is created by the first write; reading where no file is raises `LogStoreUnreachable`. Instances may be
    shared between threads; processes may share the file.
    """

    def __init__(self, path: str | PathLike[str], *, busy_timeout_seconds: float = 5.0) -> None:
        self._path = Path(path)
        self._busy_timeout_seconds = busy_timeout_seconds
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._opened_file: tuple[int, int] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Kind and path."""
        return f"SQLite {self._path}"

    def write(self, records: Sequence[LogRecord]) -> WriteResult:
        """Store the records in one transaction that is on disk when this returns; see `LogStore.write`."""
        storable, rejections = sort_out(records)
        with self._writing() as connection, transaction(connection):
            indexed = sum(_insert(connection, item) for item in storable)
        return WriteResult(indexed, len(storable) - indexed, rejections)

    def search(self, query: LogQuery) -> tuple[LogRecord, ...]:
        """See `LogStore.search`; records of one timestamp come in the order of their writing."""
        where, values = _conditions(query)
        sql = f"SELECT {_COLUMNS} FROM record WHERE {where} ORDER BY timestamp_us DESC, id DESC LIMIT ?"  # noqa: S608
        rows = self._read(lambda connection: connection.execute(sql, (*values, max(query.limit, 0))).fetchall())
        with self._as_written():
            return tuple(_record(row) for row in reversed(rows))

    def count(self, query: LogQuery) -> int:
        """See `LogStore.count`."""
        where, values = _conditions(query)
        sql = f"SELECT count(*) FROM record WHERE {where}"  # noqa: S608 - conditions are ours, values are bound
        ((count,),) = self._read(lambda connection: connection.execute(sql, values).fetchall())
        return int(count)

    def top_messages(self, query: LogQuery) -> tuple[MessageCount, ...]:
        """See `LogStore.top_messages`; messages are told apart by their first 1,024 characters and their level."""
        where, values = _conditions(query)
        sql = (
            "SELECT message_head(message) AS head, level, count(*) AS frequency, min(timestamp_us), max(timestamp_us), "  # noqa: S608
            f"{_NEWEST.format(column='trace_id')}, {_NEWEST.format(column='error_type')} "
            f"FROM record WHERE {where} GROUP BY head, level ORDER BY frequency DESC, head, level LIMIT ?"
        )
        rows = self._read(lambda connection: connection.execute(sql, (*values, max(query.limit, 0))).fetchall())
        with self._as_written():
            return tuple(_message_count(row) for row in rows)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._closed = True
            self._disconnect()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._entered():
            if self._writer is None:
                self._writer = open_for_writing(self._path, self._busy_timeout_seconds)
                self._opened_file = _identity(self._path)
            yield self._writer

    def _read(self, ask: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
        with self._entered():
            if self._reader is None:
                self._reader = open_for_reading(self._path, self._busy_timeout_seconds)
                self._opened_file = _identity(self._path)
            return ask(self._reader)

    @contextmanager
    def _as_written(self) -> Iterator[None]:
        """What we wrote can be read, or the file was damaged."""
        try:
            yield
        except (ValueError, TypeError, OverflowError) as error:
            message = f"{self._path} holds something that is no record ({error}): restore it from a copy"
            raise LogStoreCorrupt(message) from error

    @contextmanager
    def _entered(self) -> Iterator[None]:
        with self._lock, explained(self._path):
            if self._closed:
                raise LogStoreError(f"{self.name} is closed")
            # A file that was deleted or replaced behind our back: writing on into it would lose every record.
            if self._opened_file not in (None, _identity(self._path)):
                self._disconnect()
            yield

    def _disconnect(self) -> None:
        for connection in (self._writer, self._reader):
            if connection is not None:
                connection.close()
        self._writer = self._reader = self._opened_file = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _insert(connection: sqlite3.Connection, item: Storable) -> bool:
    """Store one record and its words; False when its id is there already."""
    record = item.record
    inserted = connection.execute(
        _INSERT,
        (
            record.record_id,
            _microseconds(record.timestamp),
            record.service,
            record.level,
            record.message,
            record.dataset,
            record.trace_id,
            record.error_type,
            record.action,
            item.document.decode(),
        ),
    )
    if inserted.rowcount == 0:
        return False
    connection.execute(_INSERT_WORDS, (inserted.lastrowid, " ".join(words(record.message))))
    return True


def _conditions(query: LogQuery) -> tuple[str, tuple[object, ...]]:
    """The WHERE clause of a query and the values to bind."""
    clauses = ["timestamp_us >= ? AND timestamp_us < ?"]
    values: list[object] = [_microseconds(query.start), _microseconds(query.end)]
    for column, wanted in (("service", query.services), ("level", query.levels), ("action", query.actions)):
        if wanted:
            clauses.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
    if query.trace_id is not None:
        clauses.append("trace_id = ?")
        values.append(query.trace_id)
    # Neither is a column: these questions come with a narrow window, and the time index finds its few records.
    if query.source is not None:
        clauses.append("document_source(document) = ?")
        values.append(query.source)
    if query.sequences is not None:
        clauses.append("document_sequence(document) BETWEEN ? AND ?")
        values.extend(query.sequences)
    if asked := words(query.text or ""):
        clauses.append("id IN (SELECT rowid FROM record_words WHERE record_words MATCH ?)")
        values.append(" AND ".join(f'"{word}"' for word in asked))
    return " AND ".join(clauses), tuple(values)


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _record(row: tuple[Any, ...]) -> LogRecord:
    record_id, timestamp_us, service, level, message, dataset, trace_id, error_type, action, document = row
    return LogRecord(
        record_id=record_id,
        timestamp=_moment(timestamp_us),
        service=service,
        level=level,
        message=message,
        dataset=dataset,
        trace_id=trace_id,
        error_type=error_type,
        action=action,
        document=orjson.loads(document),
    )


def _message_count(row: tuple[Any, ...]) -> MessageCount:
    head, level, count, first, last, newest_trace, newest_error_type = row
    return MessageCount(
        message=head,
        level=level,
        count=count,
        first=_moment(first),
        last=_moment(last),
        trace_id=newest_trace and newest_trace[_NEWEST_PREFIX:],
        error_type=newest_error_type and newest_error_type[_NEWEST_PREFIX:],
    )
