"""The clock on a wall, and what it rules out, in PromQL: Prometheus itself knows UTC only.

Everything here is arithmetic on a moment: on now, or on the timestamps of a series. What an exclusion rules out of a
series is ruled out wherever the series has samples, also before the rule was written.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from sereno_slo.calendars import (
    DAY_SECONDS,
    CalendarUnit,
    Change,
    Days,
    Exclusion,
    Once,
    Recurring,
    Zone,
    zone_rule,
)
from sereno_slo.promql import Binary, Call, Expr, Number, Selector

_WEEK_SECONDS = 7 * DAY_SECONDS
# 1970 began on a Thursday: so many seconds after a Sunday's, and after a Monday's midnight.
_SINCE_SUNDAY, _SINCE_MONDAY = 4 * DAY_SECONDS, 3 * DAY_SECONDS
_LAST_WEEK = 5


NOW = Call("time")
"""Within a subquery the time of its step."""


@dataclass(frozen=True, slots=True)
class _Wall:
    """A zone's clock; its moments are scalars or series."""

    zone: Zone
    are_series: bool

    def shows(self, moment: Expr) -> Expr:
        """What it shows at a moment, as seconds since its own 1970."""
        standard, summer = self.zone.standard_seconds, self.zone.summer_seconds
        if self.zone.summer_begins is None:
            return _plus(moment, standard)
        is_summer = self._is_summer(_plus(moment, standard), _plus(moment, summer))
        return _plus(moment + (summer - standard) * is_summer, standard)

    def moment(self, shown: Expr) -> Expr:
        """When it shows this; of what is skipped or comes twice either end."""
        standard, summer = self.zone.standard_seconds, self.zone.summer_seconds
        if self.zone.summer_begins is None:
            return _plus(shown, -standard)
        # A change to summer time is told by the clock before it, one back by the clock after it: both are shown here.
        return _plus(shown - (summer - standard) * self._is_summer(shown, shown), -standard)

    def _is_summer(self, standard: Expr, summer: Expr) -> Expr:
        """1 in summer time, 0 in standard time, by what each of the two clocks would show."""
        begins, ends = self.zone.summer_begins, self.zone.summer_ends
        if begins is None or ends is None:
            return Number(0)
        if begins.month < ends.month:
            return self._between(begins, standard, ends, summer)
        return 1 - self._between(ends, summer, begins, standard)

    def _between(self, first: Change, by_first: Expr, last: Change, by_last: Expr) -> Expr:
        """1 from one change to a later one of the same year, each by the clock that it changes."""
        since_first, since_last = _plus(by_first, -first.seconds), _plus(by_last, -last.seconds)
        begins, ends = _threshold(first), _threshold(last)
        if since_first == since_last and first.weekday == last.weekday:
            middle = Call("abs", (self._date(since_first, first) - (begins + 1 + ends) / 2,))
            return self._of_series(middle).holds("<", (ends - begins) / 2)
        # At New Year one of the two clocks is in December still.
        date_by_first, date_by_last = self._date(since_first, first), self._date(since_last, last)
        has_begun = self._of_series(date_by_first).holds(">", begins)
        is_this_year = self._of_series(date_by_first).holds("<", _MONTH * 12)
        return (has_begun * is_this_year) * self._of_series(date_by_last).holds("<=", ends)

    def _date(self, shown: Expr, change: Change) -> Expr:
        """Month and day of the last `weekday` of the change until now, as one number: 329 is March 29th."""
        moment = shown if self.are_series else Call("vector", (shown,))
        weekday: Expr = Call("day_of_week", (moment,))
        if change.weekday:
            weekday = (weekday + (7 - change.weekday)).modulo(7)
        return (_MONTH * Call("month", (moment,)) + Call("day_of_month", (moment,))) - weekday

    def _of_series(self, expr: Expr) -> Expr:
        return expr if self.are_series else Call("scalar", (expr,))


# A month's days, and those of the weeks around it, all lie between its number times this and the next one's.
_MONTH = 100
_LENGTHS = {month: 28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in range(1, 13)}  # noqa: PLR2004


def _threshold(change: Change) -> float:
    """The change has come when the date is above this."""
    before = _LENGTHS[change.month] - 7 if change.week == _LAST_WEEK else 7 * (change.week - 1)
    return _MONTH * change.month + before


def _of_date(function: str, wall: Expr) -> Call:
    """A part of the date: `day_of_month` and the like."""
    return Call("scalar", (Call(function, (Call("vector", (wall,)),)),))


def _plus(moment: Expr, seconds: float) -> Expr:
    if isinstance(moment, Binary) and isinstance(moment.right, Number) and moment.operator in "+-":
        sign = 1 if moment.operator == "+" else -1
        return _plus(moment.left, sign * moment.right.value + seconds)
    if seconds == 0:
        return moment
    return moment + seconds if seconds > 0 else moment - -seconds


def wall_clock(timezone: str) -> Expr:
    """What the wall shows now."""
    return _Wall(zone_rule(timezone), are_series=False).shows(NOW)


