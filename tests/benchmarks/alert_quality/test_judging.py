"""Labels and verdicts: what an incident is worth, and which page is right."""

from dataclasses import replace

import numpy as np
import pytest
from sereno_slo.backtest.firing import held

from benchmarks.alert_quality import world
from benchmarks.alert_quality.judging import Notice, judge, notices
from benchmarks.alert_quality.labels import Labelled, Worth, labelled
from benchmarks.alert_quality.world import (
    HISTORY_DAYS,
    SLOTS_A_DAY,
    SLOTS_AN_HOUR,
    Incident,
    Scenario,
    Weather,
    make_world,
)

_FIRST = HISTORY_DAYS * SLOTS_A_DAY
_QUIET = Weather(0, 0)


def _worth(incident: Incident, events_an_hour: float, percent: float = 99.9) -> dict[str, Worth]:
    scenario = Scenario("test", 1, percent, events_an_hour, world.steady, _QUIET, (replace(incident, begin=_FIRST),))
    (only,) = labelled(make_world(scenario))
    return only.page


@pytest.mark.parametrize(
    ("incident", "events_an_hour", "by_budget", "felt"),
    [
        # 10 % for an hour burns at 100: 100 / 720 of the budget of 30 days in an hour, far over 2 %.
        (Incident("fast", 0, SLOTS_AN_HOUR, 0.1), 10_000, Worth.YES, Worth.YES),
        # 5 times the objective for six hours is 4.2 % of the budget, just under 5 %; one in 200 isn't felt.
        (Incident("slow", 0, 6 * SLOTS_AN_HOUR, 0.005), 10_000, Worth.GREY, Worth.NO),
        (Incident("slow", 0, 6 * SLOTS_AN_HOUR, 0.002), 10_000, Worth.NO, Worth.NO),
        # At 10 an hour a half for an hour is five failures: no evidence that a page could have.
        (Incident("fast", 0, SLOTS_AN_HOUR, 0.5), 10, Worth.NO, Worth.NO),
        (Incident("outage", 0, 4 * SLOTS_AN_HOUR, 1.0), 10, Worth.YES, Worth.YES),
    ],
)
def test_worth_of_an_incident(incident: Incident, events_an_hour: float, by_budget: Worth, felt: Worth) -> None:
    """By the budget that it spent, and by the share of people whom it hurt."""
    assert _worth(incident, events_an_hour) == {"budget": by_budget, "felt": felt}


def test_a_full_outage_that_spends_little_is_felt_and_no_mistake() -> None:
    """At 95 % six minutes of outage are 0.3 % of the budget: felt, and not to be held against a page by budget."""
    assert _worth(Incident("outage", 0, 12, 1.0), 10_000, 95) == {"budget": Worth.GREY, "felt": Worth.YES}


def _firing(*spans: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    firing = np.zeros(_FIRST + 10 * SLOTS_A_DAY, dtype=bool)
    for begin, end in spans:
        firing[_FIRST + begin : _FIRST + end] = True
    return firing


def _incident(begin: int, end: int) -> Labelled:
    return Labelled(_FIRST + begin, _FIRST + end, {}, Worth.NO)


def test_a_short_pause_is_the_same_page() -> None:
    """Resolved for at most five minutes (ten slots) is not told again."""
    assert notices(_firing((0, 10), (20, 30), (41, 50))) == (
        Notice(_FIRST, _FIRST + 30),
        Notice(_FIRST + 41, _FIRST + 50),
    )


def test_pages_are_judged_by_where_they_begin() -> None:
    """Within an incident or soon after it, by what it is worth; anywhere else they are wrong."""
    incidents = [(_incident(100, 200), Worth.YES), (_incident(500, 600), Worth.GREY), (_incident(900, 950), Worth.NO)]
    verdict = judge(_firing((110, 230), (510, 520), (910, 920), (2000, 2010)), incidents)
    assert (verdict.right, verdict.grey, len(verdict.wrong), verdict.missed) == (1, 1, 2, ())
    assert (verdict.detection_minutes, verdict.reset_minutes) == ((5.0,), (15.0,))


def test_what_begins_after_the_incident_s_end_and_ten_minutes_is_wrong() -> None:
    """And the incident is missed."""
    verdict = judge(_firing((221, 300)), [(_incident(100, 200), Worth.YES)])
    assert (verdict.right, len(verdict.wrong), len(verdict.missed)) == (0, 1, 1)


def test_a_page_that_goes_on_has_found_what_begins_meanwhile() -> None:
    """Whoever is paged already needs no second page."""
    verdict = judge(_firing((50, 150)), [(_incident(100, 200), Worth.YES)])
    assert (verdict.detection_minutes, len(verdict.wrong)) == ((0,), 1)


def test_history_is_not_judged() -> None:
    """What pages before the judged month counts for nobody."""
    assert judge(_firing((-500, -400)), []).sent == 0


def test_held_waits_and_keeps() -> None:
    """As `for` and `keep_firing_for` do: only what has fired is kept."""
    active = np.array([0, 1, 1, 1, 0, 0, 0, 1, 0], dtype=bool)
    assert held(active, 2, 0).tolist() == [False, False, False, True, False, False, False, False, False]
    assert held(active, 2, 2).tolist() == [False, False, False, True, True, True, False, False, False]


def test_the_same_seed_is_the_same_world() -> None:
    """Bots come on top and change nothing else."""
    scenario = Scenario("test", 5, 99.9, 100, world.diurnal(0.2), Weather(0.4, 1), ())
    first, again = make_world(scenario), make_world(scenario)
    flooded = make_world(replace(scenario, bots=world.on_days([30], 500)))
    assert np.array_equal(first.events, again.events)
    assert np.array_equal(first.bad_events, flooded.bad_events)
    bots = flooded.events - first.events
    assert bots.sum() == bots[30 * SLOTS_A_DAY : 31 * SLOTS_A_DAY].sum() == pytest.approx(100 * 500 * 24, rel=0.01)
