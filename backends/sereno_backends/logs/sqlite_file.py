"""The file of the SQLite log store: how it is opened, which version it has, what its errors mean to a person."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson

from sereno_backends.logs.ecs import sequence_of, source_of
from sereno_backends.logs.model import (
    LogStoreCorrupt,
    LogStoreError,
    LogStoreReadOnly,
    LogStoreRefused,
    LogStoreTooNew,
    LogStoreUnreachable,
)
from sereno_backends.logs.words import message_head

SCHEMA_VERSION = 1
APPLICATION_ID = 0x5352_4C47  # "SRLG": tells a log store from other people's databases

# `id` is the order of writing: it breaks ties between equal timestamps. The word index is contentless (the words are
# derived from `message`), which saves a second copy of every message.
SCHEMA = f"""
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    record_id TEXT NOT NULL UNIQUE,
    timestamp_us INTEGER NOT NULL,
    service TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    dataset TEXT NOT NULL,
    trace_id TEXT,
    error_type TEXT,
    action TEXT,
    document TEXT NOT NULL
);
CREATE INDEX record_by_time ON record (timestamp_us);
CREATE INDEX record_by_level ON record (level, timestamp_us);
CREATE INDEX record_by_trace ON record (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX record_by_action ON record (action, timestamp_us) WHERE action IS NOT NULL;
CREATE VIRTUAL TABLE record_words USING fts5 (words, content='', tokenize="unicode61 remove_diacritics 0");
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


def open_for_writing(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    """Open the store's file, creating it with its schema when it does not exist."""
    if path.exists() and not os.access(path, os.W_OK):
        raise LogStoreReadOnly(f"{path} can't be written by this user")
    connection = _connect(path, "mode=rwc", busy_timeout_seconds)
    try:
        if not _has_schema(connection, path):
            # Before anything is written: retention can then give free pages back to the file system, bit by bit.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _switch_to_wal(connection, busy_timeout_seconds)
            _create_schema(connection, path)
        # FULL: what was answered as written survives a power cut, not only a kill.
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, busy_timeout_seconds: float) -> sqlite3.Connection:
    """Open an existing store, also one that this user may only read; never creates a file."""
    if not path.exists():
        raise LogStoreUnreachable(f"no log store at {path} (`sereno collect logs --log-store {path}` writes one)")
    modes = _reading_modes(path)
    for attempt, mode in enumerate(modes, start=1):
        connection = _connect(path, mode, busy_timeout_seconds)
        try:
            if _has_schema(connection, path):
                return connection
        except sqlite3.OperationalError:
            connection.close()
            if attempt == len(modes):
                raise
        except BaseException:
            connection.close()
            raise
        else:
            connection.close()
            raise LogStoreUnreachable(f"{path} holds no log store yet: nothing was written to it")
    raise AssertionError("the last mode returned or raised")


def _reading_modes(path: Path) -> tuple[str, ...]:
    """How to try to open the file, in this order."""
    if os.access(path, os.W_OK):
        return ("mode=rw",)
    if Path(f"{path}-wal").exists():
        return ("mode=ro",)
    # An archived file in a folder that can't be written has no room for SQLite's shared memory: where no writer has
    # left a log beside it, it can be read as the unchanging file that it is.
    return ("mode=ro", "immutable=1")


def _connect(path: Path, mode: str, busy_timeout_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=busy_timeout_seconds,
        isolation_level=None,  # transactions are begun and ended in the open
        check_same_thread=False,  # the store itself lets one thread in at a time
    )
    connection.create_function("message_head", 1, message_head, deterministic=True)
    connection.create_function("document_source", 1, lambda text: source_of(orjson.loads(text)), deterministic=True)
    connection.create_function("document_sequence", 1, lambda text: sequence_of(orjson.loads(text)), deterministic=True)
    return connection


def _has_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the schema stands; refuses newer ones and other people's databases."""
    # Tables first: whoever creates the schema meanwhile commits them and its numbers together.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        return False
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    if application_id != APPLICATION_ID:
        raise LogStoreCorrupt(f"{path} is a SQLite database, but no log store of Sereno's: choose another file")
    if version > SCHEMA_VERSION:
        raise LogStoreTooNew(
            f"{path} was written by a newer Sereno (schema {version}, this one knows {SCHEMA_VERSION}): upgrade sereno"
        )
    return True


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout_seconds: float) -> None:
    """Switch the journal mode; SQLite's own waiting doesn't cover two processes that do it at once."""
    deadline = time.monotonic() + busy_timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _create_schema(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with closing(connection.cursor()) as cursor:
        try:
            if not _has_schema(connection, path):  # another process may have been first
                for statement in SCHEMA.split(";\n"):
                    cursor.execute(statement)
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the log store's own, with the path and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes the damage
        raise LogStoreCorrupt(f"{path} is a damaged database: move it away or restore it from a copy") from error


def _explanation(path: Path, error: sqlite3.Error) -> LogStoreError:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the primary code
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return LogStoreCorrupt(
                f"{path} is no SQLite database or a damaged one ({error}): move it away or restore it from a copy"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return LogStoreReadOnly(f"{path} can't be written by this user ({error})")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return LogStoreUnreachable(f"{path} is kept locked by another process ({error})")
        case sqlite3.SQLITE_FULL:
            return LogStoreRefused(f"{path} can't grow: the disk is full")
        case sqlite3.SQLITE_CANTOPEN:
            return LogStoreUnreachable(f"{path} can't be opened: {_why_not(path)}")
        case _:
            return LogStoreUnreachable(f"{path}: {error}")


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} doesn't exist (mkdir -p {path.parent})"
    return "this user may not read it, or not write into its folder"
