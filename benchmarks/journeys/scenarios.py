"""Journeys with a known truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.journeys.users import Counts, Crowd

DAYS = 3
_MINUTES = DAYS * 1440
_CHANCES = (0.002, 0.001, 0.003)


@dataclass(frozen=True)
class Scenario:
    """Who comes, and how far from the truth the ledger may be; None: known to be wrong (docs/journeys.md)."""

    crowd: Crowd
    most_error: float | None = 0.05


def _flat(rate: float) -> Counts:
    return np.full(_MINUTES, rate)


def _day_and_night(peak: float) -> Counts:
    """A tenth of the peak remains at midnight."""
    return peak * (0.55 - 0.45 * np.cos(2 * np.pi * np.arange(_MINUTES) / 1440))


def _steady(scale: float = 1.0) -> Counts:
    return np.array([np.full(_MINUTES, scale * chance) for chance in _CHANCES])


def _incident(steps: tuple[int, ...], chance: float, *, hour: int, minutes: int) -> Counts:
    """On the second day; one in a thousand fails otherwise."""
    failing = np.full((3, _MINUTES), 0.001)
    begin = 1440 + hour * 60
    failing[list(steps), begin : begin + minutes] = chance
    return failing


SCENARIOS: Mapping[str, Scenario] = {
    "100 users a minute, few failures": Scenario(Crowd(_flat(100), _steady())),
    "the same, 3 minutes from step to step": Scenario(Crowd(_flat(100), _steady(), lag_minutes=3)),
    "5 a minute, 3 minutes between steps": Scenario(Crowd(_flat(5), _steady(10), lag_minutes=3)),
    "1 a minute, 3 minutes between steps": Scenario(Crowd(_flat(1), _steady(10), lag_minutes=3)),
    "6 an hour, 3 minutes between steps": Scenario(Crowd(_flat(0.1), _steady(20), lag_minutes=3), 0.10),
    "incident of the second step at peak": Scenario(
        Crowd(_day_and_night(100), _incident((1,), 0.6, hour=12, minutes=30), lag_minutes=3)
    ),
    "the same at night": Scenario(Crowd(_day_and_night(100), _incident((1,), 0.6, hour=0, minutes=30), lag_minutes=3)),
    "full outage of the third step": Scenario(
        Crowd(_day_and_night(20), _incident((2,), 1, hour=9, minutes=20), lag_minutes=1)
    ),
    "all three steps at once": Scenario(Crowd(_flat(20), _incident((0, 1, 2), 0.6, hour=9, minutes=60), lag_minutes=1)),
    "all at once, steps that others use, too": Scenario(
        Crowd(_flat(20), _incident((0, 1, 2), 0.6, hour=9, minutes=60), lag_minutes=1, others=(100, 500, 100))
    ),
    "four of five users leave on their way": Scenario(Crowd(_flat(20), _steady(5), lag_minutes=1, leaving=(0.8, 0.5))),
    "unlucky users, who are all there are": Scenario(Crowd(_flat(20), _steady(), lag_minutes=1, unlucky=0.01)),
    "unlucky users among others": Scenario(
        Crowd(_flat(20), _steady(), lag_minutes=1, unlucky=0.01, others=(100, 100, 100)), None
    ),
    "steps inside each other": Scenario(Crowd(_flat(100), _steady(5), is_nested=True), None),
}
