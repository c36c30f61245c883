"""The queue itself: parcels of documents, the positions of the files they came from, and who has sent what."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Condition

from sereno_backends.sqlite import transaction

from sereno_collectors.logs.locking import hold
from sereno_collectors.logs.model import Document, Parcel, Position, QueueFull
from sereno_collectors.logs.queue.file import QueueDamaged, explained, open_file
from sereno_collectors.logs.queue.packing import pack, positions_as_json, positions_from_json, tallies
from sereno_collectors.logs.queue.recent_bodies import RecentBodies
from sereno_collectors.logs.queue.rescue import rescued
from sereno_collectors.logs.queue.room import check_room
from sereno_collectors.logs.queue.values import QueueState, Settlement

LEDGER_DAYS = 40
"""How long it is remembered what was received; older days are forgotten at a start."""

_RECEIVED = """
INSERT INTO received VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hour, source, service) DO UPDATE SET
    first_sequence = min(first_sequence, excluded.first_sequence),
    last_sequence = max(last_sequence, excluded.last_sequence),
    documents = documents + excluded.documents
"""


class DurableQueue:
    """Documents wait here until the store has answered for each of them; one process at a time.

    Args:
        path: the SQLite file; made where there is none.
        limit_bytes: size of all bodies at which the queue is full.
        positions: where reading begins when the file is new, or damaged: what the store has answered for.
        now: seconds since 1970.
        report: takes what a person should know, one sentence each.

    Raises:
        LockError: another collector uses it.
        QueueError: the file can't be used; the message says what to do.
    """

    def __init__(
        self,
        path: Path,
        *,
        limit_bytes: int,
        positions: Sequence[Position] = (),
        now: Callable[[], float] = time.time,
        report: Callable[[str], None],
    ) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._now = now
        self._lock = hold(path, what="queue", option="--queue")
        self._changed = Condition()
        self._bodies = RecentBodies()
        self._returned: set[int] = set()
        self._uncertain: set[int] = set()
        self._passed: dict[int, str] = {}
        self._positions: tuple[Position, ...] = ()
        self._answered: tuple[Position, ...] = ()
        self._documents = self._size_bytes = 0
        try:
            self._connection = self._opened(report)
            self._load(positions)
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def positions(self) -> tuple[Position, ...]:
        """How far the files were read, as of the last `put`."""
        return self._positions

    @property
    def answered(self) -> tuple[Position, ...]:
        """How far the store has answered for everything: where reading begins if this file is lost."""
        return self._answered

    def state(self) -> QueueState:
        """What it holds now."""
        with self._changed:
            row = self._connection.execute("SELECT queued_at FROM parcel ORDER BY number LIMIT 1").fetchone()
            return QueueState(self._documents, self._size_bytes, self._limit_bytes, row[0] if row else None)

    def put(self, documents: Sequence[Document], positions: Sequence[Position] = ()) -> None:
        """Take all of them, with the positions that they reach to; on disk when this returns.

        Raises:
            QueueFull: they would exceed the limit; nothing was taken.
            QueueUnavailable: the file can't grow now; nothing was taken, trying again is right.
        """
        parcels = pack(documents)
        added = sum(len(body) for _, body in parcels)
        positions = tuple(positions) or self._positions
        if not parcels and positions == self._positions:
            return
        with self._changed:
            if self._size_bytes and self._size_bytes + added > self._limit_bytes:
                raise QueueFull(f"the queue {self._path} is full ({self._size_bytes:,} of {self._limit_bytes:,} bytes)")
            check_room(self._connection, self._path, queued_bytes=self._size_bytes, added_bytes=added)
            with self._transaction(on_disk=True):
                numbers = self._insert(parcels, documents, positions)
            self._positions = positions
            self._documents += len(documents)
            self._size_bytes += added
            for number, (_, body) in zip(numbers, parcels, strict=True):
                self._bodies.keep(number, body)
            if not self._documents:
                self._answered = positions
            self._changed.notify_all()

    def take(self, most_documents: int, most_bytes: int, *, wait_seconds: float = 0.0) -> tuple[Parcel, ...]:
        """The oldest parcels that nobody has taken, at least one if there is one; waits for one if asked to.

        Raises:
            QueueUnavailable: it can't be noted down that they are taken (a full disk); they stay in the queue.
        """
        with self._changed, explained(self._path):
            found = self._next(most_documents, most_bytes)
            if not found and wait_seconds > 0:
                self._changed.wait(wait_seconds)
                found = self._next(most_documents, most_bytes)
            return tuple(found)

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """The store has answered: what is dealt with leaves the queue, the rest can be taken again.

        Not synchronised: after a power cut a settled parcel may be there again.

        Raises:
            QueueUnavailable: the file can't be written now; nothing is settled, trying again is right.
        """
        with self._changed:
            with self._transaction(on_disk=False):
                passed = [self._settle(settlement) for settlement in settlements]
            # Only now: a transaction that was rolled back must leave no trace in memory.
            for settlement, positions in zip(settlements, passed, strict=True):
                self._forget(settlement, positions)
            self._find_answered()
            self._changed.notify_all()

    def give_back(self, parcels: Sequence[Parcel]) -> None:
        """Nothing is known of these: they can be taken again, as repeated ones."""
        with self._changed:
            for parcel in parcels:
                self._returned.add(parcel.number)
                self._uncertain.add(parcel.number)
                self._bodies.keep(parcel.number, parcel.body)
            self._changed.notify_all()

    def close(self) -> None:
        """Let another collector have it."""
        with self._changed:
            self._connection.close()
            os.close(self._lock)

    def _opened(self, report: Callable[[str], None]) -> sqlite3.Connection:
        try:
            return open_file(self._path)
        except QueueDamaged as damage:
            return rescued(self._path, damage, now=self._now(), report=report)

    def _load(self, positions: Sequence[Position]) -> None:
        connection = self._connection
        saved = dict(connection.execute("SELECT name, value FROM state").fetchall())
        self._positions = positions_from_json(saved["positions"]) if "positions" in saved else tuple(positions)
        self._answered = tuple(positions)
        oldest_hour = datetime.fromtimestamp(self._now(), UTC) - timedelta(days=LEDGER_DAYS)
        connection.execute("DELETE FROM received WHERE hour < ?", (oldest_hour.strftime("%Y-%m-%dT%H"),))
        self._taken = int(saved.get("taken") or 0)
        self._may_be_repeated = self._taken
        self._cursor = 0
        self._documents, self._size_bytes = connection.execute(
            "SELECT coalesce(sum(documents), 0), coalesce(sum(length(body)), 0) FROM parcel"
        ).fetchone()
        if not self._documents:
            self._answered = self._positions

    @contextmanager
    def _transaction(self, *, on_disk: bool) -> Iterator[None]:
        """One transaction, by whose end everything has survived: a power cut, or only a kill of this process."""
        with explained(self._path):
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if on_disk else 'NORMAL'}")
            with transaction(self._connection):
                yield

    def _insert(
        self, parcels: Sequence[tuple[int, bytes]], documents: Sequence[Document], positions: tuple[Position, ...]
    ) -> list[int]:
        connection, now = self._connection, self._now()
        saved = positions_as_json(positions) if positions != self._positions else None
        numbers: list[int] = []
        for index, (count, body) in enumerate(parcels, start=1):
            inserted = connection.execute(
                "INSERT INTO parcel (queued_at, documents, positions, body) VALUES (?, ?, ?, ?)",
                (now, count, saved if index == len(parcels) else None, body),
            )
            numbers.append(inserted.lastrowid or 0)
        if saved is not None:
            connection.execute("INSERT OR REPLACE INTO state VALUES ('positions', ?)", (saved,))
        connection.executemany(_RECEIVED, tallies(documents))
        return numbers

    def _next(self, most_documents: int, most_bytes: int) -> list[Parcel]:
        found: list[tuple[int, int]] = []
        documents = size = 0
        for number, count, length in self._candidates():
            if found and (documents + count > most_documents or size + length > most_bytes):
                break
            found.append((number, count))
            documents, size = documents + count, size + length
        self._mark_taken([number for number, _ in found])
        return [
            Parcel(number, count, self._body(number), number <= self._may_be_repeated or number in self._uncertain)
            for number, count in found
        ]

    def _candidates(self) -> Iterator[tuple[int, int, int]]:
        """Number, documents and size of what can be taken: what came back first, then what nobody has taken yet."""
        sizes = "SELECT number, documents, length(body) FROM parcel WHERE number "
        for number in sorted(self._returned):
            yield from self._connection.execute(f"{sizes} = ?", (number,))
        yield from self._connection.execute(f"{sizes} > ? ORDER BY number", (self._cursor,))

    def _body(self, number: int) -> bytes:
        body = self._bodies.pop(number)
        if body is not None:
            return body
        (read,) = self._connection.execute("SELECT body FROM parcel WHERE number = ?", (number,)).fetchone()
        return bytes(read)

    def _mark_taken(self, numbers: Sequence[int]) -> None:
        """Note down how far parcels were given out: after a kill, those may have been sent."""
        cursor = max((self._cursor, *numbers))
        if cursor > self._taken:
            with self._transaction(on_disk=False):
                self._connection.execute("INSERT OR REPLACE INTO state VALUES ('taken', ?)", (cursor,))
            self._taken = cursor
        self._cursor = cursor
        self._returned.difference_update(numbers)

    def _settle(self, settlement: Settlement) -> str | None:
        """Write it down; the positions that left the queue with the parcel."""
        number, rest = settlement.parcel.number, settlement.rest
        if rest:
            self._connection.execute(
                "UPDATE parcel SET documents = ?, body = ? WHERE number = ?", (rest.count(b"\n") // 2, rest, number)
            )
            return None
        deleted = self._connection.execute("DELETE FROM parcel WHERE number = ? RETURNING positions", (number,))
        ((positions,),) = deleted.fetchall()
        return None if positions is None else str(positions)

    def _forget(self, settlement: Settlement, positions: str | None) -> None:
        parcel, rest = settlement.parcel, settlement.rest
        count = rest.count(b"\n") // 2
        if positions is not None:
            self._passed[parcel.number] = positions
        self._uncertain.discard(parcel.number)
        self._documents -= parcel.documents - count
        self._size_bytes -= len(parcel.body) - len(rest)
        if rest:
            self._returned.add(parcel.number)
            self._bodies.keep(parcel.number, rest)

    def _find_answered(self) -> None:
        """The positions of the newest parcel before which everything is settled."""
        (oldest,) = self._connection.execute("SELECT min(number) FROM parcel").fetchone()
        passed = [number for number in self._passed if oldest is None or number < oldest]
        if passed:
            self._answered = positions_from_json(self._passed[max(passed)])
        for number in passed:
            del self._passed[number]
        if oldest is None:
            self._answered = self._positions
