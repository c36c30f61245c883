"""From a service's model to its rule groups: pure, in the order in which Prometheus has to evaluate them."""

from sereno_slo.duration import FIVE_MINUTES, MINUTE
from sereno_slo.model import Journey, Service, ServiceLevelObjective, Settings
from sereno_slo.plan import ledger, windows
from sereno_slo.plan.burn import burn_alerts
from sereno_slo.plan.counting import Raw
from sereno_slo.plan.entries import entries
from sereno_slo.plan.exhausted import exhausted_alerts
from sereno_slo.plan.groups import group_entries, group_roll_ups
from sereno_slo.plan.journeys import journey_burn_alerts, journey_entries, journey_no_data_alerts
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.outages import missed
from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup, ServicePlan
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.traffic import traffic_alerts, usual_traffic

__all__ = ["AlertingRule", "RecordingRule", "RuleGroup", "ServicePlan", "plan_service", "plan_slo"]


def plan_service(service: Service, settings: Settings) -> ServicePlan:
    """All rule groups of one service: two for each SLO and each journey."""
    groups = (group for objective in service.objectives for group in plan_slo(objective, settings))
    return ServicePlan(service.name, tuple(groups))


def plan_slo(slo: ServiceLevelObjective | Journey, settings: Settings) -> tuple[RuleGroup, RuleGroup]:
    """The rule groups of one SLO or journey: every minute and every five minutes."""
    name = f"sereno:{slo.service}:{slo.name}"
    return (
        RuleGroup(f"{name}:1m", MINUTE, _every_minute(slo, settings)),
        RuleGroup(f"{name}:5m", FIVE_MINUTES, _every_five_minutes(slo, settings)),
    )


def _every_minute(slo: ServiceLevelObjective | Journey, settings: Settings) -> tuple[RecordingRule | AlertingRule, ...]:
    if isinstance(slo, Journey):
        return (
            *journey_entries(slo),
            *windows.excluded_now(slo, Ledger.of(slo)),
            *ledger.minute_windows(slo, Ledger.of(slo), settings),
            *ledger.facts(slo),
            *journey_burn_alerts(slo, settings),
            *journey_no_data_alerts(slo, settings),
            *exhausted_alerts(slo, settings),
        )
    return (
        *entries(slo, settings),
        *missed(slo, Ledger.of(slo), Raw(settings)),
        *windows.excluded_now(slo, Ledger.of(slo)),
        *ledger.minute_windows(slo, Ledger.of(slo), settings),
        *ledger.facts(slo),
        *burn_alerts(slo, settings, Ledger.of(slo)),
        *no_data_alerts(slo, settings),
        *traffic_alerts(slo, settings),
        *exhausted_alerts(slo, settings),
        *(group_entries(slo, slo.group_by, settings) if slo.group_by else ()),
    )


def _every_five_minutes(slo: ServiceLevelObjective | Journey, settings: Settings) -> tuple[RecordingRule, ...]:
    whole = Ledger.of(slo)
    group_by = None if isinstance(slo, Journey) else slo.group_by
    return (
        ledger.evaluation_mark(whole),
        *windows.window_rules(slo, whole),
        *ledger.long_windows(slo, whole, settings),
        ledger.expected_events(slo, whole),
        *ledger.calendar_budget(slo, whole),
        ledger.exhausted_in(slo, whole),
        *(() if isinstance(slo, Journey) else usual_traffic(slo, whole)),
        *ledger.coverage(slo, whole, settings),
        *(group_roll_ups(slo, group_by, settings) if group_by and not isinstance(slo, Journey) else ()),
    )
