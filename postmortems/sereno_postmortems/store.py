"""The incident database: deliveries, events and entries are the truth, incidents are folded from them at once.

SQLite in WAL mode with `synchronous = FULL`: what `record` returned for survives a kill and a power cut. A connection
is opened for each operation: threads share nothing, and a database that comes back (disk full, moved) is used again.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sereno_backends.incidents import Incident, IncidentEntry, IncidentStatus
from sereno_backends.sqlite import durable_connection, transaction

from sereno_postmortems.documents import NotAnIncident, incident_from_document
from sereno_postmortems.entries import Submission, entry_from_text, entry_of, is_again, still_to_come
from sereno_postmortems.fold import incident_slug
from sereno_postmortems.pagerduty import PagerDutyEvent, begin_of
from sereno_postmortems.refolding import (
    derive_all_anew,
    groups_of,
    insert_entry,
    note_call,
    note_delivery,
    refold,
    touched_since,
)
from sereno_postmortems.schema import is_foreign, is_newer, make_tables
from sereno_postmortems.webhook import Delivery

LOCK_WAIT_SECONDS = 5.0


class IncidentStoreUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The database can't be read or written; the message names it and the cause. Nothing was written."""


class NoSuchIncident(Exception):  # noqa: N818 - reads as what happened
    """No incident has that id; nothing was written."""


class EntryIdTaken(Exception):  # noqa: N818 - reads as what happened
    """Another entry has the id; nothing was written."""


class EntryRefused(Exception):  # noqa: N818 - reads as what happened
    """The entry contradicts the record; the message says how. Nothing was written."""


class Recorded(StrEnum):
    """What became of a delivery, an event or an entry."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """Its content was stored before; the record is unchanged."""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is on record, and whether it is new there."""

    entry: IncidentEntry
    outcome: Recorded


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
                if make_tables(connection):
                    derive_all_anew(connection)

    def upgrade(self) -> None:
        """As `prepare`, for a file that is there: who only adds an entry makes no empty record by a slip of the pen."""
        if not self._path.exists():
            raise IncidentStoreUnavailable(f"{self.name}: there is no such file")
        self.prepare()

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
            for slug, starts in note_delivery(connection, delivery).items():
                refold(connection, slug, touched_since(connection, slug, min(starts)))
            return Recorded.STORED

    def write(self, incident_id: str, submission: Submission, *, author: str, now: datetime) -> Written:
        """Add an entry to an incident; when this returns one, it is durable. The same submission again changes nothing.

        Raises:
            NoSuchIncident: there is none of that id.
            EntryIdTaken: another entry has the submission's id.
            EntryRefused: it is about the future, or what it corrects isn't an entry of this incident.
        """
        with self._connected() as connection, transaction(connection):
            kept = connection.execute(
                "SELECT document FROM entries WHERE entry_id = ?", (submission.entry_id,)
            ).fetchone()
            if kept is not None:
                entry = entry_from_text(kept[0])
                if not is_again(entry, submission, author):
                    raise EntryIdTaken(f"the id {submission.entry_id} belongs to another entry; choose a new one")
                return Written(entry, Recorded.DUPLICATE)
            row = connection.execute("SELECT document FROM incidents WHERE incident_id = ?", (incident_id,)).fetchone()
            if row is None:
                raise NoSuchIncident(incident_id)
            incident = self._read(row[0])
            refusal = still_to_come(submission, now) or _wrong_correction(incident, submission)
            if refusal is not None:
                raise EntryRefused(refusal)
            corrected = next((one for one in incident.entries if one.entry_id == submission.corrects), None)
            entry = entry_of(submission, author, now, corrected)
            starts_at = insert_entry(connection, incident, entry)
            slug = incident_slug(incident)
            refold(connection, slug, touched_since(connection, slug, starts_at))
            return Written(entry, Recorded.STORED)

    def record_event(self, event: PagerDutyEvent, body: bytes) -> Recorded:
        """Store an event of PagerDuty with its raw body; one that fits no incident yet is put to it when that comes."""
        with self._connected() as connection, transaction(connection):
            stored = connection.execute(
                "INSERT OR IGNORE INTO pagerduty_events VALUES (?, ?, ?, ?)",
                (event.event_id, event.call_id, event.received_at.isoformat(), body),
            )
            if stored.rowcount == 0:
                return Recorded.DUPLICATE
            call = note_call(connection, event.call_id)
            for digest in groups_of(call):
                slugs = connection.execute("SELECT slug FROM group_slugs WHERE group_digest = ?", (digest,)).fetchall()
                for (slug,) in slugs:
                    refold(connection, slug, touched_since(connection, slug, begin_of(call)))
            return Recorded.STORED

    def incidents(
        self, status: IncidentStatus | None = None, *, service: str = "", slo: str = "", limit: int = 1000
    ) -> tuple[Incident, ...]:
        """The incidents opened last, newest first; of one service, or of SLOs of one name, where that is given."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT document FROM incidents WHERE (?1 IS NULL OR status = ?1)"
                " AND (?2 = '' OR json_extract(document, '$.service') = ?2)"
                " AND (?3 = '' OR json_extract(document, '$.slo') = ?3)"
                " ORDER BY opened_at DESC, incident_id DESC LIMIT ?4",
                (status and status.value, service, slo, limit),
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
        if is_foreign(connection):
            raise IncidentStoreUnavailable(f"{self.name} belongs to another program")
        if is_newer(connection):
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


def _wrong_correction(incident: Incident, submission: Submission) -> str | None:
    if submission.corrects is None or submission.corrects in {entry.entry_id for entry in incident.entries}:
        return None
    return f"corrects: {incident.incident_id} has no entry {submission.corrects}"
