"""Runbook scaffolds: what the spec knows is filled in, what only people know has a marked place."""

from collections.abc import Sequence
from typing import Any

from sereno_slo.duration import Duration
from sereno_slo.model import (
    AlertingMode,
    AlertSeverity,
    Journey,
    Objective,
    OtherAlert,
    Service,
    ServiceLevelObjective,
    Settings,
    SloReference,
    TimeSlices,
)
from sereno_slo.plan import dependencies, series
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Expr, Matcher, MatchOp, Selector
from sereno_slo.render import queries
from sereno_slo.render.artefact import Artefact, Kind, Ownership, runbook_name
from sereno_slo.render.links import LAST_HOUR, dashboard_url, logs_url
from sereno_slo.render.markdown import render_markdown
from sereno_slo.render.words import bad_event_in_words, objective_in_words

_FIVE_MINUTES = Duration.parse("5m")
_RECENT = Duration.parse("15m")
_HOUR = Duration.parse("1h")
_WORST = 10

_MODES = {
    AlertingMode.BUDGET: "counts the budget that was really spent, whatever the error ratio of a quiet hour",
    AlertingMode.RATIO: "compares the error ratio with the burn rate, however little traffic there is",
    AlertingMode.BOTH: "goes off when either that much budget is spent or the error ratio reaches the burn rate",
}


def render_runbooks(services: Sequence[Service], settings: Settings) -> tuple[Artefact, ...]:
    """`<service>/<slo>.md` for every SLO; written once, then the team's."""
    return tuple(
        Artefact(
            Kind.RUNBOOKS, runbook_name(service.name, slo.name), _text(service, slo, settings), Ownership.SCAFFOLDED
        )
        for service in services
        for slo in service.objectives
    )


def _text(service: Service, slo: ServiceLevelObjective | Journey, settings: Settings) -> str:
    return _of_journey(service, slo, settings) if isinstance(slo, Journey) else _runbook(service, slo, settings)


def _of_journey(service: Service, journey: Journey, settings: Settings) -> str:
    ledger = Ledger.of(journey)
    return render_markdown(
        "journey.md.j2",
        source=service.source,
        slo=journey,
        objective_words=objective_in_words(journey),
        mode_words=_MODES[journey.alerting.mode],
        tiers=_tiers(journey),
        steps=_linked(journey.steps, settings),
        dashboard=dashboard_url(settings.links, journey.service),
        logs=logs_url(settings.links, journey.service, LAST_HOUR),
        ask={
            "failing_now": ledger.figure("error_ratio", _FIVE_MINUTES),
            "failing_steps": dependencies.failing_most(journey.steps, _FIVE_MINUTES)[1],
            "burn_rate": queries.burn_rate(ledger, journey, _HOUR),
            "budget_remaining": queries.budget_remaining(ledger),
            "gone_in": queries.seconds_until_spent(ledger, journey, _HOUR),
            "traffic": ledger.series(series.EVENTS_ENTRY),
            "coverage": queries.coverage(ledger),
        },
    )


def _linked(slos: Sequence[SloReference], settings: Settings) -> list[dict[str, object]]:
    """Other SLOs, each with its burn rate and its service's dashboard."""
    return [
        {"slo": slo, "burn_rate": dependencies.burn_rate(slo), "dashboard": dashboard_url(settings.links, slo.service)}
        for slo in slos
    ]


def _tiers(slo: Objective) -> list[dict[str, object]]:
    return [
        {
            "answer": "page" if tier.severity is AlertSeverity.CRITICAL else "ticket",
            "burn_rate": f"{tier.factor(slo.window):g}",
            "tier": tier,
        }
        for tier in slo.alerting.tiers
        if is_feasible(slo, tier)
    ]


def _runbook(service: Service, slo: ServiceLevelObjective, settings: Settings) -> str:
    return render_markdown(
        "runbook.md.j2",
        source=service.source,
        slo=slo,
        objective_words=objective_in_words(slo),
        bad_event_words=bad_event_in_words(slo.indicator),
        mode_words=_MODES[slo.alerting.mode],
        tiers=_tiers(slo),
        is_latency=isinstance(slo.indicator, queries.AnyLatency),
        is_sliced=isinstance(slo.indicator, TimeSlices),
        labels=breakdown_labels(slo.indicator, settings),
        slow_labels=_slow_labels(slo, settings),
        targets=settings.identity_labels,
        depends_on=_linked(slo.depends_on, settings),
        stands_on=_below(slo.stands_on, settings),
        dashboard=dashboard_url(settings.links, slo.service),
        logs=logs_url(settings.links, slo.service, LAST_HOUR),
        ask=_questions(slo, settings),
    )


def _below(causes: Sequence[OtherAlert], settings: Settings) -> list[dict[str, Any]]:
    """The alerts that an SLO stands on, each with its runbook and the question whether it fires."""
    base = settings.links.runbooks
    return [
        {
            "alert": cause.alert,
            "runbook": f"{base}/{cause.alert}.md" if base else "",
            "firing": Selector("ALERTS", (Matcher("alertname", MatchOp.EQUAL, cause.alert), *cause.matchers)),
        }
        for cause in causes
    ]


def _questions(slo: ServiceLevelObjective, settings: Settings) -> dict[str, Expr]:
    """What the diagnosis asks, by the names that the template uses."""
    ledger, indicator = Ledger.of(slo), slo.indicator
    labels = breakdown_labels(indicator, settings)
    questions = {
        "failing_now": ledger.figure("error_ratio", _FIVE_MINUTES)
        if isinstance(indicator, TimeSlices)
        else queries.bad_share(indicator, _FIVE_MINUTES),
        "burn_rate": queries.burn_rate(ledger, slo, _HOUR),
        "budget_remaining": queries.budget_remaining(ledger),
        "gone_in": queries.seconds_until_spent(ledger, slo, _HOUR),
        "failing_by_label": queries.worst(_WORST, indicator, "increase", _RECENT, labels),
        "failing_by_target": queries.worst(_WORST, indicator, "increase", _RECENT, settings.identity_labels),
        "traffic": indicator.gauge
        if isinstance(indicator, TimeSlices)
        else queries.events_counted("rate", indicator, _FIVE_MINUTES) * 60,
        "targets_down": queries.targets_down(indicator, settings),
        "coverage": queries.coverage(ledger),
    }
    started = queries.started_within(indicator, settings, _HOUR)
    if started is not None:
        questions["started"] = started
    if isinstance(indicator, queries.AnyLatency):
        questions["slowest"] = queries.slowest(_WORST, indicator, _RECENT, _slow_labels(slo, settings))
    return questions


def _slow_labels(slo: ServiceLevelObjective, settings: Settings) -> tuple[str, ...]:
    """The route of HTTP calls (a percentile for each status says little), otherwise the target."""
    labels = breakdown_labels(slo.indicator, settings)
    return labels if labels == settings.identity_labels else labels[:1]
