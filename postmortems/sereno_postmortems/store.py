"""The incident database: raw deliveries are the truth, incidents are folded from them in the same transaction.

SQLite in WAL mode with `synchronous = FULL`: what `record` returned for survives a kill and a power cut. A connection
is opened for each operation: threads share nothing, and a database that comes back (disk full, moved) is used again.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sereno_backends.incidents import Incident, IncidentStatus
from sereno_backends.sqlite import durable_connection, transaction

from sereno_postmortems.documents import NotAnIncident, incident_document, incident_from_document
from sereno_postmortems.fold import fold, incident_slug, starts_by_slug
from sereno_postmortems.webhook import Delivery, NotAlertmanager, NotJson, read_delivery

FOLD_VERSION = 1
"""Kept in `user_version`; raise it when the rules of `fold` change: the next start folds all incidents anew."""

APPLICATION_ID = 0x5352_4943  # "SRIC": tells an incident database from other people's (and from a log store)

BEFORE_ALL_TIMES = datetime(1, 1, 1, tzinfo=UTC)
LOCK_WAIT_SECONDS = 5.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    content_hash TEXT PRIMARY KEY,
    received_at TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery_slugs (
    slug TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES deliveries (content_hash),
    latest_start TEXT NOT NULL,
    PRIMARY KEY (slug, content_hash)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivery_slugs_by_start ON delivery_slugs (slug, latest_start);
CREATE TABLE IF NOT EXISTS incidents (
    incident_id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    resolved_at TEXT,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS incidents_by_slug ON incidents (slug, opened_at);
CREATE INDEX IF NOT EXISTS incidents_by_opening ON incidents (opened_at);
"""


class IncidentStoreUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The database can't be read or written; the message names it and the cause. Nothing was written."""


class Recorded(StrEnum):
    """What became of a delivery."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """Its content was stored before; the record is unchanged."""


class IncidentStore:
    """Incidents in one SQLite file. Every method may raise `IncidentStoreUnavailable`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What to call this store in messages and evidence."""
        return f"incident database {self._path}"

    def prepare(self) -> None:
        """Make the file and its tables if missing; fold all incidents anew if the rules have changed since."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IncidentStoreUnavailable(f"{self.name}: {error.strerror}: {error.filename}") from error
        with self._connected(mode="rwc") as connection:
            self._refuse_foreign(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            with transaction(connection):
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version != FOLD_VERSION:
                    for (slug,) in connection.execute("SELECT DISTINCT slug FROM delivery_slugs").fetchall():
                        _refold(connection, slug, BEFORE_ALL_TIMES)
                    connection.execute(f"PRAGMA user_version = {FOLD_VERSION}")

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep one connection open meanwhile, so that no operation is the last one out.

        The last connection of a WAL database writes everything back and removes the WAL and its index: work for every
        delivery, and on a full disk even readers couldn't make the index again.
        """
        with self._connected() as connection:
            connection.execute("SELECT count(*) FROM incidents").fetchone()  # opens the WAL; connecting alone doesn't
            yield

    def record(self, delivery: Delivery, body: bytes) -> Recorded:
        """Store a delivery with its raw body and bring its incidents up to date; when this returns, it is durable."""
        with self._connected() as connection, transaction(connection):
            stored = connection.execute(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?)",
                (delivery.content_hash, delivery.received_at.isoformat(), body),
            )
            if stored.rowcount == 0:
                return Recorded.DUPLICATE
            for slug, starts in starts_by_slug(delivery).items():
                connection.execute(
                    "INSERT INTO delivery_slugs VALUES (?, ?, ?)", (slug, delivery.content_hash, _text(max(starts)))
                )
                _refold(connection, slug, _touched_since(connection, slug, min(starts)))
            return Recorded.STORED

    def incidents(self, status: IncidentStatus | None = None, *, limit: int = 1000) -> tuple[Incident, ...]:
        """The incidents opened last, newest first."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT document FROM incidents WHERE ?1 IS NULL OR status = ?1"
                " ORDER BY opened_at DESC, incident_id DESC LIMIT ?2",
                (status and status.value, limit),
            ).fetchall()
        return tuple(self._read(document) for (document,) in rows)

    def incident(self, incident_id: str) -> Incident | None:
        """The incident of that id; None if there is none."""
        with self._connected() as connection:
            row = connection.execute("SELECT document FROM incidents WHERE incident_id = ?", (incident_id,)).fetchone()
        return None if row is None else self._read(row[0])

    def counts(self) -> dict[IncidentStatus, int]:
        """How many incidents have each status, zeros included."""
        with self._connected() as connection:
            rows = connection.execute("SELECT status, count(*) FROM incidents GROUP BY status").fetchall()
        found = dict(rows)
        return {status: int(found.get(status.value, 0)) for status in IncidentStatus}

    def check_writable(self) -> None:
        """Return if the database can be locked for writing."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if tables and application != APPLICATION_ID:
            raise IncidentStoreUnavailable(f"{self.name} belongs to another program")
        if version > FOLD_VERSION:
            raise IncidentStoreUnavailable(f"{self.name} was written by a newer Sereno; upgrade this one")

    def _read(self, document: str) -> Incident:
        try:
            return incident_from_document(json.loads(document))
        except (NotAnIncident, ValueError) as error:
            raise IncidentStoreUnavailable(f"{self.name} holds something that is no incident: {error}") from error

    @contextmanager
    def _connected(self, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """A connection for one operation; `rw` doesn't create a missing file."""
        try:
            with durable_connection(self._path, mode=mode, wait_seconds=LOCK_WAIT_SECONDS) as connection:
                yield connection
        except sqlite3.Error as error:
            why = error if self._path.exists() else "there is no such file"
            raise IncidentStoreUnavailable(f"{self.name}: {why}") from error


