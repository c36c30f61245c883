"""What becomes of a reading. Pure: the moment of the reading is part of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.quotas.period import Period, day_of, month_of, week_of
from sereno_exporters.quotas.settings import Quota, Restart

_GAUGE = FamilyKind.GAUGE
_LABELS = ("quota", "unit")

USED = Family("sereno_quotas_used", _GAUGE, "How much of the quota is used, in its unit.", _LABELS)
LIMIT = Family("sereno_quotas_limit", _GAUGE, "How much the plan grants, in the quota's unit.", _LABELS)
USED_RATIO = Family("sereno_quotas_used_ratio", _GAUGE, "Used, of what is granted; above 1 is over it.", ("quota",))
START = Family(
    "sereno_quotas_period_start_timestamp_seconds", _GAUGE, "When the quota began to count; not of levels.", ("quota",)
)
END = Family("sereno_quotas_period_end_timestamp_seconds", _GAUGE, "When it begins again; not of levels.", ("quota",))
ALL = (USED, LIMIT, USED_RATIO, START, END)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used at a moment."""

    quota: Quota
    used: float
    at_seconds: float
    """Since the epoch."""


def families_of(reading: Reading) -> Iterable[Metric]:
    """All families of one quota."""
    quota = reading.quota
    yield USED.of([((quota.name, quota.unit), reading.used)])
    yield LIMIT.of([((quota.name, quota.unit), quota.limit)])
    yield USED_RATIO.of([((quota.name,), reading.used / quota.limit)])
    if quota.restarts is not None:
        period = _period(quota.restarts, datetime.fromtimestamp(reading.at_seconds, UTC))
        yield START.of([((quota.name,), period.start.timestamp())])
        yield END.of([((quota.name,), period.end.timestamp())])


def _period(restart: Restart, now: datetime) -> Period:
    zone = ZoneInfo(restart.time_zone)
    if restart.month_day is not None:
        return month_of(now, restart.month_day, zone)
    return day_of(now, zone) if restart.daily else week_of(now, restart.weekday_number, zone)
