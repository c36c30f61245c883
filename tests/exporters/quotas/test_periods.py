"""Months that begin on a day, and when a quota runs out."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sereno_exporters.quotas.families import of_usage
from sereno_exporters.quotas.periods import Span, span_of
from sereno_exporters.quotas.settings import Period, Quota
from sereno_exporters.quotas.snapshot import Usage

BOGOTA = "America/Bogota"


def moment(text: str, zone: str = "UTC") -> float:
    """Seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("day", "zone", "now", "start", "end"),
    [
        (1, "UTC", "2026-11-26", "2026-11-01", "2026-12-01"),
        (1, "UTC", "2026-12-01", "2026-12-01", "2027-01-01"),
        (15, "UTC", "2026-01-03", "2025-12-15", "2026-01-15"),
        (31, "UTC", "2026-02-27", "2026-01-31", "2026-02-28"),
        (31, "UTC", "2026-02-28", "2026-02-28", "2026-03-31"),
        (30, "UTC", "2028-02-29", "2028-02-29", "2028-03-30"),
        (1, BOGOTA, "2026-11-01T04:59:59", "2026-10-01T05:00", "2026-11-01T05:00"),
        (1, BOGOTA, "2026-11-01T05:00", "2026-11-01T05:00", "2026-12-01T05:00"),
        (1, "Europe/Madrid", "2026-04-10", "2026-03-31T22:00", "2026-04-30T22:00"),
    ],
)
def test_a_period_begins_at_midnight_of_its_day(day: int, zone: str, now: str, start: str, end: str) -> None:
    """In its own time zone, in short months on their last day."""
    assert span_of(Period(day=day, timezone=zone), moment(now)) == Span(moment(start), moment(end))


@settings(deadline=None)
@given(
    day=some.integers(1, 31),
    zone=some.sampled_from(["UTC", BOGOTA, "Europe/Madrid", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"]),
    now=some.datetimes(datetime(2001, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - a zone is given to it
)
def test_periods_follow_each_other_without_a_gap(day: int, zone: str, now: datetime) -> None:
    """Each moment is in one period, which is as long as a month, and the next begins at its end."""
    period, at = Period(day=day, timezone=zone), moment(now.isoformat())
    span = span_of(period, at)
    assert span.start <= at < span.end
    assert timedelta(days=26) <= timedelta(seconds=span.end - span.start) <= timedelta(days=34)
    assert span_of(period, span.end).start == span.end
    assert span_of(period, span.start) == span


def quota(limit: float = 100.0) -> Quota:
    """A quota with a period."""
    return Quota.model_validate(
        {"name": "commands", "limit": limit, "read": {"file": {"file": "x"}}, "period": {"day": 1}}
    )


def test_it_runs_out_where_the_line_from_the_start_meets_the_limit() -> None:
    """A quarter used in a tenth of the period: all of it after four tenths."""
    assert Usage(quota(), 25.0, 1_100.0, Span(1_000.0, 2_000.0)).runs_out_at == 1_400.0


@pytest.mark.parametrize(("used", "span"), [(0.0, Span(1_000.0, 2_000.0)), (25.0, None)])
def test_there_is_no_forecast_of_nothing(used: float, span: Span | None) -> None:
    """Neither of a level nor of what nobody has used yet; and no infinite series."""
    usage = Usage(quota(), used, 1_100.0, span)
    assert usage.runs_out_at is None
    values = [sample.value for metric in of_usage(usage) for sample in metric.samples]
    assert all(abs(value) < float("inf") for value in values)


def test_the_first_moment_of_a_period_divides_by_nothing() -> None:
    """What is used already when it begins is an early end, no error."""
    assert Usage(quota(), 50.0, 1_000.0, Span(1_000.0, 2_000.0)).runs_out_at == 1_002.0
