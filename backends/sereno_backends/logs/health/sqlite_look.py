"""One look at a SQLite store: its size, its growth, and the disk that it lies on."""

import shutil
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from sereno_backends.logs.ecs import EPOCH
from sereno_backends.logs.health.forecast import DAY, SHORTEST, WINDOW, Growth, Part, days_until
from sereno_backends.logs.health.model import DiskForecast, SqliteHealth
from sereno_backends.logs.health.watermarks import WatermarkName
from sereno_backends.logs.lifecycle.model import Retentions
from sereno_backends.logs.sqlite_file import explained, open_for_reading

BUSY_SECONDS = 5.0


def look_at_sqlite(path: Path, retentions: Retentions | None, now: datetime) -> SqliteHealth:
    """The file at one moment; its growth is the share of its documents that are of the last days.

    Args:
        path: the store's file.
        retentions: by which documents are deleted; None: nobody deletes. The longest one counts for all.
        now: the time, aware.

    Raises:
        LogStoreError: the file can't be read.
    """
    with explained(path), closing(open_for_reading(path, BUSY_SECONDS)) as connection:
        page_bytes, pages, free_pages = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
        documents, oldest, newest = connection.execute(
            "SELECT count(*), min(timestamp_us), max(timestamp_us) FROM record"
        ).fetchone()
        since = max(now - WINDOW, _moment(oldest) or now)
        (recent,) = connection.execute(
            "SELECT count(*) FROM record WHERE timestamp_us >= ? AND timestamp_us <= ?",
            ((since - EPOCH) // timedelta(microseconds=1), (now - EPOCH) // timedelta(microseconds=1)),
        ).fetchone()
    wal = Path(f"{path}-wal")
    size = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    used = (pages - free_pages) * page_bytes
    growth = _growth(used / documents if documents else 0.0, recent, now - since)
    return SqliteHealth(
        f"SQLite {path}",
        now,
        size,
        free_pages * page_bytes,
        documents,
        _moment(oldest),
        _moment(newest),
        _disk(path, free_pages * page_bytes, growth, _kept(retentions, _moment(oldest), used, now)),
    )


def _growth(bytes_per_document: float, recent: int, measured: timedelta) -> Growth | None:
    if measured < SHORTEST:
        return None
    rate = bytes_per_document * recent / (measured / DAY)
    return Growth(rate, rate, rate, measured, "documents of the last days and their mean size")


def _kept(
    retentions: Retentions | None, oldest: datetime | None, used_bytes: int, now: datetime
) -> tuple[float | None, tuple[tuple[float, int], ...]]:
    """The longest retention in days, and what of today's documents goes: taken as spread evenly over their time."""
    if retentions is None:
        return None, ()
    keep = max(each.keep for each in (retentions.default, *retentions.by_dataset.values()))
    span = now - (oldest or now)
    if span <= timedelta(0):
        return keep / DAY, ()
    days = max(1, round(span / DAY))
    # The documents of each day go when they are old enough, those of the first day first.
    goes = tuple((max((keep - span * (1 - day / days)) / DAY, 0.0), used_bytes // days) for day in range(days))
    return keep / DAY, goes


def _disk(
    path: Path, free_inside: int, growth: Growth | None, kept: tuple[float | None, tuple[tuple[float, int], ...]]
) -> DiskForecast:
    folder = path.absolute().parent
    disk = shutil.disk_usage(folder)
    keep_days, deletions = kept
    parts = [Part(growth.bytes_per_day, keep_days, deletions)] if growth else []
    full = days_until(disk.free + free_inside, parts)
    return DiskForecast(
        str(folder), disk.total, disk.free, growth, {WatermarkName.FLOOD_STAGE: full}, {WatermarkName.FLOOD_STAGE: 0}
    )


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)
