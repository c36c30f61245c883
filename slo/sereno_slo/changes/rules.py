"""Which rules two plans differ in: by what they record or alert, and by the meaning of their expressions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Status(StrEnum):
    """What became of something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that isn't what it was."""

    status: Status
    name: str
    """What it records, or its alert's name."""
    labels: Mapping[str, str]
    """What tells it from the SLO's other rules of this name."""
    is_alert: bool
    parts: tuple[str, ...] = ()
    """What changed: expression, interval, for, keep_firing_for, labels, annotations."""

    def __str__(self) -> str:
        """`SLOErrorBudgetBurn{burn="fast", severity="critical"}`."""
        labels = ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items()))
        return f"{self.name}{{{labels}}}" if labels else self.name


@dataclass(frozen=True, slots=True)
class _Placed:
    rule: RecordingRule | AlertingRule
    interval: str


def changed_rules(old: Iterable[RuleGroup], new: Iterable[RuleGroup]) -> tuple[RuleChange, ...]:
    """Added, removed and changed rules of one SLO, in the order of its groups; expressions are compared as trees."""
    before, after = _by_key(old), _by_key(new)
    changes = []
    for key in dict.fromkeys((*after, *before)):
        was, is_now = before.get(key), after.get(key)
        if was is None and is_now is not None:
            changes.append(_change(Status.ADDED, key, is_now))
        elif was is not None and is_now is None:
            changes.append(_change(Status.REMOVED, key, was))
        elif was is not None and is_now is not None and (parts := _parts(was, is_now)):
            changes.append(_change(Status.CHANGED, key, is_now, parts))
    return tuple(changes)


def _change(status: Status, key: Key, placed: _Placed, parts: tuple[str, ...] = ()) -> RuleChange:
    _, name, labels = key
    return RuleChange(status, name, dict(labels), isinstance(placed.rule, AlertingRule), parts)


def _by_key(groups: Iterable[RuleGroup]) -> dict[Key, _Placed]:
    placed: dict[Key, _Placed] = {}
    for group in groups:
        for rule in group.rules:
            key = _key(rule)
            # Rules that nothing else tells apart are told apart by their place.
            while key in placed:
                key = (key[0], key[1], (*key[2], ("again", str(len(placed)))))
            placed[key] = _Placed(rule, str(group.interval))
    return placed


# What names a rule beside its name. Owners, and whom an alert of this kind tells, may change: it is the same rule.
_NAMING = {"burn", "long_window", "grouped_by", "after"}


def _key(rule: RecordingRule | AlertingRule) -> Key:
    if isinstance(rule, RecordingRule):
        return ("record", rule.record, _named(rule.labels, _NAMING))
    severity = rule.labels.get("shadow", rule.labels.get("severity", ""))
    return ("alert", rule.alert, (*_named(rule.labels, _NAMING), ("severity", severity)))


def _named(labels: Mapping[str, str], names: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in labels.items() if name in names)


def _parts(was: _Placed, now: _Placed) -> tuple[str, ...]:
    parts = {
        "expression": was.rule.expr != now.rule.expr,
        "interval": was.interval != now.interval,
        "labels": dict(was.rule.labels) != dict(now.rule.labels),
    }
    if isinstance(was.rule, AlertingRule) and isinstance(now.rule, AlertingRule):
        parts |= {
            "for": was.rule.for_ != now.rule.for_,
            "keep_firing_for": was.rule.keep_firing_for != now.rule.keep_firing_for,
            "annotations": dict(was.rule.annotations) != dict(now.rule.annotations),
        }
    return tuple(name for name, differs in parts.items() if differs)
