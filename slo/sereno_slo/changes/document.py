"""A plan for scripts: docs/plan.md lists the keys."""

import json
from dataclasses import asdict
from typing import Any

from sereno_slo.changes.comparing import Comparison, SloChange, Version
from sereno_slo.changes.cost import Linear, SeriesCounts
from sereno_slo.changes.rules import RuleChange, Status
from sereno_slo.changes.wording import SettingChange


def as_json(comparison: Comparison, against: str) -> str:
    """One document."""
    document = {
        "against": against,
        "added": comparison.count(Status.ADDED),
        "removed": comparison.count(Status.REMOVED),
        "changed": comparison.count(Status.CHANGED),
        "unchanged": comparison.unchanged,
        "settings": [_setting(change) for change in comparison.defaults],
        "gates": [
            {"service": change.key, "before": change.before, "after": change.after} for change in comparison.gates
        ],
        "inhibitions": [
            {"status": str(each.status), "paging": str(each.paging), "silenced": str(each.silenced)}
            for each in comparison.inhibitions
        ],
        "slos": [_slo(change) for change in comparison.changes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _slo(change: SloChange) -> dict[str, Any]:
    return {
        "slo": change.name,
        "kind": "journey" if change.is_journey else "slo",
        "status": str(change.status),
        "settings": [_setting(setting) for setting in change.settings],
        "rules": [_rule(rule) for rule in change.rules],
        "before": _version(change.before),
        "after": _version(change.after),
        "past": list(change.notes),
    }


def _setting(change: SettingChange) -> dict[str, str]:
    return {"key": change.key, "before": change.before, "after": change.after}


def _rule(rule: RuleChange) -> dict[str, Any]:
    return {
        "status": str(rule.status),
        "kind": "alert" if rule.is_alert else "record",
        "name": rule.name,
        "labels": dict(rule.labels),
        "changed": list(rule.parts),
    }


def _linear(linear: Linear, counts: SeriesCounts | None) -> dict[str, float]:
    """The coefficients, and the number where series were counted."""
    numbers: dict[str, float] = asdict(linear) | ({} if counts is None else {"total": linear.at(counts)})
    return {name: round(number, 3) for name, number in numbers.items()}


def _version(version: Version | None) -> dict[str, Any] | None:
    if version is None:
        return None
    costs = (
        ("samples_read_per_minute", version.cost.read),
        ("samples_written_per_minute", version.cost.written),
        ("recorded_series", version.cost.recorded),
    )
    counts, consequences = version.counts, version.consequences
    return {
        **{name: _linear(linear, counts) for name, linear in costs},
        "raw_series": None if counts is None else asdict(counts),
        "consequences": None if consequences is None else asdict(consequences),
    }
