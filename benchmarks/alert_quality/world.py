"""One simulated service: how many come every 30 seconds, and who of them fails, from one seed.

Time is counted in slots of a scrape, 30 seconds; slot 0 begins at midnight UTC of a Monday.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SLOTS_A_MINUTE = 2
SLOTS_AN_HOUR = 120
SLOTS_A_DAY = 2880
HISTORY_DAYS = 23
"""Three weeks that traffic is compared with, and two days more."""
JUDGED_DAYS = 30
DAYS = HISTORY_DAYS + JUDGED_DAYS
_WORKING_DAYS = 5

Counts = NDArray[np.int64]
Rates = NDArray[np.float64]
Shape = Callable[[Rates], Rates]
"""What multiplies the mean traffic, at each time in days."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that makes a share of the events fail; for a ramp the share grows to its full height at the end."""

    kind: str
    begin: int
    slots: int
    failing_ratio: float
    on_off_slots: int = 0
    """A flapping incident fails for so many slots and rests for as many."""
    ramp: bool = False

    @property
    def end(self) -> int:
        """The first slot after it."""
        return self.begin + self.slots

    def shares(self) -> Rates:
        """The share of events that fail, for each of its slots."""
        places = np.arange(self.slots)
        shares = np.full(self.slots, self.failing_ratio)
        if self.ramp:
            shares *= (places + 1) / self.slots
        if self.on_off_slots:
            shares[places // self.on_off_slots % 2 == 1] = 0
        return shares


@dataclass(frozen=True, slots=True)
class Weather:
    """What fails although nothing is broken."""

    baseline_of_budget: float
    """The part of the budget that independent single failures spend."""
    clusters_a_day: float
    """How often one client retries in vain: two to five failures within a minute."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One month of one service."""

    family: str
    seed: int
    objective_percent: float
    events_an_hour: float
    shape: Shape
    weather: Weather
    incidents: tuple[Incident, ...]
    bots: Shape | None = None
    """Events of bots, none of which fails, as a multiple of the mean traffic."""

    @property
    def error_budget_ratio(self) -> float:
        """The share of events that may fail."""
        return round(1 - self.objective_percent / 100, 12)


@dataclass(frozen=True, slots=True)
class World:
    """What happened in a scenario, slot by slot."""

    scenario: Scenario
    rate: Rates
    """The true mean of the events in each slot, bots left out."""
    events: Counts
    bad_events: Counts
    bad_of_incident: tuple[Counts, ...] = field(repr=False)
    """For each incident, what failed because of it in each of its slots."""


def make_world(scenario: Scenario) -> World:
    """What happens in the scenario; the same for the same seed."""
    random = np.random.default_rng([scenario.seed, *scenario.family.encode()])
    days = np.arange(DAYS * SLOTS_A_DAY) / SLOTS_A_DAY
    rate = scenario.events_an_hour / SLOTS_AN_HOUR * scenario.shape(days)
    events = random.poisson(rate)
    bad_events = random.binomial(events, scenario.weather.baseline_of_budget * scenario.error_budget_ratio)
    of_incidents = []
    for incident in scenario.incidents:
        during = slice(incident.begin, incident.end)
        failed = random.binomial(events[during] - bad_events[during], incident.shares())
        bad_events[during] += failed
        of_incidents.append(failed)
    retries = _retries(random, scenario.weather, len(days))
    events, bad_events = events + retries, bad_events + retries
    if scenario.bots is not None:
        events += random.poisson(scenario.events_an_hour / SLOTS_AN_HOUR * scenario.bots(days))
    return World(scenario, rate, events, bad_events, tuple(of_incidents))


def _retries(random: Generator, weather: Weather, slots: int) -> Counts:
    retries = np.zeros(slots, dtype=np.int64)
    for begin in random.integers(0, slots - 2, random.poisson(weather.clusters_a_day * DAYS)):
        size = random.integers(2, 6)
        retries[begin : begin + 2] += (size - size // 2, size // 2)
    return retries


def minute_entries(world: World) -> tuple[Rates, Rates]:
    """Events and bad events as the ledger enters them: the scrapes of the minute, the last one half a minute old."""
    events, bad_events = (_entries(counts) for counts in (world.events, world.bad_events))
    return events, bad_events


def _entries(counts: Counts) -> Rates:
    seen = np.concatenate([np.zeros(3, dtype=np.int64), counts])[: len(counts)]
    entries: Rates = seen.reshape(-1, SLOTS_A_MINUTE).sum(axis=1).astype(float)
    return entries


def steady(days: Rates) -> Rates:
    """The same all day."""
    return np.ones_like(days)


def diurnal(night: float) -> Shape:
    """A sine from `night` times the mean at 3 o'clock to its mirror image at 15 o'clock."""
    return lambda days: 1 - (1 - night) * np.cos(2 * np.pi * (days - 0.125))


def weekdays(weekend: float, night: float) -> Shape:
    """Diurnal, and only a part of it on Saturdays and Sundays."""
    return lambda days: diurnal(night)(days) * np.where(days % 7 < _WORKING_DAYS, 1.0, weekend)


def growing(a_day: float) -> Shape:
    """Diurnal, and more each day than the day before."""
    return lambda days: diurnal(0.3)(days) * (1 + a_day) ** (days - HISTORY_DAYS)


def stepping(day: float, times: float) -> Shape:
    """Diurnal, and from one day on a multiple: a launch, or traffic that moved to another service."""
    return lambda days: diurnal(0.3)(days) * np.where(days >= day, times, 1.0)


def on_days(chosen: Iterable[int], inside: float, outside: float = 0.0) -> Shape:
    """One value on some whole days and another one on all others."""
    list_of_days = list(chosen)
    return lambda days: np.where(np.isin(np.floor(days), list_of_days), inside, outside)


def times(*shapes: Shape) -> Shape:
    """The product of shapes."""
    return lambda days: np.prod([shape(days) for shape in shapes], axis=0)
