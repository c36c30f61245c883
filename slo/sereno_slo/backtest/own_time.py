"""The time that an SLO counts: without what is excluded, and since its calendar window began.

The compiled rules decide this step by step within subqueries, by arithmetic on the clock (plan/windows.py). Here the
same minutes and roll-ups are left out, and windows begin where Python's own calendar says.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing
from sereno_slo.backtest.interpreter import NothingRaw
from sereno_slo.calendars import is_excluded
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.left_out import LeftOut

_MS = 1000


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
        left_out = LeftOut.of(self.slo, step, self.settings)
        recorded_ms = np.rint(self.seconds * _MS).astype(np.int64).tolist()
        is_left_out = np.array([left_out.by(each) is not None for each in recorded_ms], dtype=np.bool_)
        return np.where(is_left_out & ~np.isnan(values), 0.0, values)

    def is_excluded(self) -> Firing:
        """Whether the moment itself is excluded."""
        if not self.slo.exclusions:
            return np.zeros(len(self.seconds), dtype=np.bool_)
        return np.array([is_excluded(self.slo.exclusions, each) for each in self.seconds.tolist()], dtype=np.bool_)

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
