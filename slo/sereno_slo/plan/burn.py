"""Alerts on budget really spent: one rule a tier, one for an outage; each needs evidence, not only a ratio.

Notation of docs/ledger.md: `B` is the error budget ratio, `A` the usual events per five minutes, `F` a tier's burn
rate, `n` a window in five-minute slots. docs/alerting.md tells when to choose what.
"""

from collections.abc import Callable
from typing import assert_never

from sereno_slo.conventions import MIN_RECENT_BAD_EVENTS
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import (
    AlertingMode,
    AlertSeverity,
    BurnTier,
    Objective,
    ServiceLevelObjective,
    Settings,
)
from sereno_slo.plan import annotations, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.rules import AlertingRule
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.windows import summed_over
from sereno_slo.policy import (
    EVIDENCE_Z,
    MOST_OF_USUAL,
    OUTAGE_RATIO,
    OUTAGE_WINDOW_OF_SLICES,
    OUTAGE_Z,
    is_feasible,
    outage_windows,
)
from sereno_slo.promql import Call, Expr, all_of, any_of

ALERT = "SLOErrorBudgetBurn"


def burn_alerts(slo: Objective, settings: Settings, ledger: Ledger) -> tuple[AlertingRule, ...]:
    """One rule for each tier that can fire, and the outage rule; of the whole, or of each group."""
    return (
        _outage_alert(slo, settings, ledger),
        *(_tier_alert(slo, tier, settings, ledger) for tier in slo.alerting.tiers if is_feasible(slo, tier)),
    )


def _tier_alert(slo: Objective, tier: BurnTier, settings: Settings, ledger: Ledger) -> AlertingRule:
    conditions: list[Expr] = []
    match slo.alerting.mode:
        case AlertingMode.BUDGET:
            conditions = [_spends_budget(slo, tier, ledger)]
        case AlertingMode.RATIO:
            conditions = [_exceeds_ratio(slo, tier, ledger)]
        case AlertingMode.BOTH:
            conditions = [_spends_budget(slo, tier, ledger), _exceeds_ratio(slo, tier, ledger)]
        case _:
            assert_never(slo.alerting.mode)
    burn_rate = ledger.figure("error_ratio", tier.long) / slo.error_budget_ratio
    return AlertingRule(
        ALERT,
        all_of(burn_rate, any_of(*conditions), *_enough_evidence(slo, tier, ledger)),
        alert_labels(slo, settings, tier.severity, burn=tier.burn, long_window=str(tier.long), **_grouped(ledger)),
        annotations.burn(slo, tier, settings, ledger),
        keep_firing_for=slo.alerting.keep_firing_for,
    )


def _spends_budget(slo: Objective, tier: BurnTier, ledger: Ledger) -> Expr:
    """More bad events than the tier's share of the budget: `bad > F·B·n·A`, over both windows."""

    def usual(window: Duration) -> Expr:
        return (window / FIVE_MINUTES) * ledger.expected_events()

    # A launch, or a batch after quiet days, has more good events, too: all of them count. Only bots bring so many that
    # no user's failure would ever be evidence. Where so few are usual that less than the minimum may fail, who knows.
    most = MOST_OF_USUAL * usual(tier.long)
    events = ledger.events(tier.long)
    is_busy = slo.alerting.min_bad_events / slo.error_budget_ratio
    return _exceeds(slo, tier, ledger, usual, any_of(events < most, most >= is_busy, events))


def _exceeds_ratio(slo: Objective, tier: BurnTier, ledger: Ledger) -> Expr:
    """The classic condition, `bad/total > F·B` over both windows, which sees people hurt at quiet hours, too."""
    return _exceeds(slo, tier, ledger, ledger.events, ledger.events(tier.long))


def _exceeds(
    slo: Objective,
    tier: BurnTier,
    ledger: Ledger,
    base: Callable[[Duration], Expr],
    events: Expr,
) -> Expr:
    """More bad events than `F·B` of a base over both windows, and surely more than `B` of the long window's events."""
    threshold = tier.factor(slo.window) * slo.error_budget_ratio
    return all_of(
        *(ledger.bad_events(window) > threshold * base(window) for window in (tier.short, tier.long)),
        _surely_worse(ledger.bad_events(tier.long), slo.error_budget_ratio * events),
    )


def _surely_worse(bad: Expr, allowed: Expr) -> Expr:
    """`sqrt(bad) - sqrt(allowed) > z/2`: worse than allowed by z standard deviations of a Poisson count.

    The square root makes a Poisson count's standard deviation 1/2 whatever its mean (Anscombe's variance-stabilising
    transformation).
    """
    return (Call("sqrt", (bad,)) - Call("sqrt", (allowed,))) > EVIDENCE_Z / 2


def _enough_evidence(slo: Objective, tier: BurnTier, ledger: Ledger) -> tuple[Expr, ...]:
    """Retries of one client are no independent events: a minimum of them, whatever the ratio.

    Some have to be recent. After an incident the long window holds enough evidence for hours, and a single failure
    would page again.
    """
    least = slo.alerting.min_bad_events
    return (
        ledger.bad_events(tier.short) >= min(least, MIN_RECENT_BAD_EVENTS),
        ledger.bad_events(tier.long) >= least,
    )


def _outage_alert(slo: Objective, settings: Settings, ledger: Ledger) -> AlertingRule:
    """Most of what happens is bad, whatever the objective."""
    windows = outage_windows(slo.indicator if isinstance(slo, ServiceLevelObjective) else None)
    return AlertingRule(
        ALERT,
        any_of(*(_is_out(slo, each, ledger, settings) for each in windows)),
        alert_labels(
            slo, settings, AlertSeverity.CRITICAL, burn="outage", long_window=str(windows[0]), **_grouped(ledger)
        ),
        annotations.outage(slo, windows[0], settings, ledger),
        keep_firing_for=slo.alerting.keep_firing_for,
    )


def _grouped(ledger: Ledger) -> dict[str, str]:
    """What tells an alert of a group from that of the whole, also where the group's labels are empty."""
    return {"grouped_by": ",".join(ledger.group_labels)} if ledger.group_labels else {}


def _is_out(slo: Objective, window: Duration, ledger: Ledger, settings: Settings) -> Expr:
    """The burn rate, while the window is surely an outage."""
    bad, events = (
        summed_over(slo, ledger, name, window, settings) for name in (series.BAD_EVENTS_ENTRY, series.EVENTS_ENTRY)
    )
    return all_of(bad / (events > 0) / slo.error_budget_ratio, *_surely_out(slo, bad, events))


def _surely_out(slo: Objective, bad: Expr, events: Expr) -> tuple[Expr, ...]:
    if slo.is_sliced:
        # Slices are no sample of something: five minutes that were all bad are five bad minutes.
        return (bad >= OUTAGE_WINDOW_OF_SLICES / MINUTE,)
    # The lower Wilson bound exceeds 1/2, without division.
    spread = Call("sqrt", ((OUTAGE_RATIO * (1 - OUTAGE_RATIO)) * events,))
    return ((bad - OUTAGE_RATIO * events) > OUTAGE_Z * spread, bad >= slo.alerting.min_bad_events)
