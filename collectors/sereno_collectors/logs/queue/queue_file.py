"""The queue's file in use: held by one process, rescued where it is damaged, written anew where it was deleted."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sereno_backends.sqlite import transaction

from sereno_collectors.logs.locking import hold
from sereno_collectors.logs.queue.file import (
    Place,
    QueueDamaged,
    QueueError,
    QueueUnavailable,
    explained,
    move_other_file,
    open_file,
    write_anew,
)
from sereno_collectors.logs.queue.rescue import finish_rescue, rescue
from sereno_collectors.logs.queue.room import check_room, is_roomy


class QueueFile:
    """An open queue; its caller lets one thread in at a time.

    Args:
        path: the SQLite file; made where there is none.
        now: seconds since 1970.
        report: takes what a person should know, one sentence each.

    Raises:
        LockError: another collector uses it.
        QueueError: the file can't be used; the message says what to do.
        QueueUnavailable: it is damaged, and there is no room to rescue it.
    """

    def __init__(self, path: Path, *, now: Callable[[], float], report: Callable[[str], None]) -> None:
        self._path = path
        self._now = now
        self._report = report
        self._lock = hold(path, what="queue", option="--queue")
        try:
            self.connection = self._opened()
        except BaseException:
            os.close(self._lock)
            raise
        self._place = Place.of(path)
        self._is_tight = not is_roomy(path, 0)  # what an earlier run left may have to go before anything is put

    def close(self) -> None:
        """Let another collector have it."""
        self.connection.close()
        os.close(self._lock)

    @contextmanager
    def transaction(self, *, on_disk: bool) -> Iterator[sqlite3.Connection]:
        """One transaction, by whose end everything has survived: a power cut, or only a kill of this process.

        Raises:
            QueueUnavailable, QueueDamaged: nothing was changed.
        """
        with explained(self._path):
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if on_disk else 'NORMAL'}")
            with transaction(self.connection):
                yield self.connection
        if self._is_tight:
            with suppress(sqlite3.Error):  # the transaction is done; a log that can't be emptied now is emptied later
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def keep_room(self, added_bytes: int) -> None:
        """See that documents of this size fit on the disk, and can leave it again; before they are put.

        Raises:
            QueueUnavailable: they don't fit now.
        """
        self._is_tight = not is_roomy(self._path, added_bytes)
        if self._is_tight:
            check_room(self.connection, self._path, added_bytes)

    def keep_place(self) -> None:
        """Where somebody deleted or replaced the file: write what is in it anew, before it takes any more.

        Raises:
            QueueUnavailable: that is not possible now.
        """
        if Place.of(self._path) == self._place:
            return
        try:
            other = move_other_file(self._path, self._place, self._now())
            write_anew(self.connection, self._path)
            connection = open_file(self._path)
        except (sqlite3.Error, OSError, QueueError) as error:
            raise QueueUnavailable(f"the queue {self._path} was deleted and can't be written anew ({error})") from error
        self.connection.close()
        self.connection = connection
        self._place = Place.of(self._path)
        kept = f"; what stood there is kept as {other}" if other else ""
        self._report(f"the queue {self._path} was deleted or replaced: it is written anew, nothing is lost{kept}")

    def _opened(self) -> sqlite3.Connection:
        finish_rescue(self._path, now=self._now(), report=self._report)
        try:
            return open_file(self._path)
        except QueueDamaged as damage:
            rescue(self._path, damage, now=self._now(), report=self._report)
            return open_file(self._path)
