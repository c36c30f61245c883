"""What stands in the queue's file, and the statements for it; each in the caller's transaction."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sereno_collectors.logs.model import Document, Position
from sereno_collectors.logs.queue.packing import Packed, positions_as_json, tallies

LEDGER_DAYS = 40
"""How long it is remembered what was received; older days are forgotten at a start."""

_RECEIVED = """
INSERT INTO received VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hour, source, service) DO UPDATE SET
    first_sequence = min(first_sequence, excluded.first_sequence),
    last_sequence = max(last_sequence, excluded.last_sequence),
    documents = documents + excluded.documents
"""
_NEW = "INSERT INTO parcel (queued_at, documents, positions, body, streams, body_bytes) VALUES (?, ?, ?, ?, ?, ?)"
_REST = "UPDATE parcel SET documents = ?, body = ?, body_bytes = ? WHERE number = ?"
# What stands without a size was queued by an older version, uncompressed.
_WAITING = "SELECT number, documents, coalesce(body_bytes, length(body)), streams FROM parcel WHERE number "


class Waiting(NamedTuple):
    """A parcel that can be taken, without its body."""

    number: int
    documents: int
    body_bytes: int
    """Of what it is decompressed."""
    streams: str | None
    """None: an older version queued it."""


class Left(NamedTuple):
    """What left the queue by a settlement."""

    documents: int = 0
    size_bytes: int = 0
    """As it stood in the file."""
    positions: str | None = None
    """Those of a parcel that is gone."""


def insert(
    connection: sqlite3.Connection, parcels: Sequence[Packed], positions: Sequence[Position] | None, now: float
) -> list[int]:
    """Add parcels, the last with the positions that they reach to (None: the same as before); their numbers."""
    saved = None if positions is None else positions_as_json(positions)
    numbers: list[int] = []
    for index, parcel in enumerate(parcels, start=1):
        passed = saved if index == len(parcels) else None
        streams = " ".join(parcel.streams)
        values = (now, parcel.documents, passed, parcel.compressed, streams, len(parcel.body))
        numbers.append(connection.execute(_NEW, values).lastrowid or 0)
    if saved is not None:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('positions', ?)", (saved,))
    return numbers


def note_received(connection: sqlite3.Connection, documents: Sequence[Document]) -> None:
    """Write the documents into the ledger."""
    connection.executemany(_RECEIVED, tallies(documents))


def forget_received(connection: sqlite3.Connection, now: float) -> None:
    """Take out of the ledger what is older than it reaches."""
    oldest_hour = datetime.fromtimestamp(now, UTC) - timedelta(days=LEDGER_DAYS)
    connection.execute("DELETE FROM received WHERE hour < ?", (oldest_hour.strftime("%Y-%m-%dT%H"),))


def waiting_among(connection: sqlite3.Connection, numbers: Collection[int]) -> Iterator[Waiting]:
    """The parcels with these numbers, oldest first."""
    for number in sorted(numbers):
        yield from map(Waiting._make, connection.execute(f"{_WAITING} = ?", (number,)))


def waiting_beyond(connection: sqlite3.Connection, cursor: int) -> Iterator[Waiting]:
    """All parcels that are newer than the cursor, oldest first."""
    yield from map(Waiting._make, connection.execute(f"{_WAITING} > ? ORDER BY number", (cursor,)))


def body_of(connection: sqlite3.Connection, number: int) -> bytes:
    """A parcel's body as it stands in the file."""
    body: bytes
    (body,) = connection.execute("SELECT body FROM parcel WHERE number = ?", (number,)).fetchone()
    return body


def settle(connection: sqlite3.Connection, number: int, rest: bytes, compressed: bytes) -> Left:
    """Take a parcel out, or all of it but the rest; what that was."""
    size_of = "SELECT documents, length(body), positions FROM parcel WHERE number = ?"
    row = connection.execute(size_of, (number,)).fetchone()
    if row is None:
        return Left()
    documents, size_bytes, positions = row
    if not rest:
        connection.execute("DELETE FROM parcel WHERE number = ?", (number,))
        return Left(documents, size_bytes, positions)
    kept = rest.count(b"\n") // 2
    connection.execute(_REST, (kept, compressed, len(rest), number))
    return Left(documents - kept, size_bytes - len(compressed))
