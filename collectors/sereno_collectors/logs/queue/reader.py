"""Looking into the queue from another process: for `sereno reconcile` and `sereno logs doctor`."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from sereno_collectors.logs.queue.file import QueueError, open_for_reading
from sereno_collectors.logs.queue.packing import decompress


class ReceivedHour(NamedTuple):
    """What was queued of one source in one hour."""

    hour: str
    """`2026-11-25T23`, UTC."""
    source: str
    """`service.node.name`; empty for events without a sequence number."""
    service: str
    first_sequence: int
    last_sequence: int
    documents: int


@dataclass(frozen=True, slots=True)
class QueueReader:
    """A queue that is read beside its collector; each call opens the file anew.

    Raises (all methods):
        QueueError: there is no queue at the path, or it can't be read.
    """

    path: Path

    def received(self, start_hour: str, end_hour: str) -> tuple[ReceivedHour, ...]:
        """What was received of the hours `start_hour` ≤ hour < `end_hour` (`2026-11-25T23`)."""
        with _reading(self.path) as connection:
            rows = connection.execute(
                "SELECT hour, source, service, first_sequence, last_sequence, documents FROM received "
                "WHERE hour >= ? AND hour < ? ORDER BY hour, source, service",
                (start_hour, end_hour),
            ).fetchall()
        return tuple(ReceivedHour(*row) for row in rows)

    def queued(self) -> Iterator[tuple[str, bytes]]:
        """The record's id and the document of each event that waits now."""
        with _reading(self.path) as connection:
            for (body,) in connection.execute("SELECT body FROM parcel ORDER BY number"):
                lines = decompress(body).split(b"\n")
                for action, document in zip(lines[0:-1:2], lines[1::2], strict=True):
                    yield orjson.loads(action)["create"]["_id"], document

    def depth(self) -> tuple[int, int, float | None]:
        """Documents, bytes, and when the oldest was queued (seconds since 1970; None: it is empty)."""
        with _reading(self.path) as connection:
            row: tuple[int, int, float | None] = connection.execute(
                "SELECT coalesce(sum(documents), 0), coalesce(sum(length(body)), 0), min(queued_at) FROM parcel"
            ).fetchone()
        return row


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_for_reading(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise QueueError(f"the queue {path} can't be read: {error}") from error
