"""A backtest as JSON: keys are a promise (docs/backtest.md), units are in their names, moments are RFC 3339 in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sereno_slo.backtest.incidents import Incident, Judged
from sereno_slo.backtest.notices import Episode, Notice
from sereno_slo.backtest.replaying import USUAL, Backtest, Outcome
from sereno_slo.duration import MINUTE, Duration

Document = dict[str, Any]


def as_document(backtests: Sequence[Backtest]) -> Document:
    """All of them."""
    return {"version": 1, "slos": [_backtest(each) for each in backtests]}


def _backtest(one: Backtest) -> Document:
    slo = one.slo
    return {
        "service": slo.service,
        "slo": slo.name,
        "objective_percent": slo.objective_percent,
        "window_seconds": slo.window.seconds,
        "calendar": None if slo.calendar is None else {"unit": slo.calendar.unit, "timezone": slo.calendar.timezone},
        "exclusions": [
            {"when": each.in_words, "reason": each.reason, "author": each.author} for each in slo.exclusions
        ],
        "mode": str(slo.alerting.mode),
        "from": moment(one.begin_ms),
        "to": moment(one.end_ms),
        "history": {
            "from": _moment_or_none(one.history_begin_ms),
            "budget_whole_from": _moment_or_none(one.whole_from_ms(slo.longest_window)),
            "usual_traffic_whole_from": _moment_or_none(one.whole_from_ms(USUAL)),
            "minutes": one.minutes,
            "minutes_seen": one.minutes_seen,
            "holes": [
                {
                    "from": moment(one.entries.at_ms(hole.begin)),
                    "to": moment(one.entries.at_ms(hole.end)),
                    "cause": str(hole.cause),
                }
                for hole in one.holes
            ],
        },
        "events": one.events,
        "bad_events": one.bad_events,
        "attained_ratio": one.attained_ratio,
        "budget_remaining_ratio": one.outcome.budget_remaining_ratio,
        "lowest_budget_remaining_ratio": one.outcome.lowest_budget_remaining_ratio,
        "notices": [_notice(notice) for notice in one.outcome.notices],
        "what_if": [_outcome(outcome) for outcome in one.what_if],
        "suggested_objective_percent": one.suggestion.objective_percent,
        "worst_window_error_ratio": one.suggestion.worst_error_ratio,
        "policies": [_outcome(outcome) for outcome in one.policies],
        "incidents": [_incident(incident) for incident in one.incidents],
        "curve": {
            "point_seconds": Duration(one.curve.minutes * MINUTE.milliseconds).seconds,
            "points": [
                {
                    "from": moment(point.begin_ms),
                    "budget_remaining_ratio": point.budget_remaining_ratio,
                    "events": point.events,
                    "bad_events": point.bad_events,
                }
                for point in one.curve.points
            ],
        },
    }


def _notice(notice: Notice) -> Document:
    return {
        "kind": str(notice.kind),
        "from": moment(notice.begin_ms),
        "to": moment(notice.end_ms),
        "open": notice.is_open,
        "peak_burn_rate": notice.peak_burn_rate,
        "events": notice.events,
        "bad_events": notice.bad_events,
        "budget_spent_ratio": notice.budget_spent_ratio,
        "alerts": [_episode(episode) for episode in notice.episodes],
    }


def _episode(episode: Episode) -> Document:
    return {
        "alert": episode.alert,
        "burn": episode.burn,
        "long_window": episode.long_window,
        "from": moment(episode.begin_ms),
        "to": moment(episode.end_ms),
        "peak_burn_rate": episode.peak_burn_rate,
    }


def _outcome(outcome: Outcome) -> Document:
    return {
        "name": outcome.name,
        "objective_percent": outcome.objective_percent,
        "pages": outcome.pages,
        "tickets": outcome.tickets,
        "budget_remaining_ratio": outcome.budget_remaining_ratio,
        "lowest_budget_remaining_ratio": outcome.lowest_budget_remaining_ratio,
        "known_incidents": None if outcome.judged is None else _judged(outcome.judged),
    }


def _judged(judged: Judged) -> Document:
    return {
        "precision": judged.precision,
        "recall": judged.recall,
        "detection_median_minutes": judged.detection_median_minutes,
        "detection_worst_minutes": judged.detection_worst_minutes,
        "missed": [_incident(incident) for incident in judged.missed],
        "pages_of_no_incident": [moment(page.begin_ms) for page in judged.unmatched],
    }


def _incident(incident: Incident) -> Document:
    return {
        "from": moment(incident.begin_ms),
        "to": moment(incident.end_ms),
        "note": incident.note,
        "slo": incident.slo or None,
    }


def moment(moment_ms: int) -> str:
    """RFC 3339, in UTC."""
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment_or_none(moment_ms: int | None) -> str | None:
    return None if moment_ms is None else moment(moment_ms)
