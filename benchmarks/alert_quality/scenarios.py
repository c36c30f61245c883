"""The families of scenarios, and the seeds by which they are tuned and judged.

Rules and defaults (`MIN_BAD_EVENTS`, `MIN_RECENT_BAD_EVENTS`, the evidence, usual traffic, outages) were chosen by the
tuning seeds only. The judging seeds are run to report. Whoever changes one of them after having seen these takes new
ones, and these become tuning seeds: 101 to 108 and 201 to 208 once judged, and the rules were changed after both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from benchmarks.alert_quality import world
from benchmarks.alert_quality.world import (
    HISTORY_DAYS,
    JUDGED_DAYS,
    SLOTS_A_DAY,
    SLOTS_A_MINUTE,
    SLOTS_AN_HOUR,
    Incident,
    Scenario,
    Shape,
    Weather,
)

TUNING_SEEDS = (*range(1, 9), *range(101, 109), *range(201, 209))
JUDGING_SEEDS = tuple(range(301, 317))
SEEDS: Mapping[str, tuple[int, ...]] = {"tuning": TUNING_SEEDS, "judging": JUDGING_SEEDS}


@dataclass(frozen=True, slots=True)
class Family:
    """Scenarios that differ by their seed only."""

    name: str
    objective_percent: float
    events_an_hour: float
    shape: Shape
    bots: Shape | None = None
    has_incidents: bool = True


_MIDDLE = HISTORY_DAYS + JUDGED_DAYS // 2
FAMILIES = (
    Family("36,000/h steady", 99.9, 36_000, world.steady),
    Family("100,000/h by day", 99.9, 100_000, world.diurnal(0.1)),
    Family("20,000/h weekdays", 99.95, 20_000, world.weekdays(0.2, 0.2)),
    Family("5,000/h growing", 99.9, 5_000, world.growing(0.02)),
    Family("3,000/h, launch x8", 99.5, 3_000, world.stepping(_MIDDLE, 8)),
    Family("30,000/h, split to 1/10", 99.9, 30_000, world.stepping(_MIDDLE, 0.1)),
    Family("2,000/h, bots x500", 99.9, 2_000, world.diurnal(0.3), bots=world.on_days([_MIDDLE - 10], 500)),
    Family(
        "10,000/h, holidays",
        99.9,
        10_000,
        world.times(world.diurnal(0.2), world.on_days([_MIDDLE, 1 + _MIDDLE], 0.3, 1)),
    ),
    Family("2,000/h, never an incident", 99.9, 2_000, world.diurnal(0.2), has_incidents=False),
    Family("10/h", 99, 10, world.steady),
    Family("30/h", 99, 30, world.steady),
    Family("30/h, never an incident", 99, 30, world.steady, has_incidents=False),
    Family("100/h by day", 99, 100, world.diurnal(0.1)),
    Family("100/h", 99.5, 100, world.steady),
    Family("300/h by day", 99, 300, world.diurnal(0.05)),
    Family("300/h", 99.9, 300, world.steady),
    Family("1,000/h", 99.9, 1_000, world.steady),
    Family("1,000/h by day", 95, 1_000, world.diurnal(0.2)),
)
LOW_TRAFFIC_EVENTS_AN_HOUR = 1_000

_INCIDENTS = 5
_REST_HOURS = 14
"""Between incidents: more than the longest window of a page forgets."""


def scenario(family: Family, seed: int) -> Scenario:
    """A family's month: incidents of all kinds, from hardly noticeable to an outage."""
    random = np.random.default_rng([seed, 7, *family.name.encode()])
    weather = Weather(baseline_of_budget=random.uniform(0, 0.5), clusters_a_day=random.uniform(0.2, 1.0))
    budget_ratio = 1 - family.objective_percent / 100
    incidents = tuple(_incidents(random, budget_ratio)) if family.has_incidents else ()
    return Scenario(
        family.name,
        seed,
        family.objective_percent,
        family.events_an_hour,
        family.shape,
        weather,
        incidents,
        family.bots,
    )


def _incidents(random: Generator, budget_ratio: float) -> Iterator[Incident]:
    """One in each part of the month, at any time of the day."""
    part = JUDGED_DAYS * SLOTS_A_DAY // _INCIDENTS
    makers = (_fast, _slow, _outage, _flapping, _ramp, _blip, _long)
    order = random.permutation(len(makers))
    for number in range(_INCIDENTS):
        incident = makers[order[number]](random, budget_ratio)
        latest = part - incident.slots - _REST_HOURS * SLOTS_AN_HOUR
        begin = HISTORY_DAYS * SLOTS_A_DAY + number * part + int(random.integers(0, latest))
        yield replace(incident, begin=begin)


def _between(random: Generator, least: float, most: float) -> float:
    """Evenly on a logarithmic scale: as many small ones as large ones."""
    return float(np.exp(random.uniform(np.log(least), np.log(most))))


def _burning(random: Generator, budget_ratio: float, least: float, most: float) -> float:
    return min(1.0, _between(random, least, most) * budget_ratio)


def _minutes(random: Generator, least: float, most: float) -> int:
    return round(_between(random, least, most) * SLOTS_A_MINUTE)


def _fast(random: Generator, budget_ratio: float) -> Incident:
    return Incident("fast", 0, _minutes(random, 10, 90), _burning(random, budget_ratio, 5, 500))


def _slow(random: Generator, budget_ratio: float) -> Incident:
    return Incident("slow", 0, _minutes(random, 180, 720), _burning(random, budget_ratio, 2, 40))


def _outage(random: Generator, budget_ratio: float) -> Incident:
    del budget_ratio
    return Incident("outage", 0, _minutes(random, 5, 120), random.uniform(0.8, 1))


def _flapping(random: Generator, budget_ratio: float) -> Incident:
    rhythm = _minutes(random, 2, 10)
    return Incident(
        "flapping", 0, _minutes(random, 60, 360), _burning(random, budget_ratio, 5, 500), on_off_slots=rhythm
    )


def _ramp(random: Generator, budget_ratio: float) -> Incident:
    return Incident("ramp", 0, _minutes(random, 60, 360), _burning(random, budget_ratio, 5, 300), ramp=True)


def _blip(random: Generator, budget_ratio: float) -> Incident:
    return Incident("blip", 0, _minutes(random, 0.5, 3), _burning(random, budget_ratio, 20, 1000))


def _long(random: Generator, budget_ratio: float) -> Incident:
    return Incident("long", 0, _minutes(random, 1440, 3600), _burning(random, budget_ratio, 1, 8))
