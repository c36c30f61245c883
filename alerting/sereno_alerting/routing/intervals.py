"""Time intervals moved so that now is to them what another moment was: Alertmanager's clock can't be set.

Alertmanager looks at each part of the clock by itself (time of day, day of the week, of the month, month, year), so
each is moved by itself. The moved interval lies where the local time is about noon, so that no day ends meanwhile; and
a beginning or an end that lies after the moment comes some minutes later: a last minute isn't over while cases run.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY = 24 * 60
_NOON = 12
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_PATIENCE_MINUTES = 5
_NEVER = {"start_time": "00:00", "end_time": "00:01"}
"""Now it is about noon."""


def moved(interval: Mapping[str, Any], at: datetime, now: datetime) -> dict[str, Any]:
    """An interval that holds now, and for five minutes, exactly if `interval` holds at `at`.

    Raises:
        ValueError: it is none that Alertmanager knows.
    """
    try:
        return _moved(interval, at, now)
    except ZoneInfoNotFoundError:
        raise ValueError(f"there is no time zone {interval.get('location')}") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"this is none: {interval!r:.200}") from None


def _moved(interval: Mapping[str, Any], at: datetime, now: datetime) -> dict[str, Any]:
    then = at.astimezone(ZoneInfo(str(interval.get("location") or "UTC")))
    zone, noon = _about_noon(now)
    found: dict[str, Any] = {"location": zone}
    if interval.get("times"):
        found["times"] = _times(interval["times"], then.hour * 60 + then.minute, noon.hour * 60 + noon.minute)
    if interval.get("weekdays"):
        days = _numbers(interval["weekdays"], _DAYS, first=0)
        shift = noon.isoweekday() - then.isoweekday()
        found["weekdays"] = sorted(_DAYS[(day + shift) % 7] for day in days)
    if interval.get("days_of_month"):
        found["days_of_month"] = _days_of_month(interval["days_of_month"], then, noon)
    if interval.get("months"):
        months = _numbers(interval["months"], _MONTHS, first=1)
        found["months"] = sorted(_MONTHS[(month - then.month + noon.month - 1) % 12] for month in months)
    if interval.get("years"):
        shift = noon.year - then.year
        found["years"] = [f"{first + shift}:{last + shift}" for first, last in map(_range, interval["years"])]
    return found


def _about_noon(now: datetime) -> tuple[str, datetime]:
    """A time zone without changes in which it is between 12:00 and 13:00."""
    ahead = _NOON - now.astimezone(UTC).hour  # from -11 to 12 hours
    # POSIX' sign: Etc/GMT-3 is three hours ahead.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC", now.astimezone(UTC) + timedelta(hours=ahead)


def _times(times: Iterable[Mapping[str, Any]], then: int, noon: int) -> list[dict[str, str]]:
    found = []
    for time in times:
        start, end = (_place(_minutes(str(time[key])), then, noon) for key in ("start_time", "end_time"))
        if start < end:
            found.append({"start_time": _clock(start), "end_time": _clock(end)})
    return found or [_NEVER]


def _place(minute: int, then: int, noon: int) -> int:
    distance = minute - then
    later = distance + _PATIENCE_MINUTES if distance > 0 else distance
    return min(max(noon + later, 0), _DAY)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _days_of_month(ranges: Iterable[Any], then: datetime, noon: datetime) -> list[str]:
    length = monthrange(then.year, then.month)[1]
    days: set[int] = set()
    for first, last in map(_range, ranges):
        # Negative ones count from the month's end; what a month hasn't is its nearest day.
        begin, end = (min(max(day + length + 1 if day < 0 else day, 1), length) for day in (first, last))
        days |= set(range(begin, end + 1))
    shift = noon.day - then.day
    found = [day + shift for day in sorted(days) if 1 <= day + shift <= monthrange(noon.year, noon.month)[1]]
    # None is left: a day that isn't today.
    return [f"{day}:{day}" for day in found or [noon.day % 28 + 1]]


def _range(written: Any) -> tuple[int, int]:
    first, colon, last = str(written).partition(":")
    return int(first), int(last if colon else first)


def _numbers(ranges: Iterable[Any], names: tuple[str, ...], first: int) -> set[int]:
    found: set[int] = set()
    for written in ranges:
        begin, colon, end = str(written).lower().replace(" ", "").partition(":")
        found |= set(range(_number(begin, names, first), _number(end if colon else begin, names, first) + 1))
    return found


def _number(word: str, names: tuple[str, ...], first: int) -> int:
    return names.index(word) + first if word in names else int(word)
