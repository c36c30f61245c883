"""Where an SLO's numbers come from: one value that holds every figure, made of the same roll-ups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sereno_slo.explain.account import Account, moment
from sereno_slo.explain.counted import ExcludedTime, window_drift
from sereno_slo.explain.pace import Pace, pace_of
from sereno_slo.explain.recorded import number, read_account
from sereno_slo.explain.rolling_out import RollingOut, rolling_out
from sereno_slo.explain.seen import Coverage, coverage_of
from sereno_slo.explain.spenders import Spenders, spenders_of
from sereno_slo.explain.spending import Stretch, days, hours
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.ledger import remaining_to_the_minute
from sereno_slo.plan.series import Ledger, patient
from sereno_slo.plan.windows import summed_over

# Ratios that differ by less are the same: what remains of sums in another order.
_ROUNDING = 1e-6
# What pages say is rounded to a tenth of a percent.
_SHOWN = 0.0005


@dataclass(frozen=True, slots=True)
class Budget:
    """The window's account. Events of time slices are minutes."""

    events: float
    bad_events: float
    error_budget_ratio: float
    """The part of the events that may be bad."""
    budget_events: float
    """100 % of the budget: so many events may be bad."""
    planned_events: float
    """What the budget is a part of: of a calendar's window its events, and as many as usual until its end."""
    remaining_ratio: float
    """1 - bad events / budget, of the roll-ups; 1 where nothing happened."""
    recorded_remaining_ratio: float | None
    """`sereno:error_budget_remaining:ratio` of the same evaluation; None where it isn't recorded."""
    remaining_ratio_to_the_minute: float | None
    """What a page would say now: minute entries up to the moment asked about."""

    @property
    def error_ratio(self) -> float:
        """Bad events of all; 0 where nothing happened."""
        return self.bad_events / self.events if self.events > 0 else 0.0

    @property
    def one_percent_events(self) -> float:
        """1 % of the budget, in events."""
        return self.budget_events / 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known about an SLO's budget at a moment."""

    slo: ServiceLevelObjective
    group: dict[str, str]
    """The labels of the group that is explained; empty of the whole."""
    asked_at: datetime
    evaluated_at: datetime
    """The last evaluation before: the figures are those that it recorded."""
    window_start: datetime
    window_end: datetime | None
    """When the calendar's window ends; None of rolling ones, which end with the evaluation."""
    begun_at: datetime | None
    """When the ledger began, where that lies within the window."""
    budget: Budget
    pace: Pace
    days: tuple[Stretch, ...]
    hours: tuple[Stretch, ...]
    spenders: Spenders
    coverage: Coverage
    excluded: tuple[ExcludedTime, ...]
    """What exclusions left out of the window: no other figure holds it."""
    caught_up_events: float
    """What was counted after stops of Prometheus, of minutes that no entry saw."""
    rolling_out: RollingOut
    notes: tuple[str, ...]
    """What doesn't agree, or isn't whole, and why."""


def explain(
    reader: Reader,
    slo: ServiceLevelObjective,
    settings: Settings,
    *,
    at: datetime,
    ledger: Ledger | None = None,
    thresholds: Iterable[float] = (),
) -> Explanation:
    """Explain an SLO, or one of its groups, at a moment; `thresholds` are remaining ratios that matter, besides 0.

    Every question may raise a `PrometheusError`.

    Raises:
        NotRecorded: there is nothing to explain.
        SeveralLedgers: the server has the ledger more than once.
    """
    ledger = ledger or Ledger.of(slo)
    account = read_account(reader, slo, ledger, settings, at)
    budget, by_hour = _budget(reader, account), hours(account)
    missed = summed_over(slo, ledger, series.EVENTS_MISSED, account.window, settings)
    coverage = coverage_of(account)
    return Explanation(
        slo,
        {matcher.label: matcher.value for matcher in ledger.group},
        moment(account.asked_ms),
        moment(account.evaluated_ms),
        moment(account.begins_ms),
        None if account.ends_ms is None else moment(account.ends_ms),
        None if account.begun_ms is None else moment(account.begun_ms),
        budget,
        pace_of(reader, account),
        days(account),
        by_hour,
        spenders_of(reader, account, settings, by_hour),
        coverage,
        tuple(account.excluded_times()),
        number(reader, missed, moment(account.evaluated_ms)) or 0.0,
        rolling_out(account, by_hour, {0.0, *thresholds}),
        tuple(_notes(reader, account, budget)),
    )


def _budget(reader: Reader, account: Account) -> Budget:
    events, bad_events, allowed = account.total_events, account.total_bad_events, account.budget_events
    recorded = patient(account.ledger.series(series.BUDGET_REMAINING))
    return Budget(
        events,
        bad_events,
        account.slo.error_budget_ratio,
        allowed,
        account.planned_events,
        1 - bad_events / allowed if allowed > 0 else 1.0,
        number(reader, recorded, moment(account.evaluated_ms)),
        number(reader, remaining_to_the_minute(account.slo, account.ledger), account.looked_at),
    )


def _notes(reader: Reader, account: Account, budget: Budget) -> Iterator[str]:
    if not account.is_fresh:
        minutes = (account.asked_ms - account.evaluated_ms) // 60_000
        yield (
            f"the rules were evaluated last at {moment(account.evaluated_ms):%Y-%m-%d %H:%M} UTC, {minutes:,} minutes "
            f"before the moment asked about (five are usual): all figures are of then"
        )
    drifted = list(_drift(reader, account))
    yield from drifted
    recorded = budget.recorded_remaining_ratio
    if recorded is None:
        yield f"{series.BUDGET_REMAINING} isn't recorded at that moment; the figures are of roll-ups"
    elif abs(recorded - budget.remaining_ratio) > _ROUNDING and not drifted:
        yield (
            f"{series.BUDGET_REMAINING} was recorded as {100 * recorded:.4f} %, its roll-ups say "
            f"{100 * budget.remaining_ratio:.4f} %; some were added (sereno backfill) or are gone (retention)"
        )
    to_the_minute = budget.remaining_ratio_to_the_minute
    if to_the_minute is not None and abs(to_the_minute - budget.remaining_ratio) >= _SHOWN:
        yield (
            f"a page would say {100 * to_the_minute:.1f} % now: pages count minutes up to now, these figures roll-ups "
            "of five minutes, which also hold what a stop of Prometheus missed and what a repair added"
        )


def _drift(reader: Reader, account: Account) -> Iterator[str]:
    """Rules that were compiled from another version of the spec."""
    slo, whole, at = account.slo, account.ledger.whole, account.looked_at
    objective = number(reader, whole.series(series.OBJECTIVE), at)
    if objective is not None and abs(objective - slo.objective_ratio) > slo.error_budget_ratio * _ROUNDING:
        yield (
            f"the server's rules have an objective of {100 * objective:.10g} %, the spec {slo.objective_percent:.10g} %"
            "; its recorded figures differ from those here until the rules are compiled and loaded"
        )
    for drift in window_drift(slo, number(reader, whole.series(series.WINDOW), at), at):
        yield f"{drift}: its recorded figures differ from those here until the rules are compiled and loaded"
