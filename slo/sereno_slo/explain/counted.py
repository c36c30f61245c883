"""Which roll-ups count, as the rules have it (plan/windows.py), and what an SLO's own window is at a moment."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import assert_never

from sereno_slo.calendars import DAY_SECONDS, Exclusion, Once, Recurring, Schedule, zone_info
from sereno_slo.duration import FIVE_MINUTES
from sereno_slo.model import Objective, Settings
from sereno_slo.plan.windows import held_seconds
from sereno_slo.render.words import own_window_in_words

_SLOT_MS = FIVE_MINUTES.milliseconds
_JUST_BEGUN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Counting:
    """What exclusions leave out: roll-ups whole, by steps of five minutes of the clock."""

    exclusions: tuple[Exclusion, ...]
    before_seconds: float
    """A step is left out when it begins so long before an exclusion, or later, …"""
    after_seconds: float
    """… and until so long after its end: it may hold something of it."""
    delay_ms: int = 0
    """How late samples may arrive: so late a calendar's window begins."""
    _known: dict[int, Exclusion | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, slo: Objective, settings: Settings) -> "Counting":
        """As the SLO's rules are compiled with these settings."""
        delay = settings.evaluation_delay.seconds if settings.evaluation_delay else 0.0
        before, after = held_seconds(slo, FIVE_MINUTES)
        return cls(slo.exclusions, after - delay, before + delay, round(1000 * delay))

    def left_out_by(self, recorded_ms: int) -> Exclusion | None:
        """The first exclusion that leaves out what was rolled up at a moment; None if it counts."""
        # A step looks at what is recorded until the next one.
        step_ms = (recorded_ms - 1) // _SLOT_MS * _SLOT_MS
        if step_ms not in self._known:
            self._known[step_ms] = next((one for one in self.exclusions if self._holds(one.schedule, step_ms)), None)
        return self._known[step_ms]

    def _holds(self, schedule: Schedule, step_ms: int) -> bool:
        seconds, before, after = step_ms / 1000, self.before_seconds, self.after_seconds
        match schedule:
            case Once(start_seconds=start, end_seconds=end):
                return start - before <= seconds < end + after
            case Recurring() as recurring:
                return any(
                    _recurs(recurring, start - before, end + after, seconds) for start, end in recurring.stretches
                )
            case _:
                assert_never(schedule)


def _recurs(recurring: Recurring, start: float, end: float, seconds: float) -> bool:
    """Whether a stretch of its days, in seconds since their midnight, holds what the wall shows."""
    wall = datetime.fromtimestamp(seconds, UTC).astimezone(zone_info(recurring.timezone)).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    since_midnight = (wall - midnight).total_seconds()
    return any(
        start <= since_midnight + ago * DAY_SECONDS < end and recurring.days.include(midnight - timedelta(days=ago))
        for ago in range(math.floor(start / DAY_SECONDS), math.floor(end / DAY_SECONDS) + 1)
    )


@dataclass(frozen=True, slots=True)
class ExcludedTime:
    """What an exclusion left out of the window."""

    in_words: str
    reason: str
    author: str
    hours: float
    """Of the window, by the exclusion's own words; roll-ups that may hold something of it are left out, too."""
    events: float
    """Of the roll-ups that were left out."""
    bad_events: float
    budget_share: float
    """What the bad ones would have spent, as a part of the window's budget."""


def own_window(slo: Objective, at: datetime) -> tuple[datetime, datetime | None]:
    """When the SLO's window began in which `at` lies, and when it ends; a rolling window has no end."""
    if slo.calendar is None:
        return at - timedelta(milliseconds=slo.window.milliseconds), None
    return slo.calendar.around(at)


def window_drift(slo: Objective, seconds: float | None, at: datetime) -> Iterator[str]:
    """What is wrong with a window's length that rules have recorded; nothing if it is the spec's."""
    if seconds is None or any(abs(seconds - each) < 1 for each in _lengths(slo, at)):
        return
    yield f"the server's rules have a window of {seconds / 86_400:g} days, the spec {_promised(slo)}"


def _promised(slo: Objective) -> str:
    return str(slo.window) if slo.calendar is None else own_window_in_words(slo)


def _lengths(slo: Objective, at: datetime) -> Iterator[float]:
    if slo.calendar is None:
        yield slo.window.seconds
        return
    # What was recorded last may be of the window before.
    for moment in (at, at - _JUST_BEGUN):
        start, end = slo.calendar.around(moment)
        yield (end - start).total_seconds()
