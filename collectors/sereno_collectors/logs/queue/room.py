"""Whether the queue's disk has room for more: what fills it to the last byte can't be emptied any more."""

import os
import sqlite3
from pathlib import Path

from sereno_collectors.logs.queue.file import QueueUnavailable, explained

MOST_SPARE_BYTES = 5_000_000
"""SQLite lets its log grow to 1,000 pages of 4 KB before it empties it."""
LEAST_SPARE_BYTES = 100_000
SPARE_SHARE = 1 / 16
"""Of what is queued: taking a document out writes about a thirtieth of its size (measured, 300-byte documents)."""


def check_room(connection: sqlite3.Connection, path: Path, *, queued_bytes: int, added_bytes: int) -> None:
    """See whether documents of this size leave enough room to take them out again.

    Taking documents out writes to the write-ahead log, and that log is emptied only by moving what it holds into the
    file, which grows by as much where it has no free pages. So that size has to stay free, beside what the documents
    themselves need in log and file. Without that a queue could fill its disk and never be emptied. An empty queue gives
    the disk back that it had, and takes what SQLite can write.

    Raises:
        QueueUnavailable: there is not enough; some may come when documents leave, or when others free it.
    """
    spare_bytes = max(LEAST_SPARE_BYTES, min(MOST_SPARE_BYTES, int(queued_bytes * SPARE_SHARE)))
    try:
        if _free_bytes(path) >= _log_bytes(path) + 3 * added_bytes + spare_bytes:
            return
    except OSError:
        return  # whatever is wrong there, SQLite says it better
    if not queued_bytes:
        _shrink(connection, path)
        return
    with explained(path):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (pages,), (page_bytes,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size")
        )
    growth_bytes = max(0, _log_bytes(path) + added_bytes - pages * page_bytes)
    free_bytes, needed_bytes = _free_bytes(path), 2 * added_bytes + growth_bytes + spare_bytes
    if free_bytes < needed_bytes:
        raise QueueUnavailable(
            f"the queue {path} can't grow now ({free_bytes / 1e6:.1f} MB are free, {needed_bytes / 1e6:.1f} MB are "
            "needed to be able to empty it again): is its disk full?"
        )


def _shrink(connection: sqlite3.Connection, path: Path) -> None:
    """Make the file of an empty queue small: a batch may be larger than the room that was kept."""
    with explained(path):
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.execute(statement).fetchone()


def _free_bytes(path: Path) -> int:
    system = os.statvfs(path)
    return system.f_bavail * system.f_frsize


def _log_bytes(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size
