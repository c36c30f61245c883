"""What the load generator plans: the mix and the times."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from transactions_api.load_plan import DayShape, Mix, due_times, flat
from transactions_api.model import NewTransaction

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def test_seventy_of_a_hundred_read() -> None:
    """70 % GET, half of them for one transaction; 30 % POST."""
    mix = Mix(Random(1))
    mix.learn(["a", "b"])
    planned = [mix.next() for _ in range(10_000)]
    posts = sum(request.method == "POST" for request in planned)
    single = sum(request.path in {"/transactions/a", "/transactions/b"} for request in planned)
    assert posts == pytest.approx(3000, rel=0.05)
    assert single == pytest.approx(3500, rel=0.05)


def test_a_seed_gives_the_same_mix_again() -> None:
    """Two runs with one seed send the same; another seed sends something else."""
    first, again, other = (Mix(Random(seed)) for seed in (7, 7, 8))
    plans = [[mix.next() for _ in range(200)] for mix in (first, again, other)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_what_was_learnt_does_not_shift_the_mix() -> None:
    """Whether the service answers or not, the same requests are reads and writes, with the same bodies."""
    knowing, ignorant = Mix(Random(3)), Mix(Random(3))
    knowing.learn(["a"])
    pairs = [(knowing.next(), ignorant.next()) for _ in range(300)]
    assert all((one.method, one.body) == (two.method, two.body) for one, two in pairs)
    assert any(one.path != two.path for one, two in pairs)


def test_nothing_is_asked_for_that_was_never_seen() -> None:
    """Until a list came back, reads are lists: a 404 would be the generator's own failure."""
    mix = Mix(Random(1))
    assert {request.path for request in (mix.next() for _ in range(200))} == {"/transactions", "/transactions?limit=20"}


def test_every_posted_body_is_a_right_one() -> None:
    """The generator's writes are accepted by the service's own model."""
    mix = Mix(Random(5))
    bodies = [request.body for request in (mix.next() for _ in range(500)) if request.body is not None]
    for body in bodies:
        NewTransaction.model_validate_json(json.dumps(body))
    assert len({str(body) for body in bodies}) > 100


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