def moment_of(shown: Selector, timezone: str) -> Expr:
    """When the wall shows what a series says."""
    return _Wall(zone_rule(timezone), are_series=True).moment(shown)


def window_start(unit: CalendarUnit, shown: Selector) -> Expr:
    """What the wall showed when the calendar window began in which it shows this."""
    match unit:
        case CalendarUnit.WEEK:
            return shown - _plus(shown, _SINCE_MONDAY).modulo(_WEEK_SECONDS)
        case CalendarUnit.MONTH:
            return _month_start(shown)
        case CalendarUnit.QUARTER:
            # Four weeks before the first of a month lie in the month before it, eight in the one before that.
            months_in_quarter = (Call("month", (shown,)) - 1).modulo(3)
            return _month_start(_month_start(shown) - (28 * DAY_SECONDS) * months_in_quarter)
        case _:
            assert_never(unit)


def window_end(unit: CalendarUnit, start: Selector) -> Expr:
    """What the wall shows when the window ends at whose beginning it showed this."""
    match unit:
        case CalendarUnit.WEEK:
            return start + _WEEK_SECONDS
        case CalendarUnit.MONTH:
            return start + DAY_SECONDS * Call("days_in_month", (start,))
        case CalendarUnit.QUARTER:
            in_last_month = start + 80 * DAY_SECONDS  # from the 19th to the 22nd of it
            return _month_start(in_last_month) + DAY_SECONDS * Call("days_in_month", (in_last_month,))
        case _:
            assert_never(unit)


def _month_start(shown: Expr) -> Expr:
    return (shown - DAY_SECONDS * (Call("day_of_month", (shown,)) - 1)) - shown.modulo(DAY_SECONDS)


def counting(exclusions: Iterable[Exclusion], *, before_seconds: float = 0, after_seconds: float = 0) -> Expr | None:
    """1 while time counts, 0 while any exclusion holds, each a little longer at both ends; None if there are none."""
    factors = [factor for exclusion in exclusions for factor in _factors(exclusion, before_seconds, after_seconds)]
    return _product(factors) if factors else None


def _product(factors: Sequence[Expr]) -> Expr:
    """In pairs of pairs: a chain of hundreds would be as deep as it is long."""
    half = len(factors) // 2
    return factors[0] if len(factors) == 1 else _product(factors[: half or 1]) * _product(factors[half or 1 :])


def _factors(exclusion: Exclusion, before_seconds: float, after_seconds: float) -> Iterator[Expr]:
    match exclusion.schedule:
        case Once(start_seconds=start, end_seconds=end):
            yield 1 - NOW.holds(">=", start - before_seconds) * NOW.holds("<", end + after_seconds)
        case Recurring() as recurring:
            for start, end in recurring.stretches:
                yield from _outside(recurring, start - before_seconds, end + after_seconds)
        case _:
            assert_never(exclusion.schedule)


def _outside(recurring: Recurring, start: float, end: float) -> Iterator[Expr]:
    """1 outside a stretch of the days on which it recurs."""
    wall, days = wall_clock(recurring.timezone), recurring.days
    if days.month_days is None and days.months is None:
        if days.weekdays is None:
            yield _plus(wall, -start).modulo(DAY_SECONDS).holds(">=", end - start)
        for weekday in sorted(days.weekdays or ()):
            since: Expr = _plus(wall, _SINCE_SUNDAY - weekday * DAY_SECONDS - start).modulo(_WEEK_SECONDS)
            yield since.holds(">=", end - start)
        return
    # Whether it began today, yesterday, … decides the day that has to be one of those.
    since_midnight = wall.modulo(DAY_SECONDS)
    for ago in range(math.floor(start / DAY_SECONDS), math.floor(end / DAY_SECONDS) + 1):
        since = _plus(since_midnight, ago * DAY_SECONDS)
        is_within = since.holds(">=", start) * since.holds("<", end)
        yield 1 - is_within * _is_one_of(days, _plus(wall, -ago * DAY_SECONDS))


def _is_one_of(days: Days, wall: Expr) -> Expr:
    def chosen(function: str, numbers: frozenset[int] | None) -> list[Expr]:
        return [] if numbers is None else [_in(_of_date(function, wall), numbers)]

    by_month, by_week = chosen("day_of_month", days.month_days), chosen("day_of_week", days.weekdays)
    conditions = chosen("month", days.months)
    if by_month and by_week and days.either:
        conditions.append((by_month[0] + by_week[0]).holds(">", 0))
    else:
        conditions += [*by_month, *by_week]
    return reduce(lambda left, right: left * right, conditions)


def _in(value: Expr, chosen: frozenset[int]) -> Expr:
    """1 where the value is one of these, told by their runs."""
    numbers = sorted(chosen)
    begins = [number for number in numbers if number - 1 not in chosen]
    ends = [number for number in numbers if number + 1 not in chosen]
    runs = [
        value.holds("==", first) if first == last else value.holds(">=", first) * value.holds("<=", last)
        for first, last in zip(begins, ends, strict=True)
    ]
    return reduce(lambda left, right: left + right, runs)
