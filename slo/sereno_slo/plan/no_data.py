"""Silence is not calm: alerts for targets that are gone and for selectors that match nothing."""

from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import AlertSeverity, ServiceLevelObjective, Settings
from sereno_slo.plan import annotations, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.counting import Raw
from sereno_slo.plan.rules import AlertingRule
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.windows import unless_excluded
from sereno_slo.promql import Aggregation, Call, Expr, Number

ALERT = "SLONoData"

# Long enough for a restart of the service or of Prometheus, short enough for a page.
_TARGETS_GONE_FOR = Duration.parse("5m")
# A process that has just started may take a while until its first request creates the series.
_NOTHING_MATCHES_FOR = Duration.parse("15m")


def no_data_alerts(slo: ServiceLevelObjective, settings: Settings) -> tuple[AlertingRule, ...]:
    """Critical when no target is up; a warning when targets are up but nothing is counted. Idle is no alert."""
    up = Raw(settings).target(slo.indicator.total, "up")
    targets_up = Aggregation("count", up.equals(1))
    return (
        AlertingRule(
            ALERT,
            unless_excluded(slo, targets_up.or_(Call("vector", (Number(0),))).equals(0), MINUTE),
            alert_labels(slo, settings, AlertSeverity.CRITICAL),
            annotations.targets_gone(slo, settings),
            for_=_TARGETS_GONE_FOR,
        ),
        AlertingRule(
            ALERT,
            unless_excluded(slo, targets_up.unless(_counted(slo), on=()), MINUTE),
            alert_labels(slo, settings, AlertSeverity.WARNING),
            annotations.nothing_matches(slo, settings),
            for_=_NOTHING_MATCHES_FOR,
        ),
    )


def _counted(slo: ServiceLevelObjective) -> Expr:
    """There is an entry of events and one of bad events (which latency lacks when its bucket doesn't exist)."""
    ledger = Ledger.of(slo)
    return ledger.series(series.EVENTS_ENTRY).and_(ledger.series(series.BAD_EVENTS_ENTRY))
