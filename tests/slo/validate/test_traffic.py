"""A usual day, made of hourly counts."""

import pytest
from sereno_slo.duration import Duration
from sereno_slo.validate.traffic import Traffic, traffic_of

MONDAY = 20_000 * 24
"""An hour since 1970 that begins a day."""
HOUR, DAY = Duration.parse("1h"), Duration.parse("1d")


def days(*shapes: list[float]) -> dict[int, float]:
    """Counts of whole days, one after the other; an hour of another day stands before them, as it is left out."""
    counts = {MONDAY - 1: 10.0**9}
    for number, shape in enumerate(shapes):
        counts |= {MONDAY + number * 24 + hour: count for hour, count in enumerate(shape)}
    return counts


def shop(day: float, night: float) -> list[float]:
    """A day with six hours of night."""
    return [night] * 6 + [day] * 18


def of(counts: dict[int, float], usual: float | None = None) -> Traffic:
    """The traffic, which is there."""
    traffic = traffic_of(counts, usual)
    assert traffic is not None
    return traffic


def test_each_hour_has_the_median_of_its_days() -> None:
    """A campaign, or an outage, on one of the days changes nothing."""
    traffic = of(days(shop(600, 60), shop(660, 66), shop(90_000, 9_000), shop(630, 63), shop(0, 0)))
    assert traffic.by_hour == tuple(shop(630, 63))
    assert (traffic.day, traffic.night, traffic.idle_hours, traffic.hours_seen) == (6, 0, 0, 120)


def test_usual_is_made_as_the_ledger_makes_it() -> None:
    """The average of whole days, at most a fifth above their median, and twice what came of late."""
    calm = [shop(600, 60)] * 4
    a_day = 6 * 60 + 18 * 600
    assert of(days(*calm)).usual == pytest.approx(a_day / 288)
    assert of(days(shop(120, 12), *calm)).usual == pytest.approx(a_day * 4.2 / 5 / 288)
    assert of(days(*calm, shop(90_000, 60))).usual == pytest.approx(a_day * 1.2 / 288)
    assert of(days(*calm, [46.5] * 24)).usual == pytest.approx(2 * 46.5 / 12)
    # The last hour is as good a witness as the last day.
    assert of(days(*calm, [6.0] * 23 + [120.0])).usual == pytest.approx(2 * 120 / 12)
    # It rests on most days: the median is none, and tells nothing.
    assert of(days(shop(0, 0), shop(0, 0), shop(600, 60))).usual == pytest.approx(a_day / 3 / 288)


def test_what_the_ledger_takes_for_usual_goes_first() -> None:
    """Alerts compare with what is recorded."""
    assert of(days(shop(600, 60)), usual=7.5).usual == 7.5


def test_hours_without_series_between_others_had_no_events() -> None:
    """What is scaled to zero every night is idle by night, and the night is the quietest hour that isn't."""
    counts = days(shop(600, 60), shop(600, 60), shop(600, 60))
    awake = {hour: count for hour, count in counts.items() if not 1 <= hour % 24 < 6}
    traffic = of(awake)
    assert traffic.by_hour[1:6] == (0,) * 5
    assert (traffic.idle_hours, traffic.night) == (5, 0)


def test_the_unseen_part_of_a_young_day_is_like_the_rest() -> None:
    """Hours of the day that were never seen have the average of those that were."""
    traffic = of({MONDAY + 8: 1.0, MONDAY + 9: 30.0, MONDAY + 10: 60.0, MONDAY + 11: 90.0})
    assert traffic.hours_seen == 3  # the first one was seen in part
    assert traffic.by_hour == (*[60.0] * 9, 30.0, 60.0, 90.0, *[60.0] * 12)
    assert traffic.usual == pytest.approx(60 / 12)


def test_one_hour_is_better_than_none() -> None:
    """What was seen for the first time in this very hour has a traffic, too."""
    assert of({MONDAY: 12.0}).by_hour == (12.0,) * 24
    assert of({MONDAY: 12.0, MONDAY + 1: 0.0}).by_hour == (12.0, 0.0, *[6.0] * 22)


def test_where_most_days_have_no_event_the_average_tells() -> None:
    """One event a week is traffic, although the median of every hour is none."""
    rare = [[0.0] * 24 for _ in range(7)]
    rare[3][15] = 7.0
    traffic = of(days(*rare))
    assert traffic.by_hour == (*[0.0] * 15, 1.0, *[0.0] * 8)
    assert traffic.day == traffic.night == 15


def test_nothing_is_no_traffic() -> None:
    """Neither no series, nor series that never counted."""
    assert traffic_of({}) is None
    assert traffic_of({MONDAY: 0.0, MONDAY + 1: 0.0}) is None


def test_stretches_and_sums_follow_the_clock() -> None:
    """Sums go over midnight in both directions; stretches are the busiest and the quietest of their length."""
    traffic = of(days(*[shop(600, 60)] * 3))
    assert traffic.until(23, 120) == pytest.approx(600 + 60)
    assert traffic.until(0, -90) == pytest.approx(-900)
    assert traffic.until(5, 90) == pytest.approx(60 + 300)
    assert traffic.until(3, 3 * 24 * 60) == pytest.approx(3 * (18 * 600 + 6 * 60))
    assert traffic.busiest(HOUR) == pytest.approx(600)
    assert traffic.quietest(HOUR) == pytest.approx(60)
    assert traffic.quietest(HOUR * 8) == pytest.approx(6 * 60 + 2 * 600)
    assert traffic.quietest(Duration.parse("5m")) == pytest.approx(5)
    assert traffic.busiest(DAY) == traffic.quietest(DAY) == pytest.approx(18 * 600 + 6 * 60)
