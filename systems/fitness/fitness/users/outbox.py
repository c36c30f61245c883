"""Events that are on their way: committed with what they tell of, and kept until the metrics store has them.

An event is pushed to Redis as soon as Redis can be reached, and again when that Redis is another one than it was pushed
to (a restart without its memory, a failover): so that none is lost whatever Redis loses. It is judged once: in time or
late. Late ones stay until they have arrived.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fitness.database import Database

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS users.outbox (
        position bigserial PRIMARY KEY,
        id text NOT NULL UNIQUE,
        payload bytea NOT NULL,
        accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        pushed_to text,
        late boolean NOT NULL DEFAULT false
    )
    """,
)
ADD = "INSERT INTO users.outbox (id, payload) VALUES (%(id)s, %(payload)s)"

# SKIP LOCKED: several users services share the outbox, and none waits for the other.
_TO_PUSH = """
SELECT position, payload FROM users.outbox WHERE pushed_to IS DISTINCT FROM %(server)s
ORDER BY position LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_PUSHED = "UPDATE users.outbox SET pushed_to = %(server)s WHERE position = ANY(%(positions)s)"
_TO_JUDGE = """
SELECT position, id, late, accepted_at, extract(epoch FROM clock_timestamp() - accepted_at)::float AS age_seconds
FROM users.outbox WHERE late = %(late)s ORDER BY position LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_ARRIVED = "DELETE FROM users.outbox WHERE position = ANY(%(positions)s)"
_LATE = "UPDATE users.outbox SET late = true WHERE position = ANY(%(positions)s)"
_WAITING = """
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(accepted_at)), 0)::float AS age_seconds
FROM users.outbox
"""

StoredWhen = Callable[[Sequence[str]], Mapping[str, datetime]]
"""Says of events by id when they were stored; those that aren't are missing."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event as it leaves."""

    id: str
    payload: bytes
    """With its headers, as an entry of the Redis list."""

    def row(self) -> dict[str, object]:
        """What `ADD` inserts."""
        return {"id": self.id, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Judged:
    """How many events were found in time and late."""

    in_time: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What isn't stored yet."""

    events: int
    oldest_age_seconds: float


class Outbox:
    """The table `users.outbox`. Every method raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def push(self, server: str, limit: int, push: Callable[[Sequence[bytes]], str]) -> int:
        """Hand the oldest events that this server hasn't got to `push`, which says which server took them; how many.

        What `push` raises leaves them where they are.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(_TO_PUSH, {"server": server, "limit": limit}).fetchall()
            if rows:
                taken_by = push([bytes(row.payload) for row in rows])
                positions = [row.position for row in rows]
                connection.execute(_PUSHED, {"server": taken_by, "positions": positions})
        return len(rows)

    def judge(self, late_after_seconds: float, limit: int, stored_when: StoredWhen) -> Judged:
        """Judge those that weren't, and forget those that have arrived; at most `limit` of either.

        Each event is judged once. What `stored_when` raises leaves all as they are.
        """
        with self._database.transaction() as connection:
            rows = [
                row
                for late in (False, True)
                for row in connection.execute(_TO_JUDGE, {"late": late, "limit": limit}).fetchall()
            ]
            if not rows:
                return Judged()
            stored = stored_when([row.id for row in rows])
            in_time = 0
            late_ones: list[int] = []
            arrived: list[int] = []
            for row in rows:
                at = stored.get(row.id)
                took_seconds = row.age_seconds if at is None else (at - row.accepted_at).total_seconds()
                if at is not None:
                    arrived.append(row.position)
                if row.late:
                    continue
                if took_seconds > late_after_seconds:
                    late_ones.append(row.position)
                elif at is not None:
                    in_time += 1
            connection.execute(_LATE, {"positions": late_ones})
            connection.execute(_ARRIVED, {"positions": arrived})
        return Judged(in_time, len(late_ones))

    def waiting(self) -> Waiting:
        """What isn't stored yet, as far as is known."""
        with self._database.transaction() as connection:
            row = connection.execute(_WAITING).fetchone()
        return Waiting(0, 0.0) if row is None else Waiting(row.events, max(0.0, row.age_seconds))
