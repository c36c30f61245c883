"""When quotas begin again: months of every length, time zones, days of 23 and 25 hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_exporters.quotas.period import Period, day_of, month_of, week_of

BERLIN, BOGOTA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Bogota")
ZONES = st.sampled_from([ZoneInfo("UTC"), BERLIN, BOGOTA, ZoneInfo("Pacific/Auckland")])
MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def at(text: str) -> datetime:
    """A moment, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day", "zone", "start", "end"),
    [
        ("2026-11-26T12:00", 1, "UTC", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("2026-12-31T23:59", 1, "UTC", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2026-02-14T00:00", 15, "UTC", "2026-01-15T00:00", "2026-02-15T00:00"),
        ("2026-02-28T00:00", 31, "UTC", "2026-02-28T00:00", "2026-03-31T00:00"),
        ("2028-02-28T12:00", 30, "UTC", "2028-01-30T00:00", "2028-02-29T00:00"),
        ("2026-04-01T03:00", 1, "America/Bogota", "2026-03-01T05:00", "2026-04-01T05:00"),
        ("2026-03-31T22:30", 1, "Europe/Berlin", "2026-03-31T22:00", "2026-04-30T22:00"),
    ],
)
def test_months_begin_on_their_day(now: str, day: int, zone: str, start: str, end: str) -> None:
    """By the provider's own midnight; where a month is shorter, on its last day."""
    period = month_of(at(now), day, ZoneInfo(zone))
    assert (period.start.astimezone(UTC), period.end.astimezone(UTC)) == (at(start), at(end))


def test_days_have_23_and_25_hours() -> None:
    """When clocks change, a daily quota lasts as long as the provider's day."""
    spring, autumn = day_of(at("2026-03-29T12:00"), BERLIN), day_of(at("2026-10-25T12:00"), BERLIN)
    assert spring.end.timestamp() - spring.start.timestamp() == 23 * 3600
    assert autumn.end.timestamp() - autumn.start.timestamp() == 25 * 3600


@given(MOMENTS, st.integers(1, 31), st.integers(0, 6), ZONES)
def test_every_moment_is_in_one_period(now: datetime, day: int, weekday: int, zone: ZoneInfo) -> None:
    """It is not before the start, and before the end; the next period begins where this one ends."""

    def check(period: Period, following: Period, longest: timedelta) -> None:
        assert period.start.timestamp() <= now.timestamp() < period.end.timestamp()
        assert following.start == period.end
        assert period.end.timestamp() - period.start.timestamp() <= longest.total_seconds()

    month = month_of(now, day, zone)
    check(month, month_of(month.end, day, zone), timedelta(days=31, hours=1))
    week = week_of(now, weekday, zone)
    check(week, week_of(week.end, weekday, zone), timedelta(days=7, hours=1))
    assert week.start.weekday() == weekday
    check(day_of(now, zone), day_of(day_of(now, zone).end, zone), timedelta(hours=25))
