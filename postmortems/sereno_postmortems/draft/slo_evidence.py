"""What the incident cost one SLO: counted from the ledger's recorded series, for the incident's windows."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.prometheus import Point, Series

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, derived, derived2, quotient
from sereno_postmortems.draft.metrics_source import Metrics
from sereno_postmortems.draft.queries import Selector, entries_within, total_within
from sereno_postmortems.draft.windows import Window, Windows

STANDARD_DEVIATIONS = 2.58
ROLL_UP = timedelta(minutes=5)
TWO_ENTRIES = timedelta(minutes=2)
LONGEST_RECORD_AGE = timedelta(minutes=15)
"""Series over the SLO's window are recorded every five minutes; older than this, a record is no longer the present."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened within one window."""

    window: Window
    failed: Fact[float]
    """Bad events."""
    total: Fact[float]
    entries: Fact[float]
    """Minute entries that the ledger has in the window; fewer than its minutes means that something wasn't counted."""
    error_ratio: Fact[float]
    budget_spent: Fact[float]
    """Part of the whole budget of the SLO's window: 1 is all of it."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """The error budget left at a moment: 1 untouched, below 0 overspent."""

    ratio: float
    as_of: datetime
    is_computed: bool
    """True when Prometheus hadn't recorded it yet: the last record, less the entries since."""


@dataclass(frozen=True, slots=True)
class PeakBurn:
    """The highest burn rate of a five-minute window: 1 spends the budget in exactly the SLO's window."""

    burn_rate: float
    at: datetime


@dataclass(frozen=True, slots=True)
class BadMinutes:
    """The first and the last minute entry that is surely worse than the objective; single failures aren't."""

    first: datetime
    first_failed: float
    first_total: float
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute entry of the ledger; its stamp is the minute's end."""

    at: datetime
    failed: float
    total: float


@dataclass(frozen=True, slots=True)
class SloEvidence:
    """The impact on one SLO."""

    service: str
    slo: str
    objective: Fact[float]
    """A ratio such as 0.999."""
    slo_window: Fact[timedelta]
    whole_budget: Fact[float]
    """Bad events that the SLO's window allows, at the traffic it saw."""
    alerting: Figures
    evidence: Figures
    usual: Figures
    """The baseline before the incident."""
    remaining_before: Fact[Remaining]
    remaining_after: Fact[Remaining]
    peak_burn: Fact[PeakBurn]
    minutes: Fact[tuple[Minute, ...]]
    """Every minute entry of the evidence window."""
    bad_minutes: Fact[BadMinutes | None]
    """None when no minute was surely worse than the objective."""


PLANNED = "sereno:events:planned"
"""How many events a calendar window will have had, which its budget is a part of; other windows have no such series."""


def ask_slo(metrics: Metrics, service: str, slo: str, windows: Windows, now: datetime) -> SloEvidence:
    """Ask Prometheus for everything about one SLO; each figure is a fact of its own."""
    labels = {"service": service, "slo": slo}
    end = windows.evidence.end
    around_end = Window(end - LONGEST_RECORD_AGE, end)
    objective = _possible(_last(metrics, Selector("sereno_slo_objective_ratio", labels), around_end))
    events_window = _last(metrics, Selector("sereno:events:window", labels), around_end)
    planned = _last(metrics, Selector(PLANNED, labels), around_end)
    budgeted = planned if isinstance(planned, Measured) else events_window
    whole_budget = derived2(lambda ratio, events: (1 - ratio) * events, objective, budgeted)
    minutes = _minutes(metrics, labels, windows.evidence)

    def figures(window: Window) -> Figures:
        return _figures(metrics, labels, window, whole_budget)

    return SloEvidence(
        service=service,
        slo=slo,
        objective=objective,
        slo_window=derived(
            lambda seconds: timedelta(seconds=seconds),
            _last(metrics, Selector("sereno_slo_window_seconds", labels), around_end),
        ),
        whole_budget=whole_budget,
        alerting=figures(windows.alerting),
        evidence=figures(windows.evidence),
        usual=figures(windows.baseline),
        remaining_before=_recorded_remaining(metrics, labels, windows.evidence.start),
        remaining_after=_remaining_after(metrics, labels, Window(end, min(end + 2 * ROLL_UP, now)), objective),
        peak_burn=_peak_burn(metrics, labels, windows.evidence, objective),
        minutes=minutes,
        bad_minutes=_bad_minutes(minutes, objective),
    )


def _figures(metrics: Metrics, labels: dict[str, str], window: Window, whole_budget: Fact[float]) -> Figures:
    bad_events, events = Selector("sereno:bad_events:delta1m", labels), Selector("sereno:events:delta1m", labels)
    failed = metrics.value(total_within(bad_events, window), window.end)
    total = metrics.value(total_within(events, window), window.end)
    return Figures(
        window=window,
        failed=failed,
        total=total,
        entries=metrics.value(entries_within(bad_events, window), window.end),
        error_ratio=quotient(failed, total, if_zero="no requests came in this window"),
        budget_spent=quotient(failed, whole_budget, if_zero="the SLO's window has seen no requests, so has no budget"),
    )


def _last(metrics: Metrics, selector: Selector, window: Window) -> Fact[float]:
    return derived(lambda point: point.value, _last_point(metrics, selector, window))


