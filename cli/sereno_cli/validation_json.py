"""What `sereno validate --format json` prints; docs/spec.md lists the keys, which are a promise to scripts."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Diagnostic
    from sereno_slo.history import Judgement
    from sereno_slo.model import Service
    from sereno_slo.validate.feasibility import AlertReach, Reach
    from sereno_slo.validate.traffic import Traffic


def as_json(
    services: "Sequence[Service]",
    diagnostics: "Sequence[Diagnostic]",
    judgements: "Sequence[Judgement] | None" = None,
    questions: int = 0,
) -> str:
    """One document; without judgements nobody asked a server, and `server` is null."""
    from sereno_slo import has_errors

    document = {
        "valid": not has_errors(diagnostics),
        "services": len(services),
        "slos": sum(len(service.objectives) for service in services),
        "diagnostics": [diagnostic_json(diagnostic) for diagnostic in diagnostics],
        "server": None if judgements is None else {"questions": questions, "slos": [*map(_slo, judgements)]},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def diagnostic_json(diagnostic: "Diagnostic") -> dict[str, Any]:
    """One mistake; line and column count from 1."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "path": span.path,
        "line": max(span.line, 1),
        "column": max(span.column, 1),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }


def _slo(judgement: "Judgement") -> dict[str, Any]:
    slo, feasible = judgement.slo, judgement.feasibility
    return {
        "service": slo.service,
        "slo": slo.name,
        "objective_percent": slo.objective_percent,
        "window_seconds": slo.window.seconds,
        "mode": str(slo.alerting.mode),
        "traffic": None if feasible is None else _traffic(feasible.traffic) | _origin(judgement),
        "alerts": [] if feasible is None else [*map(_alert, feasible.alerts)],
        "first_page_minutes": None
        if feasible is None
        else {"day": feasible.page_by_day, "night": feasible.page_by_night},
        "series": _series(judgement),
    }


def _traffic(traffic: "Traffic") -> dict[str, Any]:
    return {
        "usual_per_hour": traffic.usual * 12,
        "by_hour_utc": list(traffic.by_hour),
        "day_utc": traffic.day,
        "night_utc": traffic.night,
        "hours_seen": traffic.hours_seen,
    }


def _origin(judgement: "Judgement") -> dict[str, Any]:
    return {"counted_by_ledger": judgement.sighting.is_from_ledger}


def _alert(alert: "AlertReach") -> dict[str, Any]:
    return {
        "severity": str(alert.severity),
        "long_seconds": None if alert.tier is None else alert.tier.long.seconds,
        "short_seconds": None if alert.tier is None else alert.tier.short.seconds,
        "day": _reach(alert.by_day),
        "night": _reach(alert.by_night),
    }


def _reach(reach: "Reach") -> dict[str, Any]:
    return {
        "can_fire": reach.is_possible,
        "failures": reach.failures,
        "events": reach.events,
        "window_seconds": reach.window.seconds,
        "full_outage_minutes": reach.outage_minutes,
    }


def _series(judgement: "Judgement") -> dict[str, Any]:
    survey = judgement.survey
    kept = None if survey.reach is None else survey.reach.kept
    return {
        "total": survey.total.series,
        "part": None if survey.part is None else survey.part.series,
        "targets": None if survey.targets is None else survey.targets.targets,
        "groups": None if survey.groups is None else survey.groups.groups,
        "days_of_the_window": None if survey.reach is None else survey.reach.days,
        "kept_seconds": None if kept is None else kept.seconds,
    }
