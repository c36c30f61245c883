"""The shape of a day."""

import itertools
import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from reference_system.traffic import relative_traffic

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("step", [timedelta(seconds=15), timedelta(minutes=1), timedelta(hours=1), timedelta(hours=4)])
@pytest.mark.parametrize("start", [MIDNIGHT, MIDNIGHT + timedelta(hours=7, minutes=13, seconds=7)])
def test_the_mean_of_a_day_is_one(step: timedelta, start: datetime) -> None:
    """Whatever grid a history is made on, a day holds exactly a day's traffic."""
    times = timedelta(days=1) // step
    mean = math.fsum(relative_traffic(start + number * step) for number in range(times)) / times
    assert mean == pytest.approx(1.0, abs=1e-12)


def test_it_goes_from_three_quarters_to_one_and_a_third() -> None:
    """The lowest hour is at night, the highest around noon, and neither is extreme."""
    by_minute = [relative_traffic(MIDNIGHT + timedelta(minutes=minute)) for minute in range(1440)]
    assert min(by_minute) == pytest.approx(0.75, abs=0.01)
    assert max(by_minute) == pytest.approx(1.3, abs=0.01)
    assert by_minute.index(min(by_minute)) / 60 == pytest.approx(4, abs=0.5)
    assert by_minute.index(max(by_minute)) / 60 == pytest.approx(13, abs=0.5)


def test_it_is_smooth_also_over_midnight() -> None:
    """From one minute to the next traffic changes by less than 0.2 % of the mean."""
    moments = [MIDNIGHT + timedelta(minutes=minute) for minute in range(-720, 720)]
    values = [relative_traffic(moment) for moment in moments]
    assert max(abs(after - before) for before, after in itertools.pairwise(values)) < 0.002


def test_every_day_is_the_same() -> None:
    """The shape depends on the time of day alone."""
    moment = MIDNIGHT + timedelta(hours=9, minutes=30, microseconds=5)
    assert relative_traffic(moment) == relative_traffic(moment + timedelta(days=200))


def test_the_clock_is_the_moments_own() -> None:
    """Noon is noon in any zone, also on a day when the clocks change, and without a zone."""
    noon = relative_traffic(datetime(2026, 3, 29, 12, tzinfo=UTC))
    for zone in (None, timezone(timedelta(hours=-5)), ZoneInfo("Europe/Madrid")):
        assert relative_traffic(datetime(2026, 3, 29, 12, tzinfo=zone)) == noon
