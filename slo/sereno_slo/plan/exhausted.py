"""The budget is gone: no page, since a page came while it burned, but a decision that the team has to take."""

from sereno_slo.model import AlertSeverity, Objective, Settings
from sereno_slo.plan import annotations, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.rules import AlertingRule
from sereno_slo.plan.series import Ledger, patient
from sereno_slo.promql import all_of

ALERT = "SLOBudgetExhausted"


def exhausted_alerts(slo: Objective, settings: Settings) -> tuple[AlertingRule, ...]:
    """A ticket while no budget is left, once enough events were bad to say so; its value is the remaining ratio."""
    ledger = Ledger.of(slo)
    remaining, bad = (patient(ledger.series(name)) for name in (series.BUDGET_REMAINING, "sereno:bad_events:window"))
    return (
        AlertingRule(
            ALERT,
            all_of(remaining <= 0, bad >= slo.alerting.min_bad_events),
            alert_labels(slo, settings, AlertSeverity.WARNING),
            annotations.exhausted(slo, settings),
        ),
    )
