"""Which parcels may have been sent: known by memory while the process lives, by marks in the file after it."""

import sqlite3
from collections.abc import Iterable, Sequence

RESERVE = 64
"""Parcels that may be given out before the next mark is brought to the disk: one synchronised write for so many."""

_MARK = "INSERT OR REPLACE INTO state VALUES ('taken', ?)"
_SUSPECT = "INSERT OR REPLACE INTO state VALUES ('suspect', 1)"
_TRUSTED = "DELETE FROM state WHERE name = 'suspect'"
MAY_BE_STORED = "INSERT OR REPLACE INTO state SELECT 'taken', coalesce(max(number), 0) FROM parcel"
"""All that is in the file now may have been sent."""


class Marks:
    """What is known of parcels that may have been sent already.

    The mark is ahead of what was given out, so that it is on disk before the first byte of a parcel can be with a
    server: that holds after a power cut, too.

    Args:
        connection: the queue's file.
        is_suspect: what is read now may have been queued and sent by an earlier run whose queue is lost.
    """

    def __init__(self, connection: sqlite3.Connection, *, is_suspect: bool) -> None:
        saved = dict(connection.execute("SELECT name, value FROM state WHERE name <> 'positions'").fetchall())
        self._marked: int = int(saved.get("taken") or 0)
        newest: int
        (newest,) = connection.execute("SELECT coalesce(max(number), 0) FROM parcel").fetchone()
        self._from_earlier_runs = min(self._marked, newest)
        self._uncertain: set[int] = set()
        self.is_suspect = is_suspect or "suspect" in saved
        if self.is_suspect:
            connection.execute(_SUSPECT)

    def may_be_stored(self, number: int) -> bool:
        """Whether this parcel has to be looked for before it is sent."""
        return number <= self._from_earlier_runs or number in self._uncertain

    def are_noted(self, numbers: Sequence[int]) -> bool:
        """Whether the mark in the file is ahead of all of these."""
        return max(numbers, default=0) <= self._marked

    def reserve(self, connection: sqlite3.Connection, cursor: int) -> None:
        """In the caller's transaction: parcels up to `cursor` and some more are given out; then say `reserved`."""
        connection.execute(_MARK, (self._mark(cursor + RESERVE),))

    def reserved(self, cursor: int) -> None:
        """That transaction is on disk."""
        self._marked = cursor + RESERVE

    def note_new(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """In the caller's transaction: these were queued just now."""
        if self.is_suspect and numbers:
            self._uncertain.update(numbers)
            connection.execute(_MARK, (self._mark(self._marked),))

    def doubt(self, numbers: Iterable[int]) -> None:
        """These may have been sent, and nobody knows."""
        self._uncertain.update(numbers)

    def settle(self, number: int) -> None:
        """It is known what became of this one."""
        self._uncertain.discard(number)

    def trust(self, connection: sqlite3.Connection) -> None:
        """What is queued from now on was never queued before."""
        connection.execute(_TRUSTED)
        self.is_suspect = False

    def give_up_reserve(self, connection: sqlite3.Connection, cursor: int) -> None:
        """At an orderly end: only what was given out, up to `cursor`, may have been sent."""
        connection.execute(_MARK, (self._mark(cursor),))

    def _mark(self, mark: int) -> int:
        return max(mark, self._from_earlier_runs, max(self._uncertain, default=0))
