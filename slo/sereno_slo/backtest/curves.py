"""A period in few points, for pictures and for machines: each stands for some minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.firing import Replayed
from sereno_slo.backtest.notices import Period
from sereno_slo.plan import series

_MOST_POINTS = 720
_SLOT = 5


@dataclass(frozen=True, slots=True)
class Point:
    """Some minutes from `begin_ms` on."""

    begin_ms: int
    budget_remaining_ratio: float | None
    """The least of them; None where nothing is recorded."""
    events: float | None
    """None where no minute has an entry."""
    bad_events: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order of time, without gaps."""

    minutes: int
    """How many minutes a point stands for."""
    points: tuple[Point, ...]


def curve_of(replayed: Replayed, entries: Entries, period: Period) -> Curve:
    """The period in at most 720 points of equal length."""
    length = max(1, -(-(period.end - period.begin) // (_MOST_POINTS * _SLOT))) * _SLOT
    during = slice(period.begin, period.end)
    remaining = _folded(replayed.samples.series[series.BUDGET_REMAINING][during], length)
    events, bad_events = (_folded(each[during], length) for each in (entries.events, entries.bad_events))
    points = (
        Point(
            entries.at_ms(period.begin + place * length),
            _or_none(remaining[place], np.nanmin),
            _or_none(events[place], np.nansum),
            _or_none(bad_events[place], np.nansum),
        )
        for place in range(len(events))
    )
    return Curve(length, tuple(points))


def _folded(values: Array, length: int) -> Array:
    """The values in rows of so many; what is missing at the end is not known."""
    padded = np.concatenate([values, np.full(-len(values) % length, np.nan)])
    return padded.reshape(-1, length)


def _or_none(row: Array, function: Callable[[Array], Any]) -> float | None:
    return None if np.isnan(row).all() else float(function(row))
