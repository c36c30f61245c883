"""A comparison as JSON: keys are a promise (docs/shadow.md), units are in their names."""

import math
from collections.abc import Sequence
from typing import Any

from sereno_slo.backtest.documents import moment
from sereno_slo.shadow.conditions import Condition
from sereno_slo.shadow.reporting import Difference, Report, Told

Document = dict[str, Any]


def as_document(reports: Sequence[Report]) -> Document:
    """All of them."""
    return {"version": 1, "slos": [_report(each) for each in reports]}


def _report(one: Report) -> Document:
    return {
        "service": one.slo.service,
        "slo": one.slo.name,
        "rules": one.rival,
        "from": moment(one.begin_ms),
        "to": moment(one.end_ms),
        "ledger_minutes": one.ledger_minutes,
        "minutes": (one.end_ms - one.begin_ms) // 60_000,
        "told_by_sereno": one.ours,
        "told_by_theirs": one.theirs,
        "both": [{"sereno": _told(ours), "theirs": _told(theirs)} for ours, theirs in one.pairs],
        "differences": [_difference(each) for each in one.differences],
    }


def _told(told: Told) -> Document:
    return {"kind": str(told.kind), "from": moment(told.begin_ms), "to": moment(told.end_ms)}


def _difference(one: Difference) -> Document:
    return {
        "only": "sereno" if one.is_ours else "theirs",
        **_told(one.told),
        "other_kind_told": one.other_kind,
        "events": one.figures.events,
        "bad_events": one.figures.bad_events,
        "error_ratio": one.figures.error_ratio,
        "budget_spent_ratio": one.figures.budget_spent_ratio,
        "not_met": [
            {"rule": rule, "conditions": [_condition(condition) for condition in conditions]}
            for rule, conditions in one.reasons.items()
        ],
    }


def _condition(condition: Condition) -> Document:
    return {
        "what": condition.what,
        "value": None if math.isnan(condition.value) else condition.value,
        "operator": condition.operator,
        "needed": None if math.isnan(condition.needed) else condition.needed,
    }
