"""The queue's file: its schema, how it is opened, whether it still is where it was, what SQLite's errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from sereno_backends.sqlite import transaction

SCHEMA_VERSION = 2
APPLICATION_ID = 0x5352_4C51  # "SRLQ": tells a queue from other people's databases
_HEADER = b"SQLite format 3\0"
PAGE_BYTES = 16 * 1024
"""Bodies are long: larger pages than SQLite's own spare half of the queue's CPU, still larger ones make the put of a
single line dear."""
WAL_PAGES = 1_000
"""The write-ahead log is copied into the file when it has so many; most parcels are settled before that."""
WAL_BYTES = PAGE_BYTES * WAL_PAGES
"""What the write-ahead log is cut back to after a burst."""

SCHEMA = f"""
CREATE TABLE parcel (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queued_at REAL NOT NULL,
    documents INTEGER NOT NULL,
    positions TEXT,
    body BLOB NOT NULL,
    streams TEXT,
    body_bytes INTEGER
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

MARK_DAMAGED = "INSERT OR REPLACE INTO state VALUES ('damaged', 1)"
_SINCE_VERSION_1 = {"streams": "TEXT", "body_bytes": "INTEGER"}
"""Columns of `parcel`; the first files of version 2 lack the second one."""


class QueueError(Exception):
    """The queue's file can't be used as it is; the message says why and what to do."""


class QueueUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The queue can't be written now (a full disk, mostly); nothing was taken, trying again is right."""


class QueueDamaged(QueueError):  # noqa: N818 - reads as what happened
    """The file is no whole database any more; a start rescues what can be read of it."""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the queue's file, making it where there is none.

    Raises:
        QueueDamaged: it is no whole database.
        QueueError: it is another program's, a newer Sereno's, or can't be opened.
    """
    _refuse_other_files(path)
    try:
        connection = connect(path, "rwc")
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
        connection = connect(path, "rw" if os.access(path, os.W_OK) else "ro")
        _refuse_others(connection, path)
    except sqlite3.Error as error:
        raise QueueError(f"the queue {path} can't be read: {error}") from error
    return connection


@dataclass(frozen=True, slots=True)
class Place:
    """Which files a connection works on: deleting or replacing them does not stop it, but loses what it writes."""

    files: tuple[tuple[int, int] | None, ...]

    @classmethod
    def of(cls, path: Path) -> Self:
        """What stands at the path now."""
        return cls(tuple(_identity(name) for name in (path, f"{path}-wal")))


def move_other_file(path: Path, place: Place, moment: float) -> Path | None:
    """Give what somebody put in the queue's place another name, its log with it; that name, if there was something."""
    if _identity(path) in (None, place.files[0]):
        return None
    aside = path.rename(path.with_name(f"{path.name}.replaced-{int(moment)}"))
    log = path.with_name(f"{path.name}-wal")
    if _identity(log) not in (None, place.files[1]):
        log.rename(aside.with_name(f"{aside.name}-wal"))
    return aside


def _identity(path: Path | str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - asked for at every put
    except OSError:
        return None
    return status.st_dev, status.st_ino


def write_anew(connection: sqlite3.Connection, path: Path) -> None:
    """Put a copy of what a connection sees where its file was, in one step.

    Raises:
        sqlite3.Error, OSError: it can't be written now; trying again is right.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, that can be renamed
    synchronise(fresh)
    for suffix in ("-wal", "-shm"):  # of the file that is gone: SQLite would take them for the new one's
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh.rename(path)
    synchronise(path.parent)


def synchronise(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    return primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code == sqlite3.SQLITE_IOERR_SHORT_READ


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection without a transaction of its own accord; the mode is one of SQLite's (`ro`, `rw`, `rwc`)."""
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
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables:  # before anything is changed
        _refuse_others(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file; an older one keeps its own
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    # Debian builds SQLite so that deleted pages are overwritten: each document would be written once more to leave.
    connection.execute("PRAGMA secure_delete = FAST")
    if tables == 0:
        create(connection)
    _upgrade(connection)
    if connection.execute("SELECT 1 FROM state WHERE name = 'damaged'").fetchone():
        raise QueueDamaged(f"{path}: a parcel in it was not what had been written")
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise QueueDamaged(f"{path}: {answer}")


def _upgrade(connection: sqlite3.Connection) -> None:
    """Add what an older file lacks, all of it or nothing."""
    known = {row[1] for row in connection.execute("PRAGMA table_info(parcel)")}
    missing = [f"{name} {kind}" for name, kind in _SINCE_VERSION_1.items() if name not in known]
    if missing:
        with transaction(connection):
            for column in missing:
                connection.execute(f"ALTER TABLE parcel ADD COLUMN {column}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def create(connection: sqlite3.Connection) -> None:
    """The tables of a new file."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";\n"):
        connection.execute(statement)
    connection.execute("COMMIT")


def _refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    """Raise unless the file is one of ours that this version knows."""
    ((application_id,), (version,)) = (
        connection.execute("PRAGMA application_id").fetchone(),
        connection.execute("PRAGMA user_version").fetchone(),
    )
    if application_id != APPLICATION_ID:
        raise QueueError(f"{path} is a SQLite database, but no queue of Sereno's: name another file with --queue")
    if version > SCHEMA_VERSION:
        raise QueueError(f"the queue {path} was written by a newer Sereno: upgrade sereno")
