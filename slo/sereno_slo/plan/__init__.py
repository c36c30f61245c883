"""From a service's model to its rule groups: pure, in the order in which Prometheus has to evaluate them."""

from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.plan.burn import burn_alerts
from sereno_slo.plan.ledger import entries, facts, long_windows, minute_windows
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup, ServicePlan
from sereno_slo.plan.series import FIVE_MINUTES, MINUTE

__all__ = ["AlertingRule", "RecordingRule", "RuleGroup", "ServicePlan", "plan_service"]


def plan_service(service: Service, settings: Settings) -> ServicePlan:
    """All rule groups of one service: two for each SLO."""
    return ServicePlan(service.name, tuple(group for slo in service.slos for group in _groups(slo, settings)))


def _groups(slo: ServiceLevelObjective, settings: Settings) -> tuple[RuleGroup, RuleGroup]:
    every_minute: tuple[RecordingRule | AlertingRule, ...] = (
        *entries(slo, settings),
        *minute_windows(slo),
        *facts(slo),
        *burn_alerts(slo, settings),
        *no_data_alerts(slo, settings),
    )
    name = f"sereno:{slo.service}:{slo.name}"
    return RuleGroup(f"{name}:1m", MINUTE, every_minute), RuleGroup(f"{name}:5m", FIVE_MINUTES, long_windows(slo))