def _last_point(metrics: Metrics, selector: Selector, window: Window) -> Fact[Point]:
    answer = metrics.stored_one(selector, window)
    if isinstance(answer, NotMeasured):
        return answer
    points = finite(answer.value)
    if not points:
        return NotMeasured("Prometheus holds no number of this series at that time", answer.sources)
    return Measured(points[-1], answer.sources)


def _recorded_remaining(metrics: Metrics, labels: dict[str, str], at: datetime) -> Fact[Remaining]:
    selector = Selector("sereno:error_budget_remaining:ratio", labels)
    point = _last_point(metrics, selector, Window(at - LONGEST_RECORD_AGE, at))
    return derived(lambda found: Remaining(found.value, found.timestamp, is_computed=False), point)


def _possible(objective: Fact[float]) -> Fact[float]:
    """An objective that leaves a budget; without one nothing can be said about burning it."""
    if isinstance(objective, Measured) and not 0 <= objective.value < 1:
        return NotMeasured(f"the recorded objective is {objective.value:g}, which leaves no budget", objective.sources)
    return objective


def _remaining_after(
    metrics: Metrics, labels: dict[str, str], after: Window, objective: Fact[float]
) -> Fact[Remaining]:
    """As recorded by the first evaluation after the end, which has all of the incident in it; else computed."""
    selector = Selector("sereno:error_budget_remaining:ratio", labels)
    if after.length >= timedelta(seconds=1):
        recorded = metrics.stored_one(selector, after)
        if isinstance(recorded, Measured) and (points := finite(recorded.value)):
            return Measured(Remaining(points[0].value, points[0].timestamp, is_computed=False), recorded.sources)
    return _computed_remaining(metrics, labels, after.start, objective)


def _computed_remaining(
    metrics: Metrics, labels: dict[str, str], at: datetime, objective: Fact[float]
) -> Fact[Remaining]:
    """From the last record of the window's counts and the minute entries since; right but for what left the window."""
    bad = _count_until(metrics, labels, "bad_events", at)
    planned = _last(metrics, Selector(PLANNED, labels), Window(at - LONGEST_RECORD_AGE, at))
    events = planned if isinstance(planned, Measured) else _count_until(metrics, labels, "events", at)
    error_ratio = quotient(bad, events, if_zero="the SLO's window has seen no requests, so has no budget")
    return derived2(
        lambda ratio, target: Remaining(1 - ratio / (1 - target), at, is_computed=True), error_ratio, objective
    )


def _count_until(metrics: Metrics, labels: dict[str, str], name: str, at: datetime) -> Fact[float]:
    """The last recorded count over the SLO's window, plus the minute entries since then."""
    point = _last_point(metrics, Selector(f"sereno:{name}:window", labels), Window(at - LONGEST_RECORD_AGE, at))
    if isinstance(point, NotMeasured):
        return point
    since = Window(point.value.timestamp, at)
    if since.length < TWO_ENTRIES:  # too short for an entry to be missed
        return Measured(point.value.value, point.sources)
    added = metrics.value(total_within(Selector(f"sereno:{name}:delta1m", labels), since), at)
    return derived2(lambda recorded, more: recorded.value + more, point, added)


def _peak_burn(metrics: Metrics, labels: dict[str, str], window: Window, objective: Fact[float]) -> Fact[PeakBurn]:
    answer = metrics.stored_one(Selector("sereno:error_ratio:5m", labels), window)
    if isinstance(answer, Measured) and not finite(answer.value):
        return NotMeasured("Prometheus holds no number of this series in the window", answer.sources)

    def peak(series: Series, target: float) -> PeakBurn:
        highest = max(finite(series), key=lambda point: point.value)
        return PeakBurn(highest.value / (1 - target), highest.timestamp)

    return derived2(peak, answer, objective)


def _minutes(metrics: Metrics, labels: dict[str, str], window: Window) -> Fact[tuple[Minute, ...]]:
    failed = metrics.stored_one(Selector("sereno:bad_events:delta1m", labels), window)
    total = metrics.stored_one(Selector("sereno:events:delta1m", labels), window)

    def together(bad: Series, events: Series) -> tuple[Minute, ...]:
        totals = {point.timestamp: point.value for point in finite(events)}
        return tuple(
            Minute(point.timestamp, point.value, totals[point.timestamp])
            for point in finite(bad)
            if point.timestamp in totals
        )

    return derived2(together, failed, total)


def _bad_minutes(minutes: Fact[tuple[Minute, ...]], objective: Fact[float]) -> Fact[BadMinutes | None]:
    def worse(entries: tuple[Minute, ...], target: float) -> BadMinutes | None:
        bad = [entry for entry in entries if _is_surely_above(1 - target, entry)]
        if not bad:
            return None
        return BadMinutes(bad[0].at, bad[0].failed, bad[0].total, bad[-1].at, len(bad))

    return derived2(worse, minutes, objective)


def _is_surely_above(allowed_ratio: float, entry: Minute) -> bool:
    """The evidence guard of the alerts: worse by z standard deviations of a Poisson count."""
    return math.sqrt(entry.failed) - math.sqrt(allowed_ratio * entry.total) > STANDARD_DEVIATIONS / 2


def finite(series: Series) -> tuple[Point, ...]:
    """The points that are numbers."""
    return tuple(point for point in series.points if point.is_finite)
