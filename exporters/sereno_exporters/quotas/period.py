"""When a quota begins again, in the provider's own time zone. Pure."""

import calendar
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch in which a quota counts up from nothing; both ends are aware."""

    start: datetime
    end: datetime


def month_of(now: datetime, day: int, zone: ZoneInfo) -> Period:
    """The month around `now` that begins on that day; where a month is shorter, on its last day."""
    local = now.astimezone(zone)
    year, month = local.year, local.month
    if _begins(year, month, day, zone) > now:
        year, month = _shifted(year, month, -1)
    return Period(_begins(year, month, day, zone), _begins(*_shifted(year, month, 1), day, zone))


def week_of(now: datetime, weekday: int, zone: ZoneInfo) -> Period:
    """The week around `now` that begins on that weekday, 0 is Monday."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=(today.weekday() - weekday) % 7)
    return Period(datetime.combine(first, time(), zone), datetime.combine(first + timedelta(days=7), time(), zone))


def day_of(now: datetime, zone: ZoneInfo) -> Period:
    """The day around `now`, by the zone's own midnight: 23 or 25 hours twice a year."""
    today = now.astimezone(zone).date()
    return Period(datetime.combine(today, time(), zone), datetime.combine(today + timedelta(days=1), time(), zone))


def _begins(year: int, month: int, day: int, zone: ZoneInfo) -> datetime:
    last = calendar.monthrange(year, month)[1]
    return datetime(year, month, min(day, last), tzinfo=zone)


def _shifted(year: int, month: int, by: int) -> tuple[int, int]:
    years, months = divmod(month - 1 + by, 12)
    return year + years, months + 1
