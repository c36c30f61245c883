"""How fast the budget burns now: the figures that alerts, dashboards and pages show, asked as they ask them."""

from dataclasses import dataclass
from datetime import datetime

from sereno_slo.duration import Duration
from sereno_slo.explain.account import Account
from sereno_slo.explain.recorded import number
from sereno_slo.history import Reader
from sereno_slo.model import AlertSeverity, BurnTier, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.burn import ALERT
from sereno_slo.plan.ledger import exhausted_at_pace
from sereno_slo.plan.series import Ledger, patient
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Selector


@dataclass(frozen=True, slots=True)
class TierPace:
    """A tier of the policy now; burn rates are multiples of what the objective allows, None where none is recorded."""

    long: Duration
    short: Duration
    severity: AlertSeverity
    alerts_at: float
    """The burn rate that the tier means."""
    burn_rate_long: float | None
    burn_rate_short: float | None
    exhausted_in_seconds: float | None
    """When the budget is gone at the pace of the long window, as its page says; None if it is gone or none fails."""


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert on the SLO's budget that fires."""

    burn: str
    """`outage`, `fast` or `slow`."""
    severity: str
    """`critical`, `warning`, or `info` of a shadow."""
    long_window: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the budget burns."""

    tiers: tuple[TierPace, ...]
    firing: tuple[FiringAlert, ...]
    exhausted_in_seconds: float | None
    """`sereno:error_budget_exhausted_in:seconds`: at the pace of the last day; 0: it is gone, None: none failed."""


def pace_of(reader: Reader, account: Account) -> Pace:
    """The account's pace when it was looked at; every question may raise a `PrometheusError`."""
    slo, ledger, at = account.slo, account.ledger, account.looked_at
    exhausted = number(reader, patient(ledger.series(series.EXHAUSTED_IN)), at)
    return Pace(
        tuple(_tier(reader, slo, ledger, tier, at) for tier in slo.alerting.tiers if is_feasible(slo, tier)),
        tuple(_firing(reader, ledger, at)),
        exhausted,
    )


def _tier(reader: Reader, slo: ServiceLevelObjective, ledger: Ledger, tier: BurnTier, at: datetime) -> TierPace:
    def burn_rate(window: Duration) -> float | None:
        value = number(reader, ledger.figure("error_ratio", window), at)
        return None if value is None else value / slo.error_budget_ratio

    return TierPace(
        tier.long,
        tier.short,
        tier.severity,
        tier.factor(slo.window),
        burn_rate(tier.long),
        burn_rate(tier.short),
        number(reader, exhausted_at_pace(slo, tier.long, ledger), at),
    )


def firing_alerts(ledger: Ledger) -> Selector:
    """The alerts on the ledger's budget that fire, as Prometheus records them."""
    grouped = ",".join(ledger.group_labels)
    return (
        Selector("ALERTS")
        .where(alertname=ALERT, alertstate="firing", grouped_by=grouped, **ledger.labels)
        .where(*ledger.group)
    )


def _firing(reader: Reader, ledger: Ledger, at: datetime) -> list[FiringAlert]:
    found = reader.instant(firing_alerts(ledger), at)
    alerts = {
        FiringAlert(*(sample.labels.get(label, "") for label in ("burn", "severity", "long_window")))
        for sample in found
    }
    return sorted(alerts, key=lambda alert: (alert.severity, alert.burn, alert.long_window))
