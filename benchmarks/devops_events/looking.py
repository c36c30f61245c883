"""What became of the deliveries, by what is in them: keys and ids guard against doubles, so they prove nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from benchmarks.devops_events.sending import REPOSITORY

_STILL_SECONDS = 10
_EACH: LiteralString = """
SELECT coalesce(sum(times), 0)::bigint, count(*) FROM ({}) AS each
"""
_DELIVERIES: LiteralString = """
SELECT count(*) AS times FROM deliveries WHERE original #>> '{repository,full_name}' = %s GROUP BY original ->> 'after'
"""
_EVENTS: LiteralString = """
SELECT count(*) AS times FROM events
WHERE document #>> '{devops,repository}' = %s AND kind = 'commit' GROUP BY document #>> '{devops,commit,sha}'
"""

Database = psycopg.Connection[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many rows there are of what was sent, and how many different ones: each delivery has a commit of its own."""

    rows: int
    different: int

    def lost(self, sent: int) -> int:
        """How many of so many different ones aren't there."""
        return sent - self.different

    @property
    def doubled(self) -> int:
        """How many rows say what another one says already."""
        return self.rows - self.different


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the store."""

    deliveries: Kept
    events: Kept


def found(database: Database) -> Found:
    """What is there at this moment."""
    return Found(_kept(database, _DELIVERIES), _kept(database, _EVENTS))


def drained(database: Database, waiting: Callable[[], int], patience_seconds: float) -> Found:
    """What is there once nothing waits on the queue, and nothing has come for ten seconds; or when patience is over."""
    deadline, last, still = time.monotonic() + patience_seconds, found(database), 0
    while time.monotonic() < deadline and still < _STILL_SECONDS:
        time.sleep(1)
        now = found(database)
        still = still + 1 if now == last and not waiting() else 0
        last = now
    return last


def _kept(database: Database, query: LiteralString) -> Kept:
    rows, different = database.execute(_EACH.replace("{}", query), (REPOSITORY,)).fetchone() or (0, 0)
    return Kept(rows, different)
