"""What load generators plan: the times."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from reference_system.load_plan import DayShape, due_times, flat

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def test_flat_traffic_is_evenly_spaced() -> None:
    """Twenty a second are one every 50 ms, beginning at once."""
    times = list(itertools.islice(due_times(20, flat), 5))
    assert times == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def test_a_fast_day_has_its_shape_and_its_mean() -> None:
    """At speed 60 a day takes 24 minutes; they hold the mean rate, and noon is busier than the night."""
    times = list(itertools.takewhile(lambda due: due < 1440, due_times(20, DayShape(MIDNIGHT, 60))))
    assert len(times) == pytest.approx(20 * 1440, rel=0.001)
    night = sum(220 <= due < 260 for due in times)
    noon = sum(760 <= due < 800 for due in times)
    assert noon / night == pytest.approx(1.3 / 0.75, rel=0.02)


def test_no_speed_runs_out_of_calendar() -> None:
    """However fast, however long: the shape repeats day by day."""
    shape = DayShape(MIDNIGHT, 100_000)
    assert shape(10 * 365 * 86_400) == pytest.approx(shape(0), abs=0.01)
    assert DayShape(MIDNIGHT, 1)(43_200) == DayShape(MIDNIGHT + timedelta(hours=12), 1)(0)
