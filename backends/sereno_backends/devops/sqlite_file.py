"""The file of the embedded store of DevOps events: its tables, how it is opened, what its errors mean to a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sereno_backends.devops.store import DevOpsStoreForeign, DevOpsStoreTooNew, DevOpsStoreUnavailable
from sereno_backends.sqlite import durable_connection, transaction

SCHEMA_VERSION = 1
APPLICATION_ID = 0x5352_444F  # "SRDO": tells it from other people's databases, and from Sereno's others
LOCK_WAIT_SECONDS = 5.0

# Times are RFC 3339 in UTC with microseconds: always of one width, so that the order of texts is the order of times.
# AUTOINCREMENT: a number is never given twice, whatever is deleted; readers go on behind the last one that they saw.
SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    provider TEXT NOT NULL,
    event_type TEXT NOT NULL,
    received_at TEXT NOT NULL,
    disposition TEXT NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (source, delivery_id),
    UNIQUE (source, content_hash)
);
CREATE INDEX IF NOT EXISTS delivery_by_disposition ON delivery (disposition, number);
CREATE INDEX IF NOT EXISTS delivery_by_source ON delivery (source, received_at);
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    repository TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_time ON event (kind, occurred_at);
CREATE TABLE IF NOT EXISTS forwarded (
    destination TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
    destination TEXT NOT NULL,
    event_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (destination, event_id)
) WITHOUT ROWID
"""


class EventFile:
    """One SQLite file in WAL mode with `synchronous = FULL`: what was committed survives a kill and a power cut.

    A connection is opened for each operation: threads share nothing, and a file that comes back is used again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"store of DevOps events {self._path}"

    def prepare(self) -> None:
        """Make the file and its tables if missing.

        Raises:
            DevOpsStoreForeign: the file belongs to another program, or is no database.
            DevOpsStoreTooNew: a newer Sereno wrote it.
            DevOpsStoreUnavailable: it can't be made or opened.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DevOpsStoreUnavailable(f"{self.name}: {error.strerror}: {error.filename}") from error
        with self.connected(mode="rwc") as connection:
            self._refuse_foreign(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            with transaction(connection):
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def connected(self, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """A connection for one operation; `rw` doesn't create a missing file, `ro` changes nothing."""
        try:
            with durable_connection(self._path, mode=mode, wait_seconds=LOCK_WAIT_SECONDS) as connection:
                yield connection
        except sqlite3.Error as error:
            raise self._explanation(error) from error
        except UnicodeDecodeError as error:  # SQLite's own message quotes the damage
            raise DevOpsStoreForeign(f"{self.name} is a damaged database") from error

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if tables and application != APPLICATION_ID:
            raise DevOpsStoreForeign(f"{self.name} belongs to another program")
        if version > SCHEMA_VERSION:
            raise DevOpsStoreTooNew(f"{self.name} was written by a newer Sereno; upgrade this one")

    def _explanation(self, error: sqlite3.Error) -> DevOpsStoreUnavailable:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return DevOpsStoreForeign(f"{self.name} is no SQLite database or a damaged one ({error})")
        if primary == sqlite3.SQLITE_CANTOPEN and not self._path.exists():
            return DevOpsStoreUnavailable(f"{self.name}: there is no such file")
        return DevOpsStoreUnavailable(f"{self.name}: {error}")
