"""What a ruler has and what it should have, group by group and rule by rule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sereno_slo.duration import Duration
from sereno_slo.pushing.groups import Group, Namespaces, is_ours


class ChangeKind(StrEnum):
    """What happens to a group."""

    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One group that isn't as it should be."""

    kind: ChangeKind
    namespace: str
    name: str
    group: Group
    """As it should be; of a removed one, as it is."""
    rules: tuple[str, ...] = ()
    """Of a changed one, its rules that differ, a line each: `~ alert SLONoData{severity="critical"}: expr`."""


@dataclass(frozen=True, slots=True)
class Differences:
    """All of one tenant."""

    changes: tuple[Change, ...]
    """In the order in which they are to be made."""
    unchanged: int
    """So many groups are as they should be."""
    without_spec: tuple[Change, ...]
    """Groups of Sereno's whose services the specs don't describe: removed only when that is asked for."""


def differences(
    wanted: Namespaces,
    present: Namespaces,
    prefix: str,
    *,
    prunes: bool,
    elsewhere: frozenset[str] = frozenset(),
) -> Differences:
    """What has to change so that the ruler has the wanted groups, and no other ones of those services.

    Groups that Sereno didn't make (`is_ours`) are never removed. With `prunes`, those of other services are, but
    for the services `elsewhere`: another repository pushes them.
    """
    changes: list[Change] = []
    unchanged = 0
    for namespace, groups in wanted.items():
        there = {group["name"]: group for group in present.get(namespace, ())}
        for group in groups:
            change = _change(namespace, group, there.get(group["name"]))
            changes += [change] if change else []
            unchanged += change is None
    names = {namespace: {group["name"] for group in groups} for namespace, groups in wanted.items()}
    theirs = {f"{prefix}-{service}" for service in elsewhere}
    superfluous = [
        Change(ChangeKind.REMOVED, namespace, group["name"], group)
        for namespace, groups in sorted(present.items())
        if namespace not in theirs
        for group in groups
        if group["name"] not in names.get(namespace, ()) and is_ours(group, namespace, prefix)
    ]
    removed = [change for change in superfluous if prunes or change.namespace in wanted]
    kept = tuple(change for change in superfluous if change not in removed)
    # What is added and changed comes first: an objective that was renamed is never without rules.
    return Differences((*changes, *removed), unchanged, kept)


def _change(namespace: str, wanted: Group, present: Group | None) -> Change | None:
    if present is None:
        return Change(ChangeKind.ADDED, namespace, wanted["name"], wanted)
    if _canonical(wanted) == _canonical(present):
        return None
    return Change(ChangeKind.CHANGED, namespace, wanted["name"], wanted, tuple(_rule_lines(wanted, present)))


# Rulers write durations in their own way (60s for 1m), and fill in what was left out.
_DURATIONS = ("interval", "for", "keep_firing_for", "query_offset", "evaluation_delay")


def _canonical(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without spelling: what is empty or zero is as if it weren't there, durations are milliseconds."""
    plain = {key: _plain(key, value) for key, value in fields.items()}
    return {key: value for key, value in plain.items() if value}


def _plain(key: str, value: Any) -> Any:
    if key == "rules":
        return [_canonical(rule) for rule in value or []]
    if key in _DURATIONS and isinstance(value, str):
        try:
            return Duration.parse(value).milliseconds
        except ValueError:  # no time at all
            return value if value.strip("0smhdwy") else 0
    return value.strip() if key == "expr" and isinstance(value, str) else value


def _rule_lines(wanted: Group, present: Group) -> Iterator[str]:
    new, old = _by_identity(wanted), _by_identity(present)
    for key, rule in new.items():
        if key not in old:
            yield f"+ {key}"
        elif fields := _differing(rule, old[key]):
            yield f"~ {key}: {', '.join(fields)}"
    yield from (f"- {key}" for key in old if key not in new)
    if [key for key in new if key in old] != [key for key in old if key in new]:
        yield "~ the order of its rules"
    without_rules = [{name: value for name, value in group.items() if name != "rules"} for group in (wanted, present)]
    if fields := _differing(*without_rules):
        yield f"~ {', '.join(fields)} of the group"


def _by_identity(group: Group) -> dict[str, Mapping[str, Any]]:
    """The rules by kind, name and labels; a second one of the same identity is numbered."""
    found: dict[str, Mapping[str, Any]] = {}
    for rule in group.get("rules") or []:
        identity = _identity(rule)
        number = 1 + sum(key == identity or key.startswith(f"{identity} #") for key in found)
        found[identity if number == 1 else f"{identity} #{number}"] = rule
    return found


# All rules of a service say these; they tell none apart.
_SAID_BY_THE_GROUP = ("service", "slo", "owner")


def _identity(rule: Mapping[str, Any]) -> str:
    kind = "alert" if "alert" in rule else "record"
    labels = sorted((rule.get("labels") or {}).items())
    told = ",".join(f'{name}="{value}"' for name, value in labels if name not in _SAID_BY_THE_GROUP)
    return f"{kind} {rule.get(kind, '')}" + (f"{{{told}}}" if told else "")


def _differing(new: Mapping[str, Any], old: Mapping[str, Any]) -> Sequence[str]:
    new, old = _canonical(new), _canonical(old)
    return [field for field in dict.fromkeys((*new, *old)) if new.get(field) != old.get(field)]
