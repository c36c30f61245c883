"""Deliveries and events in PostgreSQL, documents as jsonb: what is known already is not stored again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson
import psycopg
from reference_system.hanging import hung_up_in_time
from reference_system.program import Unavailable

from devops_events.processing.normalising import Record

CONNECT_SECONDS: Final = 3
DEADLINE_SECONDS: Final = 8.0
"""Of a call, whatever the server does: a server that hangs refuses nothing, and ends no statement. With the connection
before it still less than the heartbeat of the broker, which the same thread answers."""
_OPTIONS = "-c statement_timeout=7s -c lock_timeout=5s -c application_name=devops-events-processing"
_SCHEMA_LOCK = 7_315_001
"""Of an advisory lock: workers that start together don't make the same table at the same moment."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    key text PRIMARY KEY,
    platform text NOT NULL,
    event_type text NOT NULL,
    disposition text NOT NULL,
    reason text NOT NULL,
    node text NOT NULL,
    received_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    headers jsonb NOT NULL,
    original jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_stored_at ON deliveries (stored_at);
CREATE TABLE IF NOT EXISTS events (
    event_id text PRIMARY KEY,
    key text NOT NULL REFERENCES deliveries (key),
    kind text NOT NULL,
    service text NOT NULL,
    repository text NOT NULL,
    occurred_at timestamptz NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS events_service ON events (service, occurred_at);
"""
_DELIVERIES = """
INSERT INTO deliveries (key, platform, event_type, disposition, reason, node, received_at, headers, original)
SELECT * FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::jsonb[]
)
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_EVENTS = """
INSERT INTO events (event_id, key, kind, service, repository, occurred_at, document)
SELECT * FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::jsonb[]
)
ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""


class StoreUnavailable(Unavailable):
    """The database could not do what it was asked; the message names the cause."""


class Unstorable(Exception):  # noqa: N818 - reads as what it is
    """The database takes one of these documents never, whatever is tried: such as text with the character NUL."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was new."""

    keys: frozenset[str]
    events: frozenset[str]


class EventStore:
    """The database at `url`; for one thread. A connection that fails is closed, and the next call opens a new one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def add(self, records: Sequence[Record]) -> Stored:
        """Store what isn't there yet, all in one transaction.

        The unique key decides, whoever else writes at the same moment: this is what guarantees that nothing is stored
        twice, with or without the filter at ingestion.

        Raises:
            StoreUnavailable: nothing was stored, or nobody knows whether it was; trying again does no harm.
            Unstorable: nothing was stored, and one of them can't ever be.
        """
        try:
            connection = self._opened()
            with hung_up_in_time(connection, DEADLINE_SECONDS), connection.transaction(), connection.cursor() as cursor:
                keys = _add_deliveries(cursor, records)
                events = _add_events(cursor, [each for each in records if each.envelope.key in keys])
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
            raise Unstorable(str(error).partition("\n")[0]) from error
        except psycopg.Error as error:
            self.close()
            raise StoreUnavailable(f"PostgreSQL can't be used: {str(error).partition(chr(10))[0]}") from error
        return Stored(keys, events)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _opened(self) -> psycopg.Connection:
        if self._connection is None:
            connection = psycopg.connect(
                self._url, connect_timeout=CONNECT_SECONDS, options=_OPTIONS, tcp_user_timeout=10_000, autocommit=True
            )
            try:
                with hung_up_in_time(connection, DEADLINE_SECONDS), connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
                    connection.execute(_SCHEMA)
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _add_deliveries(cursor: psycopg.Cursor, records: Sequence[Record]) -> frozenset[str]:
    """The keys that were new. Sorted: two workers with the same keys wait for each other, and don't deadlock."""
    rows = [
        (
            one.envelope.key,
            one.envelope.platform,
            one.envelope.event_type,
            one.disposition,
            one.reason,
            one.envelope.node,
            one.envelope.received_at,
            orjson.dumps(dict(one.envelope.headers)).decode(),
            one.envelope.body.decode(),
        )
        for one in sorted(records, key=lambda each: each.envelope.key)
    ]
    cursor.execute(_DELIVERIES, [list(column) for column in zip(*rows, strict=True)])
    return frozenset(key for (key,) in cursor.fetchall())


def _add_events(cursor: psycopg.Cursor, records: Sequence[Record]) -> frozenset[str]:
    rows = sorted(
        (event.event_id, record.envelope.key, event.kind, event.service, event.repository, event.occurred_at,
         event.document)
        for record in records for event in record.events
    )  # fmt: skip
    if not rows:
        return frozenset()
    cursor.execute(_EVENTS, [list(column) for column in zip(*rows, strict=True)])
    return frozenset(event_id for (event_id,) in cursor.fetchall())