def _touched_since(connection: sqlite3.Connection, slug: str, earliest_start: datetime) -> datetime:
    """From when on incidents of a slug may change by alerts that began at `earliest_start` or later.

    A midnight, because incidents are numbered within a day, that no incident lasted beyond, because what overlaps
    belongs together. So a delivery costs what its days cost, however long the record is.
    """
    since = earliest_start
    while True:
        midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
        (opened_at,) = connection.execute(
            "SELECT min(opened_at) FROM incidents WHERE slug = ? AND (resolved_at IS NULL OR resolved_at >= ?)",
            (slug, _text(midnight)),
        ).fetchone()
        earlier = midnight if opened_at is None else min(midnight, datetime.fromisoformat(opened_at))
        if earlier == since:
            return since
        since = earlier


def _refold(connection: sqlite3.Connection, slug: str, since: datetime) -> None:
    """Replace a slug's incidents that were opened since then by those that its deliveries tell of now."""
    rows = connection.execute(
        "SELECT body, received_at FROM deliveries JOIN delivery_slugs USING (content_hash)"
        " WHERE slug = ? AND latest_start >= ?",
        (slug, _text(since)),
    )
    deliveries = [_stored_delivery(body, received_at) for body, received_at in rows]
    incidents = [incident for incident in fold(deliveries, since=since) if incident_slug(incident) == slug]
    connection.execute("DELETE FROM incidents WHERE slug = ? AND opened_at >= ?", (slug, _text(since)))
    connection.executemany(
        "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                incident.incident_id,
                slug,
                incident.status.value,
                _text(incident.opened_at),
                incident.resolved_at and _text(incident.resolved_at),
                json.dumps(incident_document(incident)),
            )
            for incident in incidents
        ],
    )


def _text(moment: datetime) -> str:
    """A time in UTC, always of one width, so that the order of texts is the order of times."""
    return moment.isoformat(timespec="microseconds")


def _stored_delivery(body: bytes, received_at: str) -> Delivery:
    delivery = read_delivery(body, datetime.fromisoformat(received_at))
    if isinstance(delivery, NotJson | NotAlertmanager):
        raise TypeError(f"a stored delivery can't be read any more: {delivery}")
    return delivery
