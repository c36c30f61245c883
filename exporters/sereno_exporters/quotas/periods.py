"""Months that begin on a day, in a time zone. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sereno_exporters.quotas.settings import Period

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another, in seconds since the epoch."""

    start: float
    end: float


def span_of(period: Period, now: float) -> Span:
    """The period that `now` is in: from midnight of a day, there, to that of the next month."""
    zone = ZoneInfo(period.timezone)
    local = datetime.fromtimestamp(now, zone)
    this = _begin(local.year, local.month, period.day, zone)
    if this <= now:
        return Span(this, _begin(*_shifted(local, 1), period.day, zone))
    return Span(_begin(*_shifted(local, -1), period.day, zone), this)


def _shifted(moment: datetime, months: int) -> tuple[int, int]:
    year, month = divmod(moment.year * _MONTHS + moment.month - 1 + months, _MONTHS)
    return year, month + 1


def _begin(year: int, month: int, day: int, zone: ZoneInfo) -> float:
    last = monthrange(year, month)[1]
    return datetime(year, month, min(day, last), tzinfo=zone).timestamp()
