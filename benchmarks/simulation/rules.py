"""Rule files as Prometheus loads them, and an order in which whole histories of their rules can be computed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import promql_parser
import yaml
from sereno_slo.duration import Duration

_GROUP_KEYS = {"name", "interval", "rules"}


class RuleFileError(Exception):
    """A rule file can't be simulated; the message says why."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """`record: expr`, with labels that the result gets."""

    record: str
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """`alert: expr`. `evaluate` leaves these alone; `results` gives their expressions' answers over time."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    for_ms: int
    keep_firing_for_ms: int


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other at the same time, every `interval_ms`."""

    name: str
    interval_ms: int
    rules: tuple[RecordingRule | AlertingRule, ...]

    @property
    def recording(self) -> tuple[RecordingRule, ...]:
        """The rules that record."""
        return tuple(rule for rule in self.rules if isinstance(rule, RecordingRule))


@dataclass(frozen=True, slots=True)
class Step:
    """One recording rule, with the group that says when it is evaluated."""

    group: RuleGroup
    rule: RecordingRule
    reads_itself: bool = False
    """What it has recorded before decides what it records: its history is made one instant after the other."""


def read_rule_groups(text: str, default_interval: str = "1m") -> tuple[RuleGroup, ...]:
    """The groups of a rule file's text; `default_interval` is that of groups that name none.

    Raises:
        RuleFileError: a group has a setting that this simulation doesn't know (it would be ignored in silence).
    """
    groups = []
    for group in yaml.safe_load(text)["groups"]:
        if unknown := set(group) - _GROUP_KEYS:
            raise RuleFileError(f"group {group['name']} has {', '.join(sorted(unknown))}, which is not simulated")
        rules = tuple(_rule(rule) for rule in group["rules"])
        groups.append(RuleGroup(group["name"], milliseconds(group.get("interval", default_interval)), rules))
    return tuple(groups)


def milliseconds(duration: str) -> int:
    """`1m` as milliseconds."""
    return 0 if duration in ("0", "0s") else Duration.parse(duration).milliseconds


def _rule(rule: Mapping[str, Any]) -> RecordingRule | AlertingRule:
    labels = rule.get("labels", {})
    if "record" in rule:
        return RecordingRule(rule["record"], rule["expr"], labels)
    waits = (milliseconds(str(rule[key])) if key in rule else 0 for key in ("for", "keep_firing_for"))
    return AlertingRule(rule["alert"], rule["expr"], labels, *waits)


def evaluation_order(groups: Sequence[RuleGroup], wanted: Collection[str] | None = None) -> tuple[Step, ...]:
    """All recording rules, each after everything that it reads; otherwise the order of the file.

    With `wanted` only the rules that record these names, and what they read in turn.

    Evaluating one rule over all time and then the next gives what Prometheus' rule manager gives as long as nobody
    reads what isn't recorded yet at the same instant.

    Raises:
        RuleFileError: rules read each other in a circle, or a rule reads, at the very instant, what a later rule of
            its group records: the manager would give it the value of the evaluation before.
    """
    rules = [Step(group, rule) for group in groups for rule in group.recording]
    reads = [_reads(step, rules) for step in rules]
    steps = [replace(step, reads_itself=index in reads[index]) for index, step in enumerate(rules)]
    ordered: list[int] = []
    state: dict[int, bool] = {}  # False while what it reads is being ordered

    def visit(index: int) -> None:
        if state.get(index) is False:
            raise RuleFileError(f"{steps[index].rule.record} reads itself through other rules")
        if index in state:
            return
        state[index] = False
        for other in reads[index]:
            if other != index:
                visit(other)
        state[index] = True
        ordered.append(index)

    for index, step in enumerate(steps):
        if wanted is None or step.rule.record in wanted:
            visit(index)
    return tuple(steps[index] for index in ordered)


def _reads(step: Step, steps: Sequence[Step]) -> list[int]:
    """The rules whose results `step` reads."""
    selectors = list(selectors_of(promql_parser.parse(step.rule.expr)))
    own_place = steps.index(step)
    found = []
    for index, other in enumerate(steps):
        meeting = [offset for selector, offset in selectors if _meets(selector, other.rule)]
        if not meeting:
            continue
        if other.group == step.group and index > own_place and min(meeting) < timedelta(milliseconds=1):
            raise RuleFileError(
                f"{step.rule.record} reads {other.rule.record} of the same instant, which its group records later"
            )
        found.append(index)
    return found


def selectors_of(expr: Any, offset: timedelta = timedelta()) -> Iterator[tuple[Any, timedelta]]:
    """Every vector selector of a parsed expression, with how far back it looks at least."""
    match expr:
        case promql_parser.VectorSelector():
            yield expr, offset + (expr.offset or timedelta())
        case promql_parser.MatrixSelector():
            yield from selectors_of(expr.vector_selector, offset)
        case promql_parser.SubqueryExpr():
            yield from selectors_of(expr.expr, offset + (expr.offset or timedelta()))
        case promql_parser.Call():
            for argument in expr.args:
                yield from selectors_of(argument, offset)
        case promql_parser.BinaryExpr():
            yield from selectors_of(expr.lhs, offset)
            yield from selectors_of(expr.rhs, offset)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from selectors_of(expr.expr, offset)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            pass
        case _:
            raise RuleFileError(f"an expression of kind {type(expr).__name__} is not simulated")


def _meets(selector: Any, rule: RecordingRule) -> bool:
    """Could the selector select what the rule records?"""
    matchers = selector.matchers.matchers
    labels = {**rule.labels, "__name__": rule.record}
    wanted = [(m.name, m.value) for m in matchers if m.op == promql_parser.MatchOp.Equal]
    if selector.name:
        wanted.append(("__name__", selector.name))
    return all(labels[name] == value for name, value in wanted if name in labels)
