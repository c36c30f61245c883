"""Alerts on budget really spent: one rule a tier, one for an outage; each needs evidence, not only a ratio.

Notation of docs/ledger.md: `B` is the error budget ratio, `A` the usual events per five minutes, `F` a tier's burn
rate, `n` a window in five-minute slots. docs/alerting.md tells when to choose what.
"""

from typing import assert_never

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import (
    AlertingMode,
    AlertSeverity,
    BurnTier,
    ServiceLevelObjective,
    Settings,
    TimeSlices,
)
from sereno_slo.plan import annotations, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.rules import AlertingRule
from sereno_slo.plan.series import Ledger, summed
from sereno_slo.policy import EVIDENCE_Z, OUTAGE_RATIO, OUTAGE_WINDOW_OF_SLICES, is_feasible, outage_window
from sereno_slo.promql import Call, Expr, all_of, any_of

ALERT = "SLOErrorBudgetBurn"

Z = EVIDENCE_Z


def burn_alerts(slo: ServiceLevelObjective, settings: Settings, ledger: Ledger) -> tuple[AlertingRule, ...]:
    """One rule for each tier that can fire, and the outage rule; of the whole, or of each group."""
    return (
        _outage_alert(slo, settings, ledger),
        *(_tier_alert(slo, tier, settings, ledger) for tier in slo.alerting.tiers if is_feasible(slo, tier)),
    )


def _tier_alert(slo: ServiceLevelObjective, tier: BurnTier, settings: Settings, ledger: Ledger) -> AlertingRule:
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
        all_of(burn_rate, any_of(*conditions), _enough_evidence(slo, tier.long, ledger)),
        alert_labels(slo, settings, tier.severity, burn=tier.burn, long_window=str(tier.long), **_grouped(ledger)),
        annotations.burn(slo, tier, settings, ledger),
        keep_firing_for=slo.alerting.keep_firing_for,
    )


def _spends_budget(slo: ServiceLevelObjective, tier: BurnTier, ledger: Ledger) -> Expr:
    """More bad events than the tier's share of the budget: `bad > F·B·n·A`, over both windows."""
    a_slot = tier.factor(slo.window) * slo.error_budget_ratio

    def exceeds(window: Duration) -> Expr:
        return ledger.bad_events(window) > (a_slot * (window / FIVE_MINUTES)) * ledger.expected_events()

    return all_of(exceeds(tier.short), exceeds(tier.long))


def _exceeds_ratio(slo: ServiceLevelObjective, tier: BurnTier, ledger: Ledger) -> Expr:
    """The classic condition, `bad/total > F·B` over both windows, which sees people hurt at quiet hours, too."""
    threshold = tier.factor(slo.window) * slo.error_budget_ratio
    return all_of(*(ledger.bad_events(w) > threshold * ledger.events(w) for w in (tier.short, tier.long)))


def _enough_evidence(slo: ServiceLevelObjective, window: Duration, ledger: Ledger) -> Expr:
    """`sqrt(bad) - sqrt(B·total) > z/2`: worse than the objective by z standard deviations of a Poisson count.

    The square root makes a Poisson count's standard deviation 1/2 whatever its mean (Anscombe's variance-stabilising
    transformation). Retries of one client are no independent events, hence the minimum of bad events as well.
    """
    bad, events = ledger.bad_events(window), ledger.events(window)
    surely_worse = (Call("sqrt", (bad,)) - Call("sqrt", (slo.error_budget_ratio * events,))) > Z / 2
    return all_of(surely_worse, bad >= slo.alerting.min_bad_events)


def _outage_alert(slo: ServiceLevelObjective, settings: Settings, ledger: Ledger) -> AlertingRule:
    """Most of what happens is bad, whatever the objective."""
    window = outage_window(slo.indicator)
    bad, events = (summed(ledger.series(name), window) for name in (series.BAD_EVENTS_ENTRY, series.EVENTS_ENTRY))
    error_ratio = bad / (events > 0)
    return AlertingRule(
        ALERT,
        all_of(error_ratio / slo.error_budget_ratio, *_surely_out(slo, bad, events)),
        alert_labels(slo, settings, AlertSeverity.CRITICAL, burn="outage", long_window=str(window), **_grouped(ledger)),
        annotations.outage(slo, window, settings, ledger),
        keep_firing_for=slo.alerting.keep_firing_for,
    )


def _grouped(ledger: Ledger) -> dict[str, str]:
    """What tells an alert of a group from that of the whole, also where the group's labels are empty."""
    return {"grouped_by": ",".join(ledger.group_labels)} if ledger.group_labels else {}


def _surely_out(slo: ServiceLevelObjective, bad: Expr, events: Expr) -> tuple[Expr, ...]:
    if isinstance(slo.indicator, TimeSlices):
        # Slices are no sample of something: five minutes that were all bad are five bad minutes.
        return (bad >= OUTAGE_WINDOW_OF_SLICES / MINUTE,)
    # The lower Wilson bound exceeds 1/2, without division.
    spread = Call("sqrt", ((OUTAGE_RATIO * (1 - OUTAGE_RATIO)) * events,))
    return ((bad - OUTAGE_RATIO * events) > Z * spread, bad >= slo.alerting.min_bad_events)
