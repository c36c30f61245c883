"""Which steps of a sum the compiled rules leave out (windows.py, clock.py), for those who read what rules recorded."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import assert_never

from sereno_slo.calendars import DAY_SECONDS, Exclusion, Once, Recurring, zone_info
from sereno_slo.duration import Duration
from sereno_slo.model import Objective, Settings
from sereno_slo.plan.windows import held_seconds


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What exclusions leave out of sums that go by steps of one length."""

    exclusions: tuple[Exclusion, ...]
    step: Duration
    before_seconds: float
    """A step is left out when it begins so long before an exclusion, or later, …"""
    after_seconds: float
    """… and until so long after its end: it may hold something of it."""

    @classmethod
    def of(cls, slo: Objective, step: Duration, settings: Settings) -> "LeftOut":
        """As the objective's rules are compiled with these settings."""
        delay = settings.evaluation_delay.seconds if settings.evaluation_delay else 0.0
        before, after = held_seconds(slo, step)
        return cls(slo.exclusions, step, after - delay, before + delay)

    def by(self, recorded_ms: int) -> Exclusion | None:
        """The first exclusion that leaves out what was recorded at a moment; None if it counts."""
        # A step looks at what is recorded until the next one.
        step_ms = (recorded_ms - 1) // self.step.milliseconds * self.step.milliseconds
        return next((each for each in self.exclusions if _holds(self, each, step_ms)), None)


@lru_cache(maxsize=500_000)
def _holds(left_out: LeftOut, exclusion: Exclusion, step_ms: int) -> bool:
    """Remembered: the same weeks are read for every objective and every policy that is compared."""
    seconds, before, after = step_ms / 1000, left_out.before_seconds, left_out.after_seconds
    match exclusion.schedule:
        case Once(start_seconds=start, end_seconds=end):
            return start - before <= seconds < end + after
        case Recurring() as recurring:
            return any(_recurs(recurring, start - before, end + after, seconds) for start, end in recurring.stretches)
        case _:
            assert_never(exclusion.schedule)


def _recurs(recurring: Recurring, start: float, end: float, seconds: float) -> bool:
    """Whether a stretch of its days, in seconds since their midnight, holds what the wall shows."""
    wall = datetime.fromtimestamp(seconds, UTC).astimezone(zone_info(recurring.timezone)).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    since_midnight = (wall - midnight).total_seconds()
    return any(
        start <= since_midnight + ago * DAY_SECONDS < end and recurring.days.include(midnight - timedelta(days=ago))
        for ago in range(math.floor(start / DAY_SECONDS), math.floor(end / DAY_SECONDS) + 1)
    )
