"""The queue itself: parcels of documents, the positions of the files they came from, and who has sent what."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from threading import Condition

from sereno_collectors.logs.model import Document, Parcel, Position, QueueFull
from sereno_collectors.logs.queue import rows
from sereno_collectors.logs.queue.file import MARK_DAMAGED, QueueDamaged, QueueUnavailable, explained
from sereno_collectors.logs.queue.marks import Marks
from sereno_collectors.logs.queue.packing import compress, decompress, pack, positions_from_json, streams_of
from sereno_collectors.logs.queue.queue_file import QueueFile
from sereno_collectors.logs.queue.recent_bodies import RecentBodies
from sereno_collectors.logs.queue.values import QueueState, Settlement


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
        self._file = QueueFile(path, now=now, report=report)
        self._changed = Condition()
        self._bodies = RecentBodies()
        self._returned: set[int] = set()
        self._declined: set[int] = set()
        self._declined_first = True
        self._passed: dict[int, str] = {}
        self._positions: tuple[Position, ...] = ()
        self._answered: tuple[Position, ...] = ()
        self._documents = self._size_bytes = 0
        try:
            self._load(positions)
        except BaseException:
            self._file.close()
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
            row = None
            with suppress(sqlite3.Error):  # who reads or writes the queue tells it
                row = self._file.connection.execute("SELECT queued_at FROM parcel ORDER BY number LIMIT 1").fetchone()
            return QueueState(self._documents, self._size_bytes, self._limit_bytes, row[0] if row else None)

    def put(self, documents: Sequence[Document], positions: Sequence[Position] = ()) -> None:
        """Take all of them, with the positions that they reach to; on disk when this returns.

        Raises:
            QueueFull: they would exceed the limit; nothing was taken.
            QueueUnavailable: the file can't grow now; nothing was taken, trying again is right.
            QueueDamaged: the file was damaged meanwhile; the next start rescues what can be read.
        """
        parcels = pack(documents)
        added = sum(len(parcel.compressed) for parcel in parcels)
        positions = tuple(positions) or self._positions
        if not parcels and positions == self._positions:
            return
        with self._changed:
            if self._size_bytes and self._size_bytes + added > self._limit_bytes:
                raise QueueFull(f"the queue {self._path} is full ({self._size_bytes:,} of {self._limit_bytes:,} bytes)")
            self._file.keep_place()
            self._file.keep_room(added)
            with self._file.transaction(on_disk=True) as connection:
                changed = positions if positions != self._positions else None
                numbers = rows.insert(connection, parcels, changed, self._now())
                rows.note_received(connection, documents)
                self._marks.note_new(connection, numbers)
            self._positions = positions
            self._documents += len(documents)
            self._size_bytes += added
            for number, parcel in zip(numbers, parcels, strict=True):
                self._bodies.keep(number, parcel.body, parcel.compressed)
            if not self._documents:
                self._answered = positions
            self._changed.notify_all()

    def take(self, most_documents: int, most_bytes: int, *, wait_seconds: float = 0.0) -> tuple[Parcel, ...]:
        """The oldest parcels that nobody has taken, at least one if there is one; waits for one if asked to.

        Raises:
            QueueUnavailable: it can't be noted down that they are taken (a full disk); they stay in the queue.
            QueueDamaged: as in `put`.
        """
        with self._changed, explained(self._path):
            self._file.keep_place()
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
            QueueDamaged: as in `put`.
        """
        rests = [compress(settlement.rest) if settlement.rest else b"" for settlement in settlements]
        with self._changed:
            with self._file.transaction(on_disk=False) as connection:
                gone = [
                    rows.settle(connection, settlement.parcel.number, settlement.rest, rest)
                    for settlement, rest in zip(settlements, rests, strict=True)
                ]
            # Only now: a transaction that was rolled back must leave no trace in memory.
            for settlement, rest, left in zip(settlements, rests, gone, strict=True):
                self._forget(settlement, rest, left)
            self._find_answered()
            self._changed.notify_all()

    def give_back(self, parcels: Sequence[Parcel], *, in_doubt: bool = True) -> None:
        """These can be taken again; `in_doubt`: as repeated ones, for nothing is known of them."""
        with self._changed:
            for parcel in parcels:
                (self._returned if in_doubt else self._declined).add(parcel.number)
                self._bodies.keep(parcel.number, parcel.body, parcel.compressed)
            if in_doubt:
                self._marks.doubt(parcel.number for parcel in parcels)
            self._changed.notify_all()

    def trust(self) -> None:
        """All that stood in the files when this began has been read: what comes now was never queued before.

        Until then a queue that is new although the store had answered for something, and a rescued one, take what
        they are given for possibly sent.
        """
        if self._marks.is_suspect:
            with self._changed, suppress(QueueUnavailable), self._file.transaction(on_disk=False) as connection:
                self._marks.trust(connection)

    def close(self) -> None:
        """Let another collector have it."""
        with self._changed:
            with suppress(QueueUnavailable, QueueDamaged):
                self._file.keep_place()
                with self._file.transaction(on_disk=True) as connection:
                    self._marks.give_up_reserve(connection, self._cursor)
            self._file.close()

    def _load(self, positions: Sequence[Position]) -> None:
        connection = self._file.connection
        saved = connection.execute("SELECT value FROM state WHERE name = 'positions'").fetchone()
        self._positions = positions_from_json(saved[0]) if saved else tuple(positions)
        self._answered = tuple(positions)
        self._marks = Marks(connection, is_suspect=saved is None and bool(positions))
        rows.forget_received(connection, self._now())
        self._cursor = 0
        self._documents, self._size_bytes = connection.execute(
            "SELECT coalesce(sum(documents), 0), coalesce(sum(length(body)), 0) FROM parcel"
        ).fetchone()
        if not self._documents:
            self._answered = self._positions

    def _next(self, most_documents: int, most_bytes: int) -> list[Parcel]:
        found: list[rows.Waiting] = []
        documents = size = 0
        for one in self._candidates():
            if found and (documents + one.documents > most_documents or size + one.body_bytes > most_bytes):
                break
            found.append(one)
            documents, size = documents + one.documents, size + one.body_bytes
        numbers = [one.number for one in found]
        self._note_taken(numbers)
        self._declined_first = not self._declined_first or not self._declined
        try:
            return [self._parcel(one) for one in found]
        except BaseException:
            self._declined.update(numbers)  # nobody has them: a body that can't be read now is read the next time
            raise

    def _candidates(self) -> Iterator[rows.Waiting]:
        """What is in doubt, then what the store did not take and what is newer: of these two, each is first in turn.

        Or the documents of one stream that takes none now would stand before those of all others.
        """
        connection = self._file.connection
        yield from rows.waiting_among(connection, self._returned)
        declined = rows.waiting_among(connection, self._declined)
        newer = rows.waiting_beyond(connection, self._cursor)
        yield from chain(declined, newer) if self._declined_first else chain(newer, declined)

    def _parcel(self, one: rows.Waiting) -> Parcel:
        known = self._bodies.pop(one.number)
        if known is None:
            read = rows.body_of(self._file.connection, one.number)
            body = self._decompressed(read)
            known = body, read if body is not read else b""  # older versions did not compress it
        body, compressed = known
        named = frozenset(one.streams.split()) if one.streams else streams_of(body)
        repeated = self._marks.may_be_stored(one.number)
        return Parcel(one.number, one.documents, body, repeated, named, compressed)

    def _decompressed(self, read: bytes) -> bytes:
        try:
            return decompress(read)
        except QueueDamaged:
            with self._file.transaction(on_disk=True) as connection:
                connection.execute(MARK_DAMAGED)  # SQLite does not know it: the next start is to rescue what is whole
            raise

    def _note_taken(self, numbers: Sequence[int]) -> None:
        """Note down how far parcels are given out: after a kill or a power cut, those may have been sent."""
        cursor = max((self._cursor, *numbers))
        if not self._marks.are_noted(numbers):
            with self._file.transaction(on_disk=True) as connection:
                self._marks.reserve(connection, cursor)
            self._marks.reserved(cursor)
        self._cursor = cursor
        self._returned.difference_update(numbers)
        self._declined.difference_update(numbers)

    def _forget(self, settlement: Settlement, compressed: bytes, left: rows.Left) -> None:
        number = settlement.parcel.number
        if left.positions is not None:
            self._passed[number] = left.positions
        self._marks.settle(number)
        self._documents -= left.documents
        self._size_bytes -= left.size_bytes
        if settlement.rest:
            self._declined.add(number)
            self._bodies.keep(number, settlement.rest, compressed)

    def _find_answered(self) -> None:
        """The positions of the newest parcel before which everything is settled."""
        try:
            (oldest,) = self._file.connection.execute("SELECT min(number) FROM parcel").fetchone()
        except sqlite3.Error:
            return  # the settlement is done; what can't be asked now is asked after the next one
        passed = [number for number in self._passed if oldest is None or number < oldest]
        if passed:
            self._answered = positions_from_json(self._passed[max(passed)])
        for number in passed:
            del self._passed[number]
        if oldest is None:
            self._answered = self._positions
