"""Users that pass through the steps of a journey, each with a time of its own: what really became of them is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCRAPES_A_MINUTE = 2
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Crowd:
    """Who comes, and what happens to them. Arrays are by minute, of steps first."""

    a_minute: Counts
    """Users that begin."""
    failing: Counts
    """The chance to fail at each step."""
    lag_minutes: float = 0.0
    """From one step to the next, on average (exponential)."""
    others: tuple[float, ...] = ()
    """Events a minute of each step that belong to nobody of these."""
    leaving: tuple[float, ...] = ()
    """The part of the users that leaves after each step, as they meant to."""
    unlucky: float = 0.0
    """The part of the users that fails half of the time at every step: an old browser, a bad network."""
    is_nested: bool = False
    """Each step is called by the one before, which fails with it: a database behind an API, no way that users go."""


@dataclass(frozen=True)
class Seen:
    """Events and bad events of each step by scrape, and the truth."""

    events: Counts
    bad_events: Counts
    error_ratio: float
    """The part of the users that failed, of those that meant to go all the way."""


def walk(crowd: Crowd, random: np.random.Generator) -> Seen:
    """Send everybody through."""
    return _nested(crowd, random) if crowd.is_nested else _one_after_the_other(crowd, random)


def _one_after_the_other(crowd: Crowd, random: np.random.Generator) -> Seen:
    when = _begun(crowd, random)
    means_to_stay = np.ones(len(when), dtype=np.bool_)
    goes_on, failed = means_to_stay.copy(), ~means_to_stay
    unlucky = random.random(len(when)) < crowd.unlucky
    events, bad_events = [], []
    for step, chance in enumerate(crowd.failing):
        bad = goes_on & (random.random(len(when)) < np.where(unlucky, 0.5, _at(chance, when)))
        of_others = _of_others(crowd, step, chance, random)
        events.append(_counted(when[goes_on], crowd) + of_others[0])
        bad_events.append(_counted(when[bad], crowd) + of_others[1])
        failed |= bad
        goes_on &= ~bad
        if crowd.leaving and step < len(crowd.leaving):
            leaves = random.random(len(when)) < crowd.leaving[step]
            means_to_stay &= ~leaves
            goes_on &= ~leaves
        when = when + random.exponential(crowd.lag_minutes, len(when)) if crowd.lag_minutes else when
    return Seen(np.array(events), np.array(bad_events), float(failed[means_to_stay].mean()))


def _nested(crowd: Crowd, random: np.random.Generator) -> Seen:
    when = _begun(crowd, random)
    failed = np.zeros(len(when), dtype=np.bool_)
    bad_events: list[Counts] = []
    for chance in crowd.failing[::-1]:
        failed |= random.random(len(when)) < _at(chance, when)
        bad_events.insert(0, _counted(when[failed], crowd))
    events = [_counted(when, crowd)] * len(bad_events)
    return Seen(np.array(events), np.array(bad_events), float(failed.mean()))


def _begun(crowd: Crowd, random: np.random.Generator) -> Counts:
    """When each of them begins, in minutes."""
    minutes = np.repeat(np.arange(len(crowd.a_minute)), random.poisson(crowd.a_minute))
    return minutes + random.random(len(minutes))


def _at(chance: Counts, when: Counts) -> Counts:
    return chance[np.minimum(when.astype(np.int64), len(chance) - 1)]


def _counted(when: Counts, crowd: Crowd) -> Counts:
    scrapes = len(crowd.a_minute) * SCRAPES_A_MINUTE
    places = (when * SCRAPES_A_MINUTE).astype(np.int64)
    return np.bincount(places[places < scrapes], minlength=scrapes).astype(np.float64)


def _of_others(crowd: Crowd, step: int, chance: Counts, random: np.random.Generator) -> tuple[Counts, Counts]:
    scrapes = len(crowd.a_minute) * SCRAPES_A_MINUTE
    if not crowd.others:
        return np.zeros(scrapes), np.zeros(scrapes)
    came = random.poisson(crowd.others[step] / SCRAPES_A_MINUTE, scrapes)
    bad = random.binomial(came, np.repeat(chance, SCRAPES_A_MINUTE))
    return came.astype(np.float64), bad.astype(np.float64)
