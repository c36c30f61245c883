"""What must hold whatever the seeds: no alert without evidence, no outage found late, no blindness after bots."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.alert_quality import world
from benchmarks.alert_quality.judging import Notice, notices
from benchmarks.alert_quality.policies import Policy
from benchmarks.alert_quality.world import (
    HISTORY_DAYS,
    SLOTS_A_DAY,
    SLOTS_A_MINUTE,
    SLOTS_AN_HOUR,
    Incident,
    Scenario,
    Weather,
    make_world,
)

NO_EVIDENCE = (("one failure at 10/h", 10, 1), ("two retries at 30/h", 30, 2))
OUTAGE_OBJECTIVES = (90.0, 95.0, 99.0, 99.9, 99.99)
OUTAGE_EVENTS_AN_HOUR = 1200
"""20 a minute by night, five times as many by day."""
_NOTHING_ELSE = Weather(0, 0)
_FIRST = HISTORY_DAYS * SLOTS_A_DAY
_NIGHT_HOUR, _DAY_HOUR = 3, 15
_REPETITIONS = 8


@dataclass(frozen=True, slots=True)
class Noise:
    """What a policy told of failures that are no evidence, in so many tries."""

    case: str
    tries: int
    pages: int
    tickets: int


@dataclass(frozen=True, slots=True)
class OutageFound:
    """How long a policy needs for a full outage, at worst; None where it never pages."""

    objective_percent: float
    day_minutes: float | None
    night_minutes: float | None


@dataclass(frozen=True, slots=True)
class Blinding:
    """Incidents after a day of bots at 500 times the traffic, beside the same incidents without that day."""

    incidents: int
    missed: int
    """Found without the bots, not found after them."""
    worst_ratio: float
    """The detection time after bots, divided by that without."""


def told_without_evidence(policy: Policy) -> tuple[Noise, ...]:
    """Failures a day apart, so that each is alone."""
    return tuple(_noise(policy, *case) for case in NO_EVIDENCE)


def _noise(policy: Policy, case: str, events_an_hour: float, failures: int) -> Noise:
    quiet = make_world(Scenario(case, 1, 99.9, events_an_hour, world.steady, _NOTHING_ELSE, ()))
    retries = np.zeros_like(quiet.bad_events)
    days = range(1, 1 + (len(retries) - _FIRST) // SLOTS_A_DAY, 4)  # tickets look back on three days
    for day in days:
        at = _FIRST + (day - 1) * SLOTS_A_DAY + day * 317  # at another time of the day, and of the five minutes
        retries[at : at + failures] = 1
    told = policy(replace(quiet, events=quiet.events + retries, bad_events=retries))
    return Noise(case, len(days), len(notices(told.pages)), len(notices(told.tickets)))


def outages_found(policy: Policy) -> Iterator[OutageFound]:
    """Full outages that begin at any phase of the minute and of five minutes."""
    shape = world.diurnal(1 / 3)  # from a third to five thirds of the mean
    for percent in OUTAGE_OBJECTIVES:
        found = [
            _longest(policy, Scenario("outage", 1, percent, 3 * OUTAGE_EVENTS_AN_HOUR, shape, _NOTHING_ELSE, ()), hour)
            for hour in (_DAY_HOUR, _NIGHT_HOUR)
        ]
        yield OutageFound(percent, *found)


def _longest(policy: Policy, scenario: Scenario, hour: int) -> float | None:
    begins = [_FIRST + day * (SLOTS_A_DAY + 3) + hour * SLOTS_AN_HOUR for day in range(0, 2 * _REPETITIONS, 2)]
    incidents = tuple(Incident("outage", begin, SLOTS_AN_HOUR, 1.0) for begin in begins)
    told = notices(policy(make_world(replace(scenario, incidents=incidents))).pages)
    found = [_minutes_until(told, incident) for incident in incidents]
    return max((each for each in found if each is not None), default=None) if None not in found else None


def _minutes_until(told: Iterable[Notice], incident: Incident) -> float | None:
    """From the incident's begin to the first page within it."""
    during = (notice.begin - incident.begin for notice in told if incident.begin <= notice.begin < incident.end)
    first = next(during, None)
    return None if first is None else first / SLOTS_A_MINUTE


def blinding_by_bots(policy: Policy) -> Blinding:
    """Incidents of each of the ten days after the bots, found with and without them."""
    bots_on = HISTORY_DAYS + 2
    kinds = (
        Incident("fast", 0, SLOTS_AN_HOUR, 0.05),
        Incident("slow", 0, 6 * SLOTS_AN_HOUR, 0.01),
        Incident("short", 0, SLOTS_AN_HOUR // 6, 0.3),
    )
    incidents = tuple(
        replace(kinds[day % len(kinds)], begin=(bots_on + day) * SLOTS_A_DAY + (8 + day) * SLOTS_AN_HOUR)
        for day in range(1, 11)
    )
    quiet = Scenario("bots", 1, 99.9, 10_000, world.diurnal(0.3), Weather(0.2, 0), incidents)
    flooded = replace(quiet, bots=world.on_days([bots_on], 500))
    before, after = (
        [_minutes_until(told, incident) for incident in incidents]
        for told in (notices(policy(make_world(each)).pages) for each in (quiet, flooded))
    )
    pairs = [(first, second) for first, second in zip(before, after, strict=True) if first is not None]
    ratios = [second / max(first, 1 / SLOTS_A_MINUTE) for first, second in pairs if second is not None]
    return Blinding(len(pairs), sum(second is None for _, second in pairs), max(ratios, default=float("inf")))
