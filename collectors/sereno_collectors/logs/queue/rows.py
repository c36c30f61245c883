"""What is written into the queue's tables; each within a transaction of its caller."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue.packing import Packed, tallies
from sereno_collectors.logs.queue.values import Settlement

LEDGER_DAYS = 40
"""How long it is remembered what was received; older days are forgotten at a start."""

_RECEIVED = """
INSERT INTO received VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hour, source, service) DO UPDATE SET
    first_sequence = min(first_sequence, excluded.first_sequence),
    last_sequence = max(last_sequence, excluded.last_sequence),
    documents = documents + excluded.documents
"""


def insert(connection: sqlite3.Connection, queued_at: float, parcel: Packed, positions: str | None) -> int:
    """A parcel, with the positions that it reaches to; its number."""
    inserted = connection.execute(
        "INSERT INTO parcel (queued_at, documents, positions, body, streams, body_bytes) VALUES (?, ?, ?, ?, ?, ?)",
        (queued_at, parcel.documents, positions, parcel.compressed, " ".join(parcel.streams), len(parcel.body)),
    )
    return inserted.lastrowid or 0


def note_received(connection: sqlite3.Connection, documents: Sequence[Document]) -> None:
    """The ledger: what came of each source and hour."""
    connection.executemany(_RECEIVED, tallies(documents))


def forget_old(connection: sqlite3.Connection, now: float) -> None:
    """Days of the ledger that nobody asks for any more."""
    oldest = datetime.fromtimestamp(now, UTC) - timedelta(days=LEDGER_DAYS)
    connection.execute("DELETE FROM received WHERE hour < ?", (oldest.strftime("%Y-%m-%dT%H"),))


def settle(connection: sqlite3.Connection, settlement: Settlement, compressed: bytes) -> str | None:
    """A parcel leaves, or its rest stays, `compressed`; the positions that left the queue with it."""
    number, rest = settlement.parcel.number, settlement.rest
    if rest:
        connection.execute(
            "UPDATE parcel SET documents = ?, body = ?, body_bytes = ? WHERE number = ?",
            (rest.count(b"\n") // 2, compressed, len(rest), number),
        )
        return None
    deleted = connection.execute("DELETE FROM parcel WHERE number = ? RETURNING positions", (number,))
    row = deleted.fetchone()
    return None if row is None or row[0] is None else str(row[0])
