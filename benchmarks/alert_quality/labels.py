"""What each incident is worth, by two labellings that know no policy (see the package's docstring)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from sereno_slo.backtest.arrays import trailing_sums

from benchmarks.alert_quality.world import SLOTS_A_DAY, SLOTS_A_MINUTE, SLOTS_AN_HOUR, Counts, Rates, World


class Worth(StrEnum):
    """Whether an incident has to page (or make a ticket)."""

    YES = "yes"
    GREY = "grey"
    NO = "no"


LABELS = ("budget", "felt")
_PERIOD_DAYS = 30
_PAGE_SHARES = ((0.02, 1), (0.05, 6))
_TICKET_SHARES = ((0.10, 24), (0.10, 72))
"""Shares of the budget of 30 days, and the hours within which they are spent."""
_LEAST_FAILED = 10
_FELT_RATIO, _FELT_BUDGETS = 0.05, 15
_OUTAGE_RATIO, _OUTAGE_MINUTES = 0.8, 5
_MAYBE_OUTAGE_RATIO, _MAYBE_OUTAGE_MINUTES = 0.5, 2
_SURELY, _HARDLY = 3 / 2, 2 / 3


@dataclass(frozen=True, slots=True)
class Labelled:
    """One incident with its worth."""

    begin: int
    end: int
    page: dict[str, Worth]
    ticket: Worth


def labelled(world: World) -> tuple[Labelled, ...]:
    """All incidents of the world, judged by what really failed."""
    return tuple(_labelled(world, number) for number in range(len(world.scenario.incidents)))


def _labelled(world: World, number: int) -> Labelled:
    incident, failed = world.scenario.incidents[number], world.bad_of_incident[number]
    spent = max(_spent(world, incident.begin, failed, share, hours) for share, hours in _PAGE_SHARES)
    to_act_on = max(_spent(world, incident.begin, failed, share, hours) for share, hours in _TICKET_SHARES)
    by_budget, felt = _worth(spent, _most_failed(failed, 6)), _worth(_felt(world, number), _most_failed(failed, 6))
    outage = _outage(incident.shares(), failed)
    if by_budget is Worth.NO and outage is not Worth.NO:
        by_budget = Worth.GREY
    return Labelled(
        incident.begin,
        incident.end,
        {"budget": by_budget, "felt": max(felt, outage, key=list(reversed(Worth)).index)},
        _worth(to_act_on, _most_failed(failed, 72)),
    )


def _worth(of_a_page: float, failed: float) -> Worth:
    least = min(of_a_page, failed / _LEAST_FAILED)
    return Worth.YES if least >= _SURELY else Worth.GREY if least >= _HARDLY else Worth.NO


def _spent(world: World, begin: int, failed: Counts, share: float, hours: int) -> float:
    """The part of `share` that the incident spent in the worst stretch of so many hours."""
    week = SLOTS_A_DAY * 7
    around = world.rate[max(0, begin - week // 2) : begin + week // 2]
    budget = world.scenario.error_budget_ratio * float(around.mean()) * SLOTS_A_DAY * _PERIOD_DAYS
    return _most_failed(failed, hours) / budget / share


def _most_failed(failed: Counts, hours: int) -> float:
    return float(trailing_sums(failed.astype(float), hours * SLOTS_AN_HOUR).max())


def _felt(world: World, number: int) -> float:
    """The part of a noticeable share that failed in the worst hour, of those who came."""
    incident = world.scenario.incidents[number]
    hour = SLOTS_AN_HOUR
    around = world.rate[incident.begin - hour : incident.end + hour]
    shares = np.concatenate([np.zeros(hour), incident.shares(), np.zeros(hour)])
    ratio = float((trailing_sums(around * shares, hour) / trailing_sums(around, hour))[hour:].max())
    noticeable = max(_FELT_RATIO, _FELT_BUDGETS * world.scenario.error_budget_ratio)
    return ratio / min(noticeable, _OUTAGE_RATIO)


def _outage(shares: Rates, failed: Counts) -> Worth:
    """Nearly everything fails for five minutes; whether it ends before, nobody knows when it begins."""
    for worth, ratio, minutes in (
        (Worth.YES, _OUTAGE_RATIO, _OUTAGE_MINUTES),
        (Worth.GREY, _MAYBE_OUTAGE_RATIO, _MAYBE_OUTAGE_MINUTES),
    ):
        within = shares >= ratio
        enough = float(failed[within].sum()) >= _LEAST_FAILED * (_SURELY if worth is Worth.YES else _HARDLY)
        if enough and _longest_run(within) >= minutes * SLOTS_A_MINUTE:
            return worth
    return Worth.NO


def _longest_run(holds: Iterable[bool]) -> int:
    longest = run = 0
    for each in holds:
        run = run + 1 if each else 0
        longest = max(longest, run)
    return longest
