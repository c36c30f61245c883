"""The stretches of time that a draft looks at. All moments are aware and UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sereno_backends.incidents import Incident

MINUTE = timedelta(minutes=1)
BEFORE_FIRST_SIGN = timedelta(minutes=10)
AFTER_RESOLUTION = timedelta(minutes=5)
SHORTEST_BASELINE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; never negative."""
        return self.end - self.start

    @property
    def minutes(self) -> float:
        """Its length in minutes."""
        return self.length / MINUTE


@dataclass(frozen=True, slots=True)
class Windows:
    """What is looked at, for one incident."""

    alerting: Window
    """From the first sign by an alert (pending, or firing if none was pending) to the resolution, in full minutes."""
    evidence: Window
    """From ten minutes before the first sign to five minutes after the resolution, in full minutes."""
    baseline: Window
    """As long as the evidence, at least an hour, and right before it: what was usual."""


def windows_of(incident: Incident, *, first_sign: datetime, now: datetime) -> Windows:
    """The windows of an incident; nothing lies after `now`."""
    ended = incident.resolved_at or now
    alerting = _full_minutes(first_sign, ended, now)
    evidence = _full_minutes(first_sign - BEFORE_FIRST_SIGN, ended + AFTER_RESOLUTION, now)
    baseline = Window(evidence.start - max(evidence.length, SHORTEST_BASELINE), evidence.start)
    return Windows(alerting, evidence, baseline)


def _full_minutes(start: datetime, end: datetime, now: datetime) -> Window:
    """Widened to full minutes, cut at `now`; at least a minute long, however the clocks of the sources differ."""
    floor = start.replace(second=0, microsecond=0)
    ceiling = -((datetime(1970, 1, 1, tzinfo=UTC) - end) // MINUTE) * MINUTE + datetime(1970, 1, 1, tzinfo=UTC)
    return Window(floor, max(min(ceiling, now), floor + MINUTE))
