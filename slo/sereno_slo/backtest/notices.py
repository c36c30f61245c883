"""What people are told: alerts of one SLO that fire together are one page, or one ticket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sereno_slo.backtest.arrays import Array, last_within
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.firing import Alert, Replayed
from sereno_slo.backtest.raw import stretches
from sereno_slo.model import AlertSeverity, ServiceLevelObjective

_APART_MINUTES = 5
"""Resolved for at most so long is the same notice: Alertmanager's `group_interval`."""
_PATIENCE_MINUTES = 10  # figures of five minutes are read so far back, as alerts read them


class Kind(StrEnum):
    """Whom a notice wakes."""

    PAGE = "page"
    TICKET = "ticket"


_KINDS = {AlertSeverity.CRITICAL: Kind.PAGE, AlertSeverity.WARNING: Kind.TICKET}


@dataclass(frozen=True, slots=True)
class Period:
    """What is judged: minutes from `begin` up to, not including, `end`; places in the entries' arrays."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from the evaluation at which it fires to the one at which it doesn't any more."""

    alert: str
    burn: str | None
    long_window: str | None
    begin_ms: int
    end_ms: int
    peak_burn_rate: float | None
    """The highest error ratio of the long window over the error budget ratio; None of alerts without a burn rate."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One page or ticket."""

    kind: Kind
    begin_ms: int
    end_ms: int
    is_open: bool
    """It still fires at the end of the period."""
    episodes: tuple[Episode, ...]
    events: float
    """While it fires, as the bad ones."""
    bad_events: float
    budget_spent_ratio: float | None
    """The part of the window's budget that they spent; None where the window has no events."""

    @property
    def peak_burn_rate(self) -> float | None:
        """The highest of its alerts'."""
        return max((each.peak_burn_rate for each in self.episodes if each.peak_burn_rate is not None), default=None)

    @property
    def minutes(self) -> float:
        """How long it fires."""
        return (self.end_ms - self.begin_ms) / 60_000


def notices(slo: ServiceLevelObjective, entries: Entries, replayed: Replayed, period: Period) -> tuple[Notice, ...]:
    """Every page and ticket that fires in the period, in order of time."""
    allowed = slo.error_budget_ratio * last_within(replayed.samples.series["sereno:events:window"], _PATIENCE_MINUTES)
    found = [
        notice
        for severity, kind in _KINDS.items()
        for notice in _of_kind(
            kind, [alert for alert in replayed.alerts if alert.severity == severity], entries, allowed, period
        )
    ]
    return tuple(sorted(found, key=lambda notice: (notice.begin_ms, notice.kind)))


def _of_kind(kind: Kind, alerts: Sequence[Alert], entries: Entries, allowed: Array, period: Period) -> Iterator[Notice]:
    if not alerts:
        return
    told = np.logical_or.reduce([alert.firing for alert in alerts])[: period.end]
    for begin, end in stretches(told, _APART_MINUTES):
        if end <= period.begin:
            continue
        during = slice(begin, end)
        bad_events = float(np.nansum(entries.bad_events[during]))
        budget = float(allowed[end - 1])
        episodes = (each for alert in alerts for each in _episodes(alert, entries, begin, end))
        yield Notice(
            kind,
            entries.at_ms(begin),
            entries.at_ms(end),
            is_open=end >= period.end,
            episodes=tuple(sorted(episodes, key=lambda episode: episode.begin_ms)),
            events=float(np.nansum(entries.events[during])),
            bad_events=bad_events,
            budget_spent_ratio=bad_events / budget if budget > 0 else None,
        )


def _episodes(alert: Alert, entries: Entries, begin: int, end: int) -> Iterator[Episode]:
    for start, stop in stretches(alert.firing[begin:end]):
        first, last = begin + start, begin + stop
        values = alert.value[first:last]
        has_rate = alert.burn is not None and not np.isnan(values).all()
        yield Episode(
            alert.name,
            alert.burn,
            alert.long_window,
            entries.at_ms(first),
            entries.at_ms(last),
            float(np.nanmax(values)) if has_rate else None,
        )
