"""The time that an SLO counts: without what is excluded, and since its calendar window began.

The compiled rules decide this step by step within subqueries, by arithmetic on the clock (plan/windows.py). Here the
same minutes and roll-ups are left out, and windows begin where Python's own calendar says.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing
from sereno_slo.backtest.interpreter import NothingRaw
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.windows import held_seconds

_MS = 1000
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Clock(NothingRaw):
    """What time it is at each minute, in seconds since 1970; nothing was scraped."""

    seconds: Array

    def unix_seconds(self) -> Array:
        """What time it is."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class OwnTime:
    """What counts of minutes that are evaluated at these moments, in seconds since 1970."""

    slo: ServiceLevelObjective
    settings: Settings
    seconds: Array

    @property
    def planned(self) -> ServiceLevelObjective:
        """The SLO whose rules are interpreted: exclusions and former names are dealt with here."""
        return replace(self.slo, exclusions=(), formerly=())

    def counting(self, values: Array, step: Duration) -> Array:
        """Entries or roll-ups, with 0 for those that may hold something of excluded time."""
        if not self.slo.exclusions:
            return values
        delay = self.settings.evaluation_delay.seconds if self.settings.evaluation_delay else 0.0
        before, after = held_seconds(self.slo, step)
        # A step holds what is recorded until the next one, the moment of which is its own.
        steps = np.ceil(self.seconds / step.seconds) * step.seconds - step.seconds
        return np.where(self._is_covered(steps, delay - after, delay + before) & ~np.isnan(values), 0.0, values)

    def is_excluded(self) -> Firing:
        """Whether the moment itself is excluded."""
        return self._is_covered(self.seconds, 0.0, 0.0)

    def _is_covered(self, moments: Array, earlier: float, later: float) -> Firing:
        """Whether a moment lies in any exclusion, moved by so much at its beginning and at its end."""
        covered = np.zeros(len(moments), dtype=np.bool_)
        first, last = float(moments[0]) - _DAY_SECONDS, float(moments[-1]) + _DAY_SECONDS
        for exclusion in self.slo.exclusions:
            for begin, end in exclusion.schedule.between(first, last):
                covered |= (moments >= begin + earlier) & (moments < end + later)
        return covered

    def windows(self) -> dict[str, Array]:
        """When the calendar window of each minute began and ends, by the names under which it is recorded."""
        if self.slo.calendar is None:
            return {}
        starts, ends = np.empty_like(self.seconds), np.empty_like(self.seconds)
        place = 0
        while place < len(self.seconds):
            start, end = self.slo.calendar.around(datetime.fromtimestamp(float(self.seconds[place]), UTC))
            until = int(np.searchsorted(self.seconds, end.timestamp()))
            starts[place:until], ends[place:until] = start.timestamp(), end.timestamp()
            place = until
        return {series.WINDOW_START: starts, series.WINDOW_END: ends}

    def since_window_began(self, roll_ups: Array) -> Array:
        """The sums of the roll-ups of each minute's calendar window, which begin five minutes after it."""
        starts = self.windows()[series.WINDOW_START]
        total = np.concatenate([[0.0], np.nancumsum(roll_ups)])
        count = np.concatenate([[0], np.cumsum(~np.isnan(roll_ups))])
        first = np.searchsorted(self.seconds, starts + FIVE_MINUTES.seconds, side="right")
        now = np.arange(1, len(roll_ups) + 1)
        first = np.minimum(first, now)
        return np.where(count[now] > count[first], total[now] - total[first], np.nan)


def minutes_of(origin_ms: int, count: int) -> Array:
    """The moments of so many minutes, in seconds since 1970."""
    return origin_ms / _MS + MINUTE.seconds * np.arange(count, dtype=np.float64)
