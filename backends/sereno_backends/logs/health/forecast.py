"""How fast a store grows, and when a disk is full: pure, from index sizes and dates, or from two looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sereno_backends.logs.lifecycle.model import Retention, Stream

DAY = timedelta(days=1)
WINDOW = timedelta(days=7)
"""What is looked back on: a week has every day of the week once."""
SHORTEST = timedelta(hours=1)
"""Growth of less time than this says nothing."""
HORIZON_DAYS = 365


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes a day that come; what is deleted is not taken off."""

    bytes_per_day: float
    lowest_bytes_per_day: float
    highest_bytes_per_day: float
    """How much single parts of the time measured differ: the uncertainty."""
    measured: timedelta
    """How much time was looked at."""
    source: str
    """Where it is known from."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that grows steadily and, where it has a retention, lets go of what is too old."""

    bytes_per_day: float
    keep_days: float | None
    """After so many days what is written today is gone; None: never."""
    deletions: tuple[tuple[float, int], ...] = ()
    """What is there now and will go: in how many days, how many bytes."""


def growth_of(stream: Stream, now: datetime) -> Growth | None:
    """A stream's growth by the sizes of its indices and when they were begun; None: it is too young.

    Each index is taken for filled evenly from its beginning to the next one's; the extremes are those of single
    indices.
    """
    begins = [index.created_at for index in stream.indices]
    since = max(now - WINDOW, min(begins))
    measured = now - since
    if measured < SHORTEST:
        return None
    written, rates = 0.0, []
    for index, (begin, end) in zip(stream.indices, pairwise([*begins, now]), strict=True):
        overlap = min(end, now) - max(begin, since)
        if overlap <= timedelta(0):
            continue
        written += index.size_bytes * (overlap / (end - begin))
        if end - begin >= SHORTEST:
            rates.append(index.size_bytes / ((end - begin) / DAY))
    rate = written / (measured / DAY)
    return Growth(
        rate,
        min([rate, *rates]),
        max([rate, *rates]),
        measured,
        "sizes and dates of indices",
    )


def growth_between(disk_bytes: int, log_bytes: float, elapsed: timedelta) -> Growth:
    """Growth by two looks.

    Args:
        disk_bytes: by which the disk's free space became less; whoever else writes there is in it.
        log_bytes: by which the log indices became larger; merges make them larger for a while, and smaller.
        elapsed: between the looks.
    """
    disk, logs = (grown / (elapsed / DAY) for grown in (disk_bytes, log_bytes))
    return Growth(
        disk,
        min(disk, logs),
        max(disk, logs),
        elapsed,
        "two looks at the disk and at the log indices, rough where they lie minutes apart",
    )


def total(growths: Sequence[Growth], source: str) -> Growth | None:
    """All together; None where there is nothing to add."""
    if not growths:
        return None
    return Growth(
        sum(each.bytes_per_day for each in growths),
        sum(each.lowest_bytes_per_day for each in growths),
        sum(each.highest_bytes_per_day for each in growths),
        max(each.measured for each in growths),
        source,
    )


def part_of(stream: Stream, growth: Growth, retention: Retention | None, now: datetime) -> Part:
    """The stream as it will go on.

    Args:
        stream: as it is.
        growth: its own.
        retention: by which its indices are deleted; None: by none.
        now: the time.
    """
    if retention is None:
        return Part(growth.bytes_per_day, None)
    ends = [*(index.created_at for index in stream.indices[1:]), stream.write_index.created_at]
    ends[-1] = max(ends[-1] + retention.age_to_roll_over, now)  # about when the newest one is followed by the next
    deletions = tuple(
        (max((end + retention.keep - now) / DAY, 0.0), index.size_bytes)
        for index, end in zip(stream.indices, ends, strict=True)
    )
    return Part(growth.bytes_per_day, (retention.keep + retention.age_to_roll_over) / DAY, deletions)


def days_until(room_bytes: float, parts: Sequence[Part]) -> float | None:
    """In how many days so much more is on the disk; 0: it is already; None: not within a year.

    What is written today is there for its retention, then as much goes as comes. What goes later than the room is used
    up comes too late.
    """
    if room_bytes <= 0:
        return 0.0
    added, since, rate = 0.0, 0.0, sum(part.bytes_per_day for part in parts)
    for when, freed, slower in _changes(parts):
        if rate > 0 and added + rate * (when - since) >= room_bytes:
            return since + (room_bytes - added) / rate
        added += rate * (when - since) - freed
        since, rate = when, rate - slower
    return None


def _changes(parts: Sequence[Part]) -> list[tuple[float, float, float]]:
    """When something changes, in order: in how many days, how many bytes go, by how much a day less comes then."""
    gone = [(when, float(size), 0.0) for part in parts for when, size in part.deletions]
    held = [(part.keep_days, 0.0, part.bytes_per_day) for part in parts if part.keep_days is not None]
    return [*sorted(each for each in (*gone, *held) if each[0] < HORIZON_DAYS), (float(HORIZON_DAYS), 0.0, 0.0)]
