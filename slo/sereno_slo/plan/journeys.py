"""The entries of a journey: users that pass through several SLOs, all of which must hold (docs/journeys.md).

They read what the steps have recorded, a minute late: rule groups of different files are evaluated at once, each at a
second of the minute of its own, and a minute later the steps' entries are there whatever these seconds are. Between
two evaluations lies exactly one entry of a step, so that none is lost or counted twice.
"""

from dataclasses import replace
from functools import reduce

from sereno_slo.conventions import MIN_STEP_EVENTS
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.model import AlertSeverity, Journey, Settings, SloReference
from sereno_slo.plan import annotations, no_data, series
from sereno_slo.plan.alert_labels import alert_labels
from sereno_slo.plan.burn import burn_alerts
from sereno_slo.plan.dependencies import ledger_of
from sereno_slo.plan.inhibition import pages_of
from sereno_slo.plan.rules import AlertingRule, RecordingRule
from sereno_slo.plan.series import SLO_LABELS, Ledger, patient
from sereno_slo.plan.windows import unless_excluded
from sereno_slo.promql import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matcher,
    MatchOp,
    Number,
    Selector,
    String,
    any_of,
)

_HOUR = Duration.parse("1h")
# A step's page ends when its shortest window has no failures. A journey reads that a minute or two late, smoothed over
# five minutes, and then has windows of its own.
_TOLD_FOR = Duration.parse("15m")
# A step that was recorded until a moment ago may have missed an evaluation.
_UNSEEN_FOR = Duration.parse("15m")


def journey_entries(journey: Journey) -> tuple[RecordingRule, ...]:
    """Events: those of the first step. Bad: the part of them that doesn't get through all steps."""
    ledger = Ledger.of(journey)
    entered = _recorded(journey.steps[0], series.EVENTS_ENTRY)
    # A step that nothing is known of makes the minute unknown, not good.
    known = (_recorded(step, f"sereno:error_ratio:{_HOUR}") for step in journey.steps)
    events = reduce(lambda found, ratio: found.and_(ratio, on=()), known, entered)
    through = reduce(_times, (1 - _failing(step) for step in journey.steps))
    own = Call("last_over_time", (ledger.series(series.EVENTS_ENTRY).over(MINUTE.just_under()),))
    return (
        ledger.record(series.EVENTS_ENTRY, events),
        ledger.record(series.BAD_EVENTS_ENTRY, _times(own, 1 - through)),
        ledger.record(series.COVERAGE_ENTRY, _coverage(journey).and_(own, on=())),
    )


def _times(left: Expr, right: Expr) -> Binary:
    return Binary("*", left, right, ignoring=SLO_LABELS)


def _recorded(step: SloReference, name: str) -> Expr:
    """What a step recorded between two minutes and one minute ago."""
    return Call("last_over_time", (ledger_of(step).series(name).over(MINUTE.just_under()).ago(MINUTE),))


def _failing(step: SloReference) -> Expr:
    """The part of a step's events that were bad: over five minutes, or an hour where these had hardly any.

    Of a single minute a step may have had none, though the journey's users come: later, or to few of its targets.
    """
    recent, events = (_recorded(step, f"sereno:{what}:{FIVE_MINUTES}") for what in ("error_ratio", "events"))
    enough = recent.and_(events >= MIN_STEP_EVENTS)
    ratio = any_of(enough, _recorded(step, f"sereno:error_ratio:{_HOUR}"))
    # Bad events of a metric of their own may be seen a scrape before the events that they belong to.
    return Call("clamp_max", (ratio, Number(1)))


def _coverage(journey: Journey) -> Expr:
    """No more was seen of the journey than of its least seen step."""
    return Aggregation("min", any_of(*(_recorded(step, series.COVERAGE_ENTRY) for step in journey.steps)))


def journey_burn_alerts(journey: Journey, settings: Settings) -> tuple[AlertingRule, ...]:
    """Those of an SLO, but not while a step pages, nor soon after: that page was about the same failures.

    Alertmanager alone can't tell: a journey's figures come minutes after those of its steps, and would page when the
    step's page has just ended.
    """
    firing = Matcher("alertstate", MatchOp.EQUAL, "firing")
    pages = (Selector("ALERTS", (firing, *pages_of(step))) for step in journey.steps)
    told = any_of(*(Call("last_over_time", (page.over(_TOLD_FOR),)) for page in pages))
    return tuple(
        replace(alert, expr=alert.expr.unless(told, on=()))
        for alert in burn_alerts(journey, settings, Ledger.of(journey))
    )


def journey_no_data_alerts(journey: Journey, settings: Settings) -> tuple[AlertingRule, ...]:
    """A ticket for each step that nothing is known of: whoever owns it is paged by its own alerts."""
    unseen = (
        Call(
            "label_replace", (Call("vector", (Number(1),)), String("step"), String(str(step)), String(""), String(""))
        ).unless(patient(ledger_of(step).series(f"sereno:error_ratio:{_HOUR}")), on=())
        for step in journey.steps
    )
    return (
        AlertingRule(
            no_data.ALERT,
            unless_excluded(journey, any_of(*unseen), MINUTE),
            alert_labels(journey, settings, AlertSeverity.WARNING),
            annotations.step_unseen(journey, settings),
            for_=_UNSEEN_FOR,
        ),
    )
