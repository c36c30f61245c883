"""When time doesn't count: once between two moments, or again and again by the clock on a wall."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from sereno_slo.calendars.zones import DAY_SECONDS, zone_info

DAYS_OF_WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""As cron counts them."""


@dataclass(frozen=True, slots=True)
class Once:
    """From one moment to another, in seconds since 1970."""

    start_seconds: float
    end_seconds: float

    def covers(self, seconds: float) -> bool:
        """Whether this moment lies within."""
        return self.start_seconds <= seconds < self.end_seconds

    def between(self, start_seconds: float, end_seconds: float) -> Iterator[tuple[float, float]]:
        """The stretches within a time, as moments in seconds since 1970."""
        if self.start_seconds < end_seconds and self.end_seconds > start_seconds:
            yield max(self.start_seconds, start_seconds), min(self.end_seconds, end_seconds)


@dataclass(frozen=True, slots=True)
class Days:
    """The days on which something begins; None is every one.

    Where a day of the month and one of the week are both asked for, `either` is enough, as cron has it.
    """

    weekdays: frozenset[int] | None = None
    """Sunday is 0."""
    month_days: frozenset[int] | None = None
    months: frozenset[int] | None = None
    either: bool = False

    def include(self, day: datetime) -> bool:
        """Whether this day is one of them."""
        if self.months is not None and day.month not in self.months:
            return False
        by_week = self.weekdays is None or day.isoweekday() % 7 in self.weekdays
        by_month = self.month_days is None or day.day in self.month_days
        return by_week or by_month if self.either else by_week and by_month


@dataclass(frozen=True)
class Recurring:
    """Every time the clock in `timezone` shows one of these times of a day, for so long.

    What the wall shows counts: an hour that a change of the clocks skips has no such time, one that comes twice has it
    twice.
    """

    starts_seconds: tuple[int, ...]
    """Since midnight."""
    length_seconds: int
    days: Days
    timezone: str

    @cached_property
    def stretches(self) -> tuple[tuple[int, int], ...]:
        """When it holds, in seconds since the midnight of the day on which it began; those that touch are one."""
        merged: list[tuple[int, int]] = []
        for start in sorted(self.starts_seconds):
            end = start + self.length_seconds
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return tuple(merged)

    def covers(self, seconds: float) -> bool:
        """Whether this moment lies within."""
        wall = datetime.fromtimestamp(seconds, UTC).astimezone(zone_info(self.timezone)).replace(tzinfo=None)
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        since_midnight = (wall - midnight).total_seconds()
        return any(
            start <= since_midnight + ago * DAY_SECONDS < end and self.days.include(midnight - timedelta(days=ago))
            for start, end in self.stretches
            for ago in range(end // DAY_SECONDS + 1)
        )

    def between(self, start_seconds: float, end_seconds: float) -> Iterator[tuple[float, float]]:
        """The stretches within a time, as moments in seconds since 1970, to the minute."""
        return _runs(self, start_seconds, end_seconds)


Schedule = Once | Recurring


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Time that doesn't count, with who decided it and why."""

    reason: str
    author: str
    schedule: Schedule
    in_words: str
    """`sundays 02:00 to 03:00 America/Bogota`: when, for people."""


MINUTE_SECONDS = 60


def _runs(schedule: Recurring, start_seconds: float, end_seconds: float) -> Iterator[tuple[float, float]]:
    begun: float | None = None
    for moment in _minutes(start_seconds, end_seconds):
        if schedule.covers(moment):
            begun = max(moment, start_seconds) if begun is None else begun
        elif begun is not None:
            yield begun, moment
            begun = None
    if begun is not None:
        yield begun, end_seconds


def _minutes(start_seconds: float, end_seconds: float) -> Iterable[float]:
    first = int(start_seconds // MINUTE_SECONDS) * MINUTE_SECONDS
    return range(first, int(-(-end_seconds // MINUTE_SECONDS)) * MINUTE_SECONDS, MINUTE_SECONDS)


def is_excluded(exclusions: Iterable[Exclusion], seconds: float) -> bool:
    """Whether a moment lies in any of them."""
    return any(exclusion.schedule.covers(seconds) for exclusion in exclusions)
