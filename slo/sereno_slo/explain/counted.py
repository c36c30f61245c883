"""Which roll-ups count, as the rules have it (plan/windows.py), and what an SLO's own window is at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_slo.calendars import Exclusion
from sereno_slo.duration import FIVE_MINUTES
from sereno_slo.model import Objective, Settings
from sereno_slo.plan.left_out import LeftOut
from sereno_slo.render.words import own_window_in_words

_JUST_BEGUN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Counting:
    """Which roll-ups of a window count."""

    left_out: LeftOut
    delay_ms: int = 0
    """How late samples may arrive: so late a calendar's window begins."""

    @classmethod
    def of(cls, slo: Objective, settings: Settings) -> "Counting":
        """As the SLO's rules are compiled with these settings."""
        delay = settings.evaluation_delay.milliseconds if settings.evaluation_delay else 0
        return cls(LeftOut.of(slo, FIVE_MINUTES, settings), delay)

    def left_out_by(self, recorded_ms: int) -> Exclusion | None:
        """The first exclusion that leaves out what was rolled up at a moment; None if it counts."""
        return self.left_out.by(recorded_ms)


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
