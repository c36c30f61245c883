"""The rules of today against the truth, in a few short scenarios: the whole benchmark takes minutes."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks.accuracy.__main__ import JUDGING_SEED, main
from benchmarks.accuracy.judge import ServerTooOldError, judge
from benchmarks.accuracy.methods import SERENO
from benchmarks.accuracy.report import missed
from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios import SCENARIOS

SEED = 7
assert SEED != JUDGING_SEED  # figures that are published come from a seed that nobody looks at while changing rules
DAYS = 1.5
CHOSEN = (
    "incident at night: 30 % for 2 h",
    "100 requests/h, single failures",
    "restart, counter looks unchanged (1 → 1)",
    "restart in place",
    "time slices: two probes of one page",
    "scrape gap of 10 minutes inside an incident",
    "latency histogram: diurnal, incident",
)


def scenario(name: str) -> Scenario:
    """By its name; as short as asked, whatever length is its own."""
    (found,) = (one for one in SCENARIOS if one.name == name)
    return replace(found, days=None)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_error_ratio_is_right(name: str) -> None:
    """Sereno's error ratio is at most half a percent off, and always there."""
    outcome = judge(scenario(name), seed=SEED, days=DAYS)
    assert not missed(outcome)
    assert outcome.truth[""].bad_events > 0
    assert outcome.measured[SERENO].evaluations > 1


def test_the_same_seed_gives_the_same_figures() -> None:
    """Truth and findings repeat to the last digit; another seed is another month."""
    one = scenario("2 requests/s, error series born with the first error")
    first, again, other = (judge(one, seed=seed, days=0.3) for seed in (3, 3, 4))
    assert (first.truth, first.measured) == (again.truth, again.measured)
    assert first.truth != other.truth


def test_a_server_that_is_too_old_is_told() -> None:
    """A scenario that this Prometheus has no functions for is skipped with the reason, and never judged."""
    one = replace(scenario("steady"), needs="vector(1) > 2")
    with pytest.raises(ServerTooOldError, match="no answer to vector"):
        judge(one, seed=SEED, days=0.1)


def test_scenarios_have_names_of_their_own() -> None:
    """A scenario is found by its name, which also seeds its chance."""
    names = [one.name for one in SCENARIOS]
    assert len(set(names)) == len(names)


def test_the_command_lists_and_refuses() -> None:
    """--list names the lines; a text that no scenario has, and a server that isn't there, end in a cure."""
    listed = CliRunner().invoke(main, ["--list", "--scenarios", "incident"])
    assert "incident at peak" in listed.output
    unknown = CliRunner().invoke(main, ["--scenarios", "no such thing"])
    assert unknown.exit_code == 2
    assert "--list" in unknown.output
    no_server = CliRunner().invoke(main, ["--prometheus", "no-such-prometheus"])
    assert no_server.exit_code == 1
    assert "make tools" in no_server.output
