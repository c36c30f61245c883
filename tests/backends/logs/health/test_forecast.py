"""How fast a store grows, and when its disk is full."""

from datetime import timedelta

import pytest
from sereno_backends.logs.health.forecast import Part, days_until, growth_between, growth_of, part_of
from sereno_backends.logs.lifecycle import BackingIndex, Retention, Stream
from support.log_records import NOON

DAY = timedelta(days=1)


def stream(*indices: tuple[float, int]) -> Stream:
    """A stream of indices that were begun so many days ago and have so many bytes."""
    made = tuple(BackingIndex(f".ds-{number}", NOON - age * DAY, 1, size) for number, (age, size) in enumerate(indices))
    return Stream("logs-app-default", made, is_ours=True)


def test_growth_is_that_of_the_last_week() -> None:
    """Of an index that was begun before, only its share of the week counts; the extremes are single indices'."""
    growth = growth_of(stream((30, 1_000_000), (14, 1_400), (4, 400)), NOON)
    assert growth is not None
    # 10 days with 140 a day, of which 3 lie in the week, then 4 days with 100 a day
    assert growth.bytes_per_day == pytest.approx((3 * 140 + 4 * 100) / 7)
    assert growth.lowest_bytes_per_day == pytest.approx(100)
    assert growth.highest_bytes_per_day == pytest.approx(140)
    assert growth.measured == 7 * DAY


def test_a_young_stream_is_measured_from_its_beginning() -> None:
    """Two days of data are divided by two days; half an hour says nothing."""
    growth = growth_of(stream((2, 500)), NOON)
    assert growth is not None
    assert growth.bytes_per_day == pytest.approx(250)
    assert growth.measured == 2 * DAY
    assert growth_of(stream((1 / 48, 500)), NOON) is None


def test_two_looks_at_a_disk() -> None:
    """A thousand bytes in a minute are 1.44 million in a day; what the logs themselves grew by is the other extreme."""
    growth = growth_between(1_000, 600, timedelta(minutes=1))
    assert growth.bytes_per_day == growth.highest_bytes_per_day == pytest.approx(1_440_000)
    assert growth.lowest_bytes_per_day == pytest.approx(864_000)


def test_days_are_those_at_which_the_room_is_used_up() -> None:
    """What grows by 10 a day fills 95 in 9.5 days; no room is day 0; a year is as far as is looked."""
    assert days_until(95, [Part(6, None), Part(4, None)]) == pytest.approx(9.5)
    assert days_until(0, [Part(10, None)]) == 0
    assert days_until(-5, []) == 0
    assert days_until(10 * 366, [Part(10, None)]) is None
    assert days_until(100, []) is None
    assert days_until(100, [Part(-3, None)]) is None


def test_retention_holds_the_disk() -> None:
    """With a retention as much goes as comes, once its time is over; what is there now goes when it is old enough."""
    week = Retention(7 * DAY, DAY)
    now = stream(*((age, 100) for age in (8, 7, 6, 5, 4, 3, 2, 1)))
    growth = growth_of(now, NOON)
    assert growth is not None
    part = part_of(now, growth, week, NOON)
    assert part.keep_days == pytest.approx(8)
    assert list(part.deletions) == [(day, 100) for day in range(8)]
    assert days_until(101, [part]) is None
    assert days_until(101, [part_of(now, growth, None, NOON)]) == pytest.approx(1.01)
    assert days_until(350, [part_of(now, growth, Retention(30 * DAY, DAY), NOON)]) == pytest.approx(3.5)


def test_what_is_deleted_later_comes_too_late() -> None:
    """A disk that is full before the next deletion is full, though there is room again on the evening of that day."""
    assert days_until(6, [Part(10, 1.0, ((0.9, 8),))]) == pytest.approx(0.6)
    assert days_until(60, [Part(100, None, ((0.5, 50),))]) == pytest.approx(1.1)
    assert days_until(8, [Part(10, 1.0, ((0.7, 8),))]) is None
