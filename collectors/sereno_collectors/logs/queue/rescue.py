"""What becomes of a queue whose file is damaged: what can be read of it goes into a new one, and the old one is kept.

The new file is written under a name of its own and takes the place of the damaged one when it is whole, so that a kill
at any moment loses nothing of either.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sereno_collectors.logs.queue.file import QueueDamaged, QueueUnavailable, connect, create, synchronise
from sereno_collectors.logs.queue.marks import MAY_BE_STORED
from sereno_collectors.logs.queue.packing import decompress

_PARTS = ("", "-wal", "-shm")


class _Parcel(NamedTuple):
    """A parcel that can still be read."""

    number: int
    queued_at: float
    documents: int
    queued: bytes
    """As it stands in the queue."""
    body_bytes: int
    """Of what it is decompressed."""


def rescue(path: Path, damage: QueueDamaged, *, now: float, report: Callable[[str], None]) -> None:
    """Put a new file with the parcels that can be read of the damaged one in its place; that one gets another name.

    Positions and the ledger of what was received are not taken over: files are read again from where the store had
    answered for everything, and what it has already it knows by the ids.

    Raises:
        QueueUnavailable: the new file can't be written (a full disk); the damaged one stands where it was.
    """
    fresh = _fresh(path)
    try:
        documents = _write(path, fresh)
        aside = _move_aside(path, now)
        fresh.rename(path)
        synchronise(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise QueueUnavailable(f"the damaged queue {path} can't be rescued now ({error}): is its disk full?") from error
    report(
        f"the queue was damaged ({damage}): it is kept as {aside}; {documents} documents of it were rescued, and files "
        "are read again from where the store had answered for everything"
    )


def finish_rescue(path: Path, *, now: float, report: Callable[[str], None]) -> None:
    """Where an earlier rescue was killed after the damaged file had its other name: put the new one in its place."""
    fresh = _fresh(path)
    if path.exists() or not fresh.exists():
        return  # there was no rescue, or it begins anew
    _move_aside(path, now)  # a log that the damaged file left behind
    fresh.rename(path)
    synchronise(path.parent)
    report(f"the queue {path} was damaged: its rescue, which was broken off, is finished")


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.rescued")


def _write(path: Path, fresh: Path) -> int:
    """Write what can be read into a file of its own, whole when this returns; how many documents that were."""
    for suffix in (*_PARTS, "-journal"):  # of a rescue that was killed
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    documents = 0
    with closing(connect(fresh, "rwc")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        create(connection)
        connection.execute("BEGIN IMMEDIATE")
        for parcel in readable_parcels(path):
            connection.execute(
                "INSERT INTO parcel (number, queued_at, documents, body, body_bytes) VALUES (?, ?, ?, ?, ?)", parcel
            )
            documents += parcel.documents
        connection.execute(MAY_BE_STORED)
        connection.execute("COMMIT")
    synchronise(fresh)
    return documents


def _move_aside(path: Path, moment: float) -> Path:
    """Give a damaged file another name, with what belongs to it; the file itself first, as `finish_rescue` expects."""
    aside = path.with_name(f"{path.name}.damaged-{int(moment)}")
    for part in _PARTS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(aside.with_name(aside.name + part))
    return aside


def readable_parcels(path: Path) -> Iterator[_Parcel]:
    """What can still be read of a damaged file, parcel by parcel."""
    with closing(connect(path, "rw")) as connection:
        with suppress(sqlite3.DatabaseError):
            connection.execute("PRAGMA writable_schema = ON")  # or a truncated file would be refused as a whole
        number = 0
        while (found := _next_number(connection, number + 1)) is not None:
            number = found
            with suppress(sqlite3.DatabaseError):
                row = connection.execute(
                    "SELECT number, queued_at, documents, body FROM parcel WHERE number = ?", (number,)
                ).fetchone()
                if row is not None and (parcel := _whole(*row)) is not None:
                    yield parcel


def _whole(*row: Any) -> _Parcel | None:
    """The parcel, where it is what was written."""
    if not all(map(isinstance, row, (int, float, int, bytes))):
        return None
    *_, documents, queued = row
    try:
        body = decompress(queued)
    except QueueDamaged:
        return None
    return _Parcel._make((*row, len(body))) if body.count(b"\n") == 2 * documents > 0 else None


def _next_number(connection: sqlite3.Connection, number: int) -> int | None:
    """The next parcel from `number` on that can be found; numbers whose place in the tree is damaged are leapt over."""
    try:
        return _found(connection, number)
    except sqlite3.DatabaseError:
        pass
    bad, step = number, 1
    while True:  # leap farther and farther, for the damaged part may hold millions of numbers
        if bad + step > _MOST:
            return None
        try:
            found = _found(connection, bad + step)
            break
        except sqlite3.DatabaseError:
            bad, step = bad + step, step * 2
    good = bad + step
    while good - bad > 1:
        middle = (bad + good) // 2
        try:
            found = _found(connection, middle)
            good = middle
        except sqlite3.DatabaseError:
            bad = middle
    return found


_MOST = 2**62


def _found(connection: sqlite3.Connection, number: int) -> int | None:
    found = connection.execute("SELECT number FROM parcel WHERE number >= ? ORDER BY number LIMIT 1", (number,))
    row = found.fetchone()
    return row[0] if row else None
