"""The simulated past is what the rules would have recorded."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sereno_cli.demo.history import Minutes, journey_minutes, quiet_minutes, recorded_series
from sereno_slo.duration import Duration
from sereno_slo.model import ServiceLevelObjective
from support.slo_services import journey, transactions_api

FIRST_SECONDS = 1_795_374_000  # a multiple of 300
MINUTES = 3 * 24 * 60


def _past(slo: ServiceLevelObjective) -> tuple[Minutes, dict[str, dict[int, float]]]:
    events = [100 + index % 7 for index in range(MINUTES)]
    bad_events = [index % 3 for index in range(MINUTES)]
    minutes = Minutes(FIRST_SECONDS, events, bad_events)
    return minutes, {name: dict(points) for name, points in recorded_series(slo, minutes)}


def _brute_force(values: Sequence[float], end: int, count: int) -> float:
    return sum(values[max(0, end + 1 - count) : end + 1])


def test_windows_are_sums_of_entries() -> None:
    """Every figure of a window equals the sum of the entries in it, computed naively."""
    minutes, series = _past(transactions_api().slos[0])
    for index in (MINUTES - 1, MINUTES - 77, MINUTES - 1000):
        seconds = FIRST_SECONDS + 60 * index
        for name, count in (("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360)):
            events = _brute_force(minutes.events, index, count)
            bad_events = _brute_force(minutes.bad_events, index, count)
            assert series[f"sereno:events:{name}"][seconds] == events
            assert series[f"sereno:bad_events:{name}"][seconds] == bad_events
            assert series[f"sereno:error_ratio:{name}"][seconds] == bad_events / events


def test_roll_ups_and_the_budget_agree_with_the_entries() -> None:
    """The last recorded budget is that of all entries that its roll-ups hold."""
    slo = transactions_api().slos[0]
    minutes, series = _past(slo)
    last = max(series["sereno:events:sum5m"])
    index = (last - FIRST_SECONDS) // 60
    # A roll-up sums what was entered until a minute before it.
    events, bad_events = sum(minutes.events[:index]), sum(minutes.bad_events[:index])
    assert last % 300 == 0
    assert series["sereno:events:sum5m"][last] == _brute_force(minutes.events, index - 1, 5)
    assert series["sereno:events:window"][last] == events
    assert series["sereno:error_budget_remaining:ratio"][last] == 1 - bad_events / events / slo.error_budget_ratio
    assert series["sereno:coverage:ratio"][last] == (index // 5 + 1) / (slo.window / Duration.parse("5m"))


def test_when_the_budget_is_gone_is_told_with_it() -> None:
    """At the last day's pace, 0 where it is spent; nothing where no event was bad within the day."""
    slo = replace(transactions_api().slos[0], objective_percent=50)
    minutes, series = _past(slo)
    gone_in = series["sereno:error_budget_exhausted_in:seconds"]
    last = max(series["sereno:events:sum5m"])
    index = (last - FIRST_SECONDS) // 60
    left = 0.5 * sum(minutes.events[:index]) - sum(minutes.bad_events[:index])
    a_day = _brute_force(minutes.bad_events, index - 1, 24 * 60)
    assert gone_in[last] == pytest.approx(left / a_day * 86_400)
    assert max(gone_in) == max(series["sereno:error_budget_remaining:ratio"])
    _, overspent = _past(replace(slo, objective_percent=99.99))
    assert set(overspent["sereno:error_budget_exhausted_in:seconds"].values()) == {0}
    calm = dict(recorded_series(slo, replace(minutes, bad_events=[0] * MINUTES)))
    assert not [*calm["sereno:error_budget_exhausted_in:seconds"]]


def test_figures_are_there_until_the_running_server_has_its_own() -> None:
    """The last ones are those of the last roll-up, said once more at the end of the past."""
    _, series = _past(transactions_api().slos[0])
    end = max(series["sereno:events:delta1m"])
    for name in ("sereno:error_budget_remaining:ratio", "sereno:error_ratio:1d", "sereno:coverage:ratio"):
        before, last = sorted(series[name])[-2:]
        assert last == end
        assert series[name][last] == series[name][before]


def test_the_running_server_rolls_no_entry_up_again() -> None:
    """The last roll-up lies more than four minutes before the last entry, so the server's first one doesn't overlap."""
    _, series = _past(transactions_api().slos[0])
    assert max(series["sereno:events:delta1m"]) - max(series["sereno:events:sum5m"]) >= 5 * 60
    assert series["sereno:ledger:evaluated5m"].keys() == series["sereno:events:sum5m"].keys()


def test_a_journey_s_past_is_made_of_its_steps() -> None:
    """Who gets through both steps, by five minutes, or by an hour where the second one had hardly any events."""
    passed = replace(journey(), steps=tuple(journey().steps[:2]))
    first, second = (step.slo for step in passed.steps)
    told = {
        first: Minutes(FIRST_SECONDS, [100] * 60, [10] * 60),
        second: Minutes(FIRST_SECONDS, [20] * 30 + [0] * 30, [10] * 15 + [0] * 45),
    }
    minutes = journey_minutes(told, passed)
    assert list(minutes.events) == [100] * 60
    assert minutes.bad_events[10] == pytest.approx(100 * (1 - 0.9 * 0.5))
    assert minutes.bad_events[20] == pytest.approx(10)
    assert minutes.bad_events[50] == pytest.approx(100 * (1 - 0.9 * 0.75))


def test_a_usual_past_has_the_events_that_it_says_and_no_trouble() -> None:
    """Thirty days that spend about a tenth of the budget; the same again for the same SLO."""
    slo = transactions_api().slos[0]
    minutes = quiet_minutes(slo, 600.0, 1_795_374_059)
    assert minutes == quiet_minutes(slo, 600.0, 1_795_374_059)
    assert len(minutes.events) == 30 * 24 * 60
    assert minutes.first_seconds + 60 * (len(minutes.events) - 1) == 1_795_374_000
    assert sum(minutes.events) == pytest.approx(600 * len(minutes.events), rel=0.01)
    spent = sum(minutes.bad_events) / sum(minutes.events) / slo.error_budget_ratio
    assert spent == pytest.approx(0.1, rel=0.1)
    assert all(bad <= events for events, bad in zip(minutes.events, minutes.bad_events, strict=True))


def test_a_past_without_trouble_spends_a_tenth_and_ends_calm() -> None:
    """A postmortem's evidence begins before the demo: what is bad in it has happened, and isn't simulated."""
    slo = transactions_api().slos[0]
    minutes = quiet_minutes(slo, 10_000, FIRST_SECONDS)
    spent = sum(minutes.bad_events) / sum(minutes.events) / slo.error_budget_ratio
    assert spent == pytest.approx(0.1, rel=0.05)
    assert sum(minutes.bad_events[-60:-30]) > 0
    assert sum(minutes.bad_events[-30:]) == 0
