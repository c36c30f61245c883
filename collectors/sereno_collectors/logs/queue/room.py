"""Whether the queue's disk has room for more: what fills it to the last byte can't be emptied any more."""

import os
import sqlite3
from pathlib import Path

from sereno_collectors.logs.queue.file import WAL_BYTES, QueueUnavailable, explained

SPARE_BYTES = 200_000
SPARE_BYTES_OF_A_PARCEL = 1_000
"""Taking 2,000 documents out writes 65 to 90 KB, half a kilobyte to two for each of many small parcels (measured)."""
MOST_PARCELS_AT_ONCE = 2_000


def is_roomy(path: Path, added_bytes: int) -> bool:
    """Whether the disk has room for these documents, for a full log and for moving that into the file."""
    try:
        return _free_bytes(path) >= _log_bytes(path) + 3 * added_bytes + 2 * WAL_BYTES
    except OSError:
        return True  # whatever is wrong there, SQLite says it better


def check_room(connection: sqlite3.Connection, path: Path, added_bytes: int) -> None:
    """On a disk that is not roomy: see whether documents of this size leave enough room to take them out again.

    Taking documents out writes to the write-ahead log, and that log is emptied only by moving what it holds into the
    file, which grows by as much where it has no free pages. So that size has to stay free, beside what the documents
    themselves need in log and file. Without that a queue could fill its disk and never be emptied. An empty queue gives
    the disk back that it had, and takes what SQLite can write.

    Raises:
        QueueUnavailable: there is not enough; some may come when documents leave, or when others free it.
    """
    with explained(path):
        (parcels,) = connection.execute("SELECT coalesce(max(number) - min(number) + 1, 0) FROM parcel").fetchone()
        if not parcels:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute("VACUUM")  # a batch may be larger than the room that was kept
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (pages,), (page_bytes,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size")
        )
    if not parcels:
        return
    try:
        free_bytes = _free_bytes(path)
        growth_bytes = max(0, _log_bytes(path) + added_bytes - pages * page_bytes)
    except OSError:
        return
    spare_bytes = SPARE_BYTES + SPARE_BYTES_OF_A_PARCEL * min(parcels, MOST_PARCELS_AT_ONCE)
    needed_bytes = 2 * added_bytes + growth_bytes + spare_bytes
    if free_bytes < needed_bytes:
        raise QueueUnavailable(
            f"the queue {path} can't grow now ({free_bytes / 1e6:.1f} MB are free, {needed_bytes / 1e6:.1f} MB are "
            "needed to be able to empty it again): is its disk full?"
        )


def _free_bytes(path: Path) -> int:
    system = os.statvfs(path)
    return system.f_bavail * system.f_frsize


def _log_bytes(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size
