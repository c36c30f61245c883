"""A policy over the past: notices, budgets, what other objectives and policies would have told. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array, last_within
from sereno_slo.backtest.curves import Curve, curve_of
from sereno_slo.backtest.entries import Entries, Hole
from sereno_slo.backtest.firing import Replayed, replayed
from sereno_slo.backtest.incidents import Incident, Judged, judged
from sereno_slo.backtest.notices import Kind, Notice, Period, notices
from sereno_slo.backtest.objectives import Suggestion, suggested, what_if_percents, with_objective
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import AlertingMode, ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.windows import BUDGETED_EVENTS
from sereno_slo.policy import WORKBOOK_TIERS

USUAL = Duration.parse("7d")
"""What is usual is an average of so many days."""
_PATIENCE_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one policy with one objective would have told, and what it would have left of the budget."""

    name: str
    objective_percent: float
    notices: tuple[Notice, ...]
    budget_remaining_ratio: float | None
    """At the end of the period; None where there is nothing to tell it from."""
    lowest_budget_remaining_ratio: float | None
    """Within the period."""
    judged: Judged | None
    """None where no incidents are known."""

    @property
    def pages(self) -> int:
        """How many pages."""
        return sum(notice.kind is Kind.PAGE for notice in self.notices)

    @property
    def tickets(self) -> int:
        """How many tickets."""
        return len(self.notices) - self.pages


@dataclass(frozen=True, slots=True)
class Rival:
    """Another spec of the same SLO, with the entries of its own indicator."""

    name: str
    slo: ServiceLevelObjective
    settings: Settings
    entries: Entries


@dataclass(frozen=True, slots=True)
class Backtest:
    """What an SLO would have told in a period of the past. Moments are milliseconds since 1970."""

    slo: ServiceLevelObjective
    begin_ms: int
    end_ms: int
    history_begin_ms: int | None
    """The first minute that has an entry; None where none has."""
    minutes_seen: int
    """Minutes of the period that have an entry."""
    holes: tuple[Hole, ...]
    events: float
    bad_events: float
    outcome: Outcome
    """Of the spec as it is written."""
    what_if: tuple[Outcome, ...]
    suggestion: Suggestion
    policies: tuple[Outcome, ...]
    incidents: tuple[Incident, ...]
    curve: Curve
    entries: Entries

    @property
    def minutes(self) -> int:
        """How long the period is."""
        return (self.end_ms - self.begin_ms) // 60_000

    @property
    def attained_ratio(self) -> float | None:
        """The part of the period's events that weren't bad; None without events."""
        return 1 - self.bad_events / self.events if self.events > 0 else None

    def whole_from_ms(self, window: Duration) -> int | None:
        """From when on a window lies within the history."""
        return None if self.history_begin_ms is None else self.history_begin_ms + window.milliseconds


def backtested(
    slo: ServiceLevelObjective,
    settings: Settings,
    entries: Entries,
    period: Period,
    *,
    incidents: Sequence[Incident] = (),
    rivals: Sequence[Rival] = (),
) -> Backtest:
    """Replay the SLO over its entries; the minutes before the period are there to fill its windows."""
    known = [incident for incident in incidents if incident.slo in ("", slo.name)]
    judge = _Judge(settings, entries, period, known)
    as_written = replayed(slo, settings, entries)
    outcome = judge.outcome_of(f"as written (mode {slo.alerting.mode})", slo, as_written)
    during = slice(period.begin, period.end)
    recorded = as_written.samples.series
    whole_from = entries.minutes if entries.first is None else entries.first + round(slo.longest_window / MINUTE)
    events, bad_events = (
        last_within(recorded[name], _PATIENCE_MINUTES)
        for name in (BUDGETED_EVENTS[slo.calendar is None], "sereno:bad_events:window")
    )
    error_ratio = bad_events / np.where(events > 0, events, np.nan)
    return Backtest(
        slo,
        entries.at_ms(period.begin),
        entries.at_ms(period.end),
        None if entries.first is None else entries.at_ms(entries.first),
        int(np.count_nonzero(~np.isnan(entries.events[during]))),
        tuple(hole for hole in entries.holes(period.begin) if hole.begin < period.end),
        float(np.nansum(recorded[series.EVENTS_ENTRY][during])),
        float(np.nansum(recorded[series.BAD_EVENTS_ENTRY][during])),
        outcome,
        tuple(judge.objectives(slo, outcome)),
        suggested(slo, events, error_ratio, period, whole_from),
        (outcome, *judge.policies(slo), *(judge.rival(rival) for rival in rivals)),
        tuple(known),
        curve_of(as_written, entries, period),
        entries,
    )


@dataclass(frozen=True, slots=True)
class _Judge:
    settings: Settings
    entries: Entries
    period: Period
    incidents: Sequence[Incident]

    def outcome(self, name: str, slo: ServiceLevelObjective) -> Outcome:
        return self.outcome_of(name, slo, replayed(slo, self.settings, self.entries))

    def outcome_of(self, name: str, slo: ServiceLevelObjective, replay: Replayed) -> Outcome:
        told = notices(slo, self.entries, replay, self.period)
        remaining = last_within(replay.samples.series[series.BUDGET_REMAINING], _PATIENCE_MINUTES)
        within = remaining[self.period.begin : self.period.end]
        return Outcome(
            name,
            slo.objective_percent,
            told,
            _last(within),
            None if np.isnan(within).all() else float(np.nanmin(within)),
            judged(told, self.incidents) if self.incidents else None,
        )

    def objectives(self, slo: ServiceLevelObjective, own: Outcome) -> Iterator[Outcome]:
        for percent in what_if_percents(slo):
            name = f"{percent:g}"
            if percent == slo.objective_percent:
                yield replace(own, name=name)
            else:
                yield self.outcome(name, with_objective(slo, percent))

    def policies(self, slo: ServiceLevelObjective) -> Iterator[Outcome]:
        """The same tiers in the other modes; and the usual tiers, where the spec has its own."""
        for mode in AlertingMode:
            if mode is slo.alerting.mode:
                continue
            yield self.outcome(f"mode {mode}", replace(slo, alerting=replace(slo.alerting, mode=mode)))
        if slo.alerting.tiers != WORKBOOK_TIERS:
            usual = replace(slo, alerting=replace(slo.alerting, tiers=WORKBOOK_TIERS))
            yield self.outcome("the usual tiers", usual)

    def rival(self, rival: Rival) -> Outcome:
        return replace(self, settings=rival.settings, entries=rival.entries).outcome(rival.name, rival.slo)


def _last(values: Array) -> float | None:
    return float(values[-1]) if len(values) and not np.isnan(values[-1]) else None
