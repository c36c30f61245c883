"""The queue's file: its schema, how it is opened, what becomes of a damaged one, what SQLite's errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

SCHEMA_VERSION = 1
APPLICATION_ID = 0x5352_4C51  # "SRLQ": tells a queue from other people's databases
_HEADER = b"SQLite format 3\0"
WAL_BYTES = 16 * 1024 * 1024
"""What the write-ahead log is cut back to after a burst."""

SCHEMA = f"""
CREATE TABLE parcel (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queued_at REAL NOT NULL,
    documents INTEGER NOT NULL,
    positions TEXT,
    body BLOB NOT NULL
);
CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE received (
    hour TEXT NOT NULL,
    source TEXT NOT NULL,
    service TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    PRIMARY KEY (hour, source, service)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


class QueueError(Exception):
    """The queue's file can't be used as it is; the message says why and what to do."""


class QueueUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The queue can't be written now (a full disk, mostly); nothing was taken, trying again is right."""


class QueueDamaged(Exception):  # noqa: N818 - reads as what happened
    """The file is no whole database any more."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the queue's file, making it where there is none.

    Raises:
        QueueDamaged: it is no whole database.
        QueueError: it is another program's, a newer Sereno's, or can't be opened.
    """
    _refuse_other_files(path)
    try:
        connection = _connect(path, "rwc")
    except sqlite3.OperationalError as error:
        raise QueueError(f"the queue {path} can't be opened: {error}") from error
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        if is_damage(error):
            raise QueueDamaged(f"{path}: {error}") from error
        raise QueueError(f"the queue {path} can't be opened: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing queue beside the collector that writes it.

    Raises:
        QueueError: there is none, or it is no queue that this Sereno knows.
    """
    if not path.is_file():
        raise QueueError(f"no queue at {path}: `sereno collect logs` makes one; name it with --queue")
    try:
        connection = _connect(path, "rw" if os.access(path, os.W_OK) else "ro")
        _refuse_others(connection, path)
    except sqlite3.Error as error:
        raise QueueError(f"the queue {path} can't be read: {error}") from error
    return connection


def move_aside(path: Path, moment: float) -> Path:
    """Give a damaged file another name, with what belongs to it."""
    aside = path.with_name(f"{path.name}.damaged-{int(moment)}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def readable_parcels(path: Path) -> Iterator[tuple[float, int, bytes]]:
    """What can still be read of a damaged file: time of queueing, documents and body of each whole parcel."""
    with suppress(sqlite3.Error), closing(_connect(path, "rw")) as connection:
        (last,) = connection.execute("SELECT max(number) FROM parcel").fetchone()
        for number in range(1, (last or 0) + 1):
            with suppress(sqlite3.DatabaseError):
                row = connection.execute(
                    "SELECT queued_at, documents, body FROM parcel WHERE number = ?", (number,)
                ).fetchone()
                if row is not None and row[2].count(b"\n") == 2 * row[1]:
                    yield row


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the queue's own."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise QueueDamaged(f"{path}: {error}") from error
        raise QueueUnavailable(f"the queue {path} can't be written now ({error}): is its disk full?") from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is at fault."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=5.0, isolation_level=None, check_same_thread=False
    )


def _refuse_other_files(path: Path) -> None:
    """A file that never was a database is somebody's own: it must not be taken for a damaged queue."""
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_HEADER))
    except OSError:
        return  # there is none, or SQLite tells
    if beginning and beginning != _HEADER:
        raise QueueError(f"{path} is no queue but some other file: name another one with --queue, or move it away")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    # Debian builds SQLite so that deleted pages are overwritten: each document would be written once more to leave.
    connection.execute("PRAGMA secure_delete = FAST")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        _create(connection)
    _refuse_others(connection, path)
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise QueueDamaged(f"{path}: {answer}")


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";\n"):
        connection.execute(statement)
    connection.execute("COMMIT")


def _refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    ((application_id,), (version,)) = (
        connection.execute("PRAGMA application_id").fetchone(),
        connection.execute("PRAGMA user_version").fetchone(),
    )
    if application_id != APPLICATION_ID:
        raise QueueError(f"{path} is a SQLite database, but no queue of Sereno's: name another file with --queue")
    if version > SCHEMA_VERSION:
        raise QueueError(f"the queue {path} was written by a newer Sereno: upgrade sereno")
