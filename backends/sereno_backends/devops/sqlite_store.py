"""The embedded store of DevOps events: one SQLite file that also is the outbox of what is forwarded elsewhere."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from sereno_backends.devops.documents import NotADevOpsEvent, event_document, event_from_document
from sereno_backends.devops.model import DevOpsEvent, EventKind, Provider
from sereno_backends.devops.sqlite_file import EventFile
from sereno_backends.devops.store import (
    Delivery,
    DevOpsQuery,
    DevOpsStoreForeign,
    Disposition,
    NumberedEvent,
    Receipt,
    Recorded,
)
from sereno_backends.sqlite import transaction

_COMPRESSION_LEVEL = 1  # within a delivery's answer; higher levels save little of JSON and cost several times the CPU

_KNOWN = "SELECT number, disposition FROM delivery WHERE source = ?1 AND (delivery_id = ?2 OR content_hash = ?3)"
_INSERT_EVENT = (
    "INSERT INTO event (event_id, kind, occurred_at, repository, service, environment, document)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING"
)


class SqliteDevOpsEventStore:
    """DevOps events in one SQLite file; see `DevOpsEventStore`. `prepare` makes the file."""

    def __init__(self, path: Path) -> None:
        self._file = EventFile(path)

    @property
    def name(self) -> str:
        """Kind and path."""
        return self._file.name

    def prepare(self) -> None:
        """Make the file and its tables if missing; see `EventFile.prepare`."""
        self._file.prepare()

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep one connection open meanwhile, so that no operation is the last one out and tidies the WAL away."""
        with self._file.connected() as connection:
            connection.execute("SELECT count(*) FROM forwarded").fetchone()  # opens the WAL; connecting alone doesn't
            yield

    def check_writable(self) -> None:
        """Return if the file can be locked for writing."""
        with self._file.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def record(self, deliveries: Sequence[Delivery]) -> tuple[Receipt, ...]:
        """See `DevOpsEventStore.record`."""
        with self._file.connected() as connection, transaction(connection):
            return tuple(_record(connection, delivery) for delivery in deliveries)

    def events(self, query: DevOpsQuery) -> tuple[DevOpsEvent, ...]:
        """See `DevOpsEventStore.events`."""
        where, values = _conditions(query)
        sql = f"SELECT document FROM event WHERE {where} ORDER BY occurred_at DESC, event_id DESC LIMIT ?"  # noqa: S608
        with self._file.connected() as connection:
            rows = connection.execute(sql, (*values, -1 if query.limit is None else query.limit)).fetchall()
        return tuple(self._read(document) for (document,) in reversed(rows))

    def deployments_between(
        self, start: datetime, end: datetime, *, service: str | None = None
    ) -> tuple[DevOpsEvent, ...]:
        """See `DevOpsEventStore.deployments_between`."""
        services = () if service is None else (service,)
        return self.events(DevOpsQuery(start, end, kinds=(EventKind.DEPLOYMENT,), services=services))

    def events_after(self, number: int, *, limit: int) -> tuple[NumberedEvent, ...]:
        """See `DevOpsEventStore.events_after`."""
        with self._file.connected() as connection:
            rows = connection.execute(
                "SELECT number, document FROM event WHERE number > ? ORDER BY number LIMIT ?", (number, limit)
            ).fetchall()
        return tuple(NumberedEvent(found, self._read(document)) for found, document in rows)

    def original(self, event: DevOpsEvent) -> bytes | None:
        """See `DevOpsEventStore.original`."""
        with self._file.connected() as connection:
            row = connection.execute(
                "SELECT body FROM delivery WHERE source = ? AND delivery_id = ?", (event.source, event.delivery_id)
            ).fetchone()
        with self._as_written("delivery"):
            return None if row is None else zlib.decompress(row[0])

    def knows(self, source: str, delivery_id: str) -> bool:
        """Whether a delivery of that id is kept."""
        with self._file.connected() as connection:
            found = connection.execute(
                "SELECT 1 FROM delivery WHERE source = ? AND delivery_id = ?", (source, delivery_id)
            ).fetchone()
        return found is not None

    def kept(self, disposition: Disposition, *, limit: int = 100) -> tuple[Delivery, ...]:
        """See `DevOpsEventStore.kept`."""
        with self._file.connected() as connection:
            rows = connection.execute(
                "SELECT source, provider, delivery_id, content_hash, event_type, received_at, body, disposition, reason"
                " FROM delivery WHERE disposition = ? ORDER BY number DESC LIMIT ?",
                (disposition.value, limit),
            ).fetchall()
        with self._as_written("delivery"):
            return tuple(_delivery(row) for row in rows)

    def heard(self, source: str, period: timedelta) -> tuple[datetime, ...]:
        """See `DevOpsEventStore.heard`."""
        with self._file.connected() as connection, self._as_written("delivery"):
            (newest,) = connection.execute(
                "SELECT max(received_at) FROM delivery WHERE source = ?", (source,)
            ).fetchone()
            if newest is None:
                return ()
            rows = connection.execute(
                "SELECT received_at FROM delivery WHERE source = ? AND received_at >= ? ORDER BY received_at",
                (source, _text(datetime.fromisoformat(newest) - period)),
            ).fetchall()
            return tuple(datetime.fromisoformat(received_at) for (received_at,) in rows)

    def counts(self) -> Mapping[EventKind, int]:
        """See `DevOpsEventStore.counts`."""
        with self._file.connected() as connection:
            found = dict(connection.execute("SELECT kind, count(*) FROM event GROUP BY kind").fetchall())
        return {kind: int(found.get(kind.value, 0)) for kind in EventKind}

    def forwarded(self, destination: str) -> int:
        """The number up to which events were forwarded there; 0 where none was."""
        with self._file.connected() as connection:
            row = connection.execute("SELECT number FROM forwarded WHERE destination = ?", (destination,)).fetchone()
        return 0 if row is None else int(row[0])

    def note_forwarded(self, destination: str, number: int, refused: Mapping[str, str]) -> None:
        """All events up to that number were answered for; `refused` has the reasons for those that never will be."""
        with self._file.connected() as connection, transaction(connection):
            connection.executemany(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)",
                [(destination, event_id, reason) for event_id, reason in refused.items()],
            )
            connection.execute(
                "INSERT INTO forwarded VALUES (?1, ?2) ON CONFLICT DO UPDATE SET number = max(number, ?2)",
                (destination, number),
            )

    def refusals(self, destination: str) -> Mapping[str, str]:
        """The reasons for the events that were refused for good there, by event id."""
        with self._file.connected() as connection:
            rows = connection.execute("SELECT event_id, reason FROM refused WHERE destination = ?", (destination,))
            return dict(rows.fetchall())

    def waiting(self, destination: str) -> int:
        """How many events are still to be forwarded there."""
        with self._file.connected() as connection:
            (waiting,) = connection.execute(
                "SELECT count(*) FROM event WHERE number >"
                " coalesce((SELECT number FROM forwarded WHERE destination = ?), 0)",
                (destination,),
            ).fetchone()
        return int(waiting)

    def _read(self, document: str) -> DevOpsEvent:
        with self._as_written("event"):
            return event_from_document(orjson.loads(document))

    @contextmanager
    def _as_written(self, what: str) -> Iterator[None]:
        """What we wrote can be read, or the file was damaged."""
        try:
            yield
        except (NotADevOpsEvent, ValueError, TypeError, OverflowError, zlib.error) as error:
            raise DevOpsStoreForeign(f"{self.name} holds something that is no {what}: {error}") from error


