"""A stretch of time that may be asked for, and in what steps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=92)
MOST_POINTS = 720
"""Of a line: more than a screen has room for."""
_STEPS_SECONDS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` are whole steps, so that all who look at the same minute ask the same question."""

    start: datetime
    end: datetime
    step: timedelta


def span_of(length: timedelta, now: datetime, *, until: datetime | None = None) -> Span:
    """The `length` up to now, or up to `until`; never longer than 92 days, never more than 720 points.

    Args:
        length: longer ones are cut at their beginning; shorter than a minute is a minute.
        now: aware, UTC; the end never lies after it.
        until: aware.
    """
    length = min(max(length, timedelta(minutes=1)), LONGEST)
    step = next((step for step in _STEPS_SECONDS if length.total_seconds() / step <= MOST_POINTS), _STEPS_SECONDS[-1])
    wanted = now if until is None else min(until, now)
    end_seconds = int(wanted.timestamp()) // step * step
    end = datetime.fromtimestamp(end_seconds, UTC)
    start = datetime.fromtimestamp(int((end - length).timestamp()) // step * step, UTC)
    return Span(start, end, timedelta(seconds=step))


class Length(StrEnum):
    """The stretches that pages offer by links."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "1d"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def time(self) -> timedelta:
        """How long it is."""
        return _LENGTHS[self]


_LENGTHS = {
    Length.HOUR: timedelta(hours=1),
    Length.SIX_HOURS: timedelta(hours=6),
    Length.DAY: timedelta(days=1),
    Length.WEEK: timedelta(days=7),
    Length.MONTH: timedelta(days=30),
}
