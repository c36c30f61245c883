"""A journey's error ratio by the compiled rules, against what became of its users."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.journeys.judging import judge
from benchmarks.journeys.scenarios import SCENARIOS
from benchmarks.journeys.users import Crowd, walk
from benchmarks.simulation import Server, running_prometheus

MINUTES = 720


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prometheus."""
    with running_prometheus(tmp_path_factory.mktemp("journeys")) as running:
        yield running


def _first_hours(crowd: Crowd) -> Crowd:
    return replace(crowd, a_minute=crowd.a_minute[:MINUTES], failing=crowd.failing[:, :MINUTES])


@pytest.mark.parametrize(
    "name", ["5 a minute, 3 minutes between steps", "four of five users leave on their way", "all three steps at once"]
)
def test_the_ledger_says_what_became_of_users(name: str, server: Server) -> None:
    """Half a day of it; with an incident of all steps in the last hours where there is one."""
    crowd = SCENARIOS[name].crowd
    failing = np.roll(crowd.failing, -1440, axis=1)
    found = judge(server, walk(_first_hours(replace(crowd, failing=failing)), np.random.default_rng(7)))
    assert abs(found.error(found.ledger)) < 0.05
    assert found.error(found.highest) < -0.05, "the worst step alone is not what users feel"


def test_steps_inside_each_other_are_counted_twice(server: Server) -> None:
    """What SLO073 warns of: never too few failures, and at most those of both."""
    crowd = _first_hours(replace(SCENARIOS["steps inside each other"].crowd))
    found = judge(server, walk(crowd, np.random.default_rng(7)))
    assert 0.5 < found.error(found.ledger) < 2
    assert abs(found.error(found.highest)) < 0.01