def _record(connection: sqlite3.Connection, delivery: Delivery) -> Receipt:
    known = connection.execute(_KNOWN, (delivery.source, delivery.delivery_id, delivery.content_hash)).fetchall()
    only_originals = all(disposition == Disposition.UNKNOWN_SCHEMA.value for _, disposition in known)
    if known and not (only_originals and delivery.disposition is Disposition.TRANSLATED):
        return Receipt(Recorded.DUPLICATE)
    connection.executemany("DELETE FROM delivery WHERE number = ?", [(number,) for number, _ in known])
    _insert(connection, delivery)
    return Receipt(
        Recorded.STORED,
        tuple(event for event in delivery.events if connection.execute(_INSERT_EVENT, _row(event)).rowcount),
    )


def _insert(connection: sqlite3.Connection, delivery: Delivery) -> None:
    connection.execute(
        "INSERT INTO delivery (source, delivery_id, content_hash, provider, event_type, received_at, disposition,"
        " reason, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery.source,
            delivery.delivery_id,
            delivery.content_hash,
            delivery.provider.value,
            delivery.event_type,
            _text(delivery.received_at),
            delivery.disposition.value,
            delivery.reason,
            zlib.compress(delivery.body, _COMPRESSION_LEVEL),
        ),
    )


def _row(event: DevOpsEvent) -> tuple[str, ...]:
    return (
        event.event_id,
        event.kind.value,
        _text(event.occurred_at),
        event.repository,
        event.service,
        event.environment,
        orjson.dumps(event_document(event)).decode(),
    )


def _delivery(row: tuple[str, str, str, str, str, str, bytes, str, str]) -> Delivery:
    source, provider, delivery_id, content_hash, event_type, received_at, body, disposition, reason = row
    return Delivery(
        source=source,
        provider=Provider(provider),
        delivery_id=delivery_id,
        content_hash=content_hash,
        event_type=event_type,
        received_at=datetime.fromisoformat(received_at),
        body=zlib.decompress(body),
        events=(),
        disposition=Disposition(disposition),
        reason=reason,
    )


def _conditions(query: DevOpsQuery) -> tuple[str, tuple[str, ...]]:
    conditions, values = ["1"], list[str]()
    if query.start is not None:
        conditions.append("occurred_at >= ?")
        values.append(_text(query.start))
    if query.end is not None:
        conditions.append("occurred_at < ?")
        values.append(_text(query.end))
    chosen = (
        ("kind", [kind.value for kind in query.kinds]),
        ("repository", query.repositories),
        ("service", query.services),
        ("environment", query.environments),
    )
    for column, wanted in chosen:
        if wanted:
            conditions.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - of the names above
            values.append(json.dumps(list(wanted)))
    return " AND ".join(conditions), tuple(values)


def _text(moment: datetime) -> str:
    """A time in UTC, always of one width, so that the order of texts is the order of times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
