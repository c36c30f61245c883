"""The metrics service's store: events as documents (jsonb), and what is aggregated of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fitness.database import Database
from fitness.events import Event

SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS metrics",
    """
    CREATE TABLE IF NOT EXISTS metrics.events (
        id text PRIMARY KEY,
        stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        happened_at timestamptz NOT NULL,
        document jsonb NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS events_by_kind ON metrics.events ((document->>'kind'), happened_at)",
    "CREATE INDEX IF NOT EXISTS events_by_user ON metrics.events ((document->>'user'), happened_at)",
)
_ADD = """
INSERT INTO metrics.events (id, happened_at, document) VALUES (%(id)s, %(happened_at)s, CAST(%(document)s AS jsonb))
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_STORED = "SELECT id, stored_at FROM metrics.events WHERE id = ANY(%(ids)s)"
_LOG_INS = """
SELECT (happened_at AT TIME ZONE 'UTC')::date AS day, count(*) AS log_ins, count(DISTINCT document->>'user') AS users
FROM metrics.events WHERE document->>'kind' = 'logged-in' AND happened_at >= %(since)s GROUP BY day ORDER BY day
"""
_TRAININGS = """
SELECT (happened_at AT TIME ZONE 'UTC')::date AS day, document->'training'->>'type' AS type,
    count(*) AS trainings, sum((document->'training'->>'minutes')::integer) AS minutes
FROM metrics.events WHERE document->>'kind' = 'training-created' AND happened_at >= %(since)s
GROUP BY day, type ORDER BY day, type
"""
# The last word of each user counts: events may be stored in another order than they happened.
_BLOCKED = """
SELECT count(*) AS users FROM (
    SELECT DISTINCT ON (document->>'user') document->>'kind' AS kind
    FROM metrics.events WHERE document->>'kind' IN ('blocked', 'unblocked')
    ORDER BY document->>'user', happened_at DESC
) AS last WHERE kind = 'blocked'
"""


@dataclass(frozen=True, slots=True)
class LogIns:
    """Log-ins of one day (UTC)."""

    day: date
    log_ins: int
    users: int
    """How many different ones."""


@dataclass(frozen=True, slots=True)
class Trainings:
    """Trainings of one type on one day (UTC)."""

    day: date
    type: str
    trainings: int
    minutes: int


class MetricsStore:
    """The table `metrics.events`. Every method raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, events: Sequence[Event]) -> int:
        """Write all in one commit; how many were new. Those that are there already stay as they are."""
        new = 0
        with self._database.transaction() as connection:
            for event in events:
                document = event.model_dump_json(exclude_none=True)
                row = {"id": event.id, "happened_at": event.at, "document": document}
                new += connection.execute(_ADD, row).fetchone() is not None
        return new

    def stored(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each of these events was stored; those that aren't are missing."""
        with self._database.transaction() as connection:
            return {row.id: row.stored_at for row in connection.execute(_STORED, {"ids": list(ids)})}

    def log_ins(self, since: datetime) -> tuple[LogIns, ...]:
        """Per day, oldest first; days without any are missing."""
        with self._database.transaction() as connection:
            rows = connection.execute(_LOG_INS, {"since": since}).fetchall()
        return tuple(LogIns(row.day, row.log_ins, row.users) for row in rows)

    def trainings(self, since: datetime) -> tuple[Trainings, ...]:
        """Per day and type, oldest first; those without any are missing."""
        with self._database.transaction() as connection:
            rows = connection.execute(_TRAININGS, {"since": since}).fetchall()
        return tuple(Trainings(row.day, row.type, row.trainings, row.minutes) for row in rows)

    def blocked_users(self) -> int:
        """How many are blocked now."""
        with self._database.transaction() as connection:
            row = connection.execute(_BLOCKED).fetchone()
        return 0 if row is None else int(row.users)
