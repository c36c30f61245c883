"""Nobody calls any more: a dead load balancer or a lost route burns no budget, because nothing happens.

Traffic is compared with the same hour of the last three weeks: with their median, so that neither an outage nor a
campaign of last week is what is usual, and in each week with the quietest of three moments an hour apart, so that
opening times which move (daylight saving time) are no drop. Where yesterday had less than that, even in the busiest
of its three moments, yesterday is what is usual: traffic that moved away pages for a day at most, not for weeks.
"""

from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity, ServiceLevelObjective, Settings
from sereno_slo.plan import annotations, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.rules import AlertingRule, RecordingRule
from sereno_slo.plan.series import Ledger, patient, side_by_side
from sereno_slo.plan.windows import unless_excluded
from sereno_slo.promql import Aggregation, Call, Expr, Number, Selector, all_of, any_of

ALERT = "SLOTrafficDrop"

WINDOWS = tuple(map(Duration.parse, ("5m", "1h")))
"""Busy services are judged by five minutes, quiet ones by an hour."""
MOST_LEFT_RATIO = 0.05
"""Less than this part of what is usual is a drop: holidays, nights that move and traffic that is split leave more."""
LEAST_USUAL_EVENTS = 30
"""Where fewer events are usual, silence is no evidence: by chance none of 30 come in one of 10^13 windows."""

# What is entered so long after an exclusion may still be left out with it.
NOT_YET_BACK = Duration.parse("3m")
_HOUR = Duration.parse("1h")
_DAY = Duration.parse("1d")
_WEEK = Duration.parse("7d")
_WEEKS = 3
_FOR = Duration.parse("5m")


def usual_traffic(slo: ServiceLevelObjective, ledger: Ledger) -> tuple[RecordingRule, ...]:
    """What the same hour of past weeks had, over each of the windows; every five minutes."""
    if slo.alerting.traffic_drop is None:
        return ()
    return tuple(ledger.record(same_hour(window), _same_hour(ledger, window)) for window in WINDOWS)


def same_hour(window: Duration) -> str:
    """The name of the series that holds a window's usual events."""
    return f"{series.SAME_HOUR}{window}"


def _same_hour(ledger: Ledger, window: Duration) -> Expr:
    events = ledger.series(f"sereno:events:{window}")
    weeks = {str(week): _of_moments("min", events, _WEEK * week) for week in range(1, _WEEKS + 1)}
    usual = Call("quantile", (Number(0.5), side_by_side(weeks, "week")))
    return Aggregation("min", side_by_side({"weeks": usual, "yesterday": _of_moments("max", events, _DAY)}, "of"))


def _of_moments(operator: str, events: Selector, ago: Duration) -> Expr:
    """The quietest or the busiest of three moments an hour apart."""
    moments = {"before": events.ago(ago + _HOUR), "then": events.ago(ago), "after": events.ago(ago - _HOUR)}
    return Aggregation(operator, side_by_side(moments, "moment"))


def traffic_alerts(slo: ServiceLevelObjective, settings: Settings) -> tuple[AlertingRule, ...]:
    """One alert, where the spec or the service's tier asks for it; its value is the part of the traffic left."""
    severity = slo.alerting.traffic_drop
    if severity is None:
        return ()
    ledger = Ledger.of(slo)
    return (
        AlertingRule(
            ALERT,
            any_of(*(unless_excluded(slo, _dropped(ledger, window), window + NOT_YET_BACK) for window in WINDOWS)),
            alert_labels(slo, settings, AlertSeverity(severity)),
            annotations.traffic_drop(slo, settings),
            for_=_FOR,
        ),
    )


def _dropped(ledger: Ledger, window: Duration) -> Expr:
    events, usual = ledger.events(window), patient(ledger.series(same_hour(window)))
    return all_of(events / (usual >= LEAST_USUAL_EVENTS), events < MOST_LEFT_RATIO * usual)
