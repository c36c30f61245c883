"""Which alerts the real rules give over hours: recorded by a real Prometheus, with `for` and `keep_firing_for`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import promql_parser
from numpy.typing import NDArray

from benchmarks.simulation import AlertingRule, Plan, RuleGroup, Server, evaluate, evaluation_runs, read_rule_groups
from benchmarks.simulation import results as answers
from benchmarks.simulation.rules import selectors_of

_LABEL = re.compile(r"\{\{\s*\$labels\.(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert from its first to its last moment; milliseconds since 1970."""

    labels: Mapping[str, str]
    """With `alertname`."""
    since: int
    until: int
    """The first evaluation that no longer has it; the end of the simulated time where it still fires."""


def read_rules(files: Iterable[Path]) -> tuple[RuleGroup, ...]:
    """All groups of rule files, as Prometheus loads them."""
    return tuple(group for file in files for group in read_rule_groups(file.read_text(encoding="utf-8")))


def scraped_names(groups: Iterable[RuleGroup]) -> frozenset[str]:
    """The metrics that rules read and none of them records."""
    rules = [rule for group in groups for rule in group.rules]
    recorded = {rule.record for rule in rules if not isinstance(rule, AlertingRule)}
    read = {
        name
        for rule in rules
        for selector, _ in selectors_of(promql_parser.parse(rule.expr))
        for name in _names(selector)
    }
    return frozenset(read - recorded - {"ALERTS", "ALERTS_FOR_STATE"})


def _names(selector: Any) -> Iterator[str]:
    if selector.name:
        yield selector.name
        return
    for matcher in selector.matchers.matchers:
        if matcher.name == "__name__" and re.fullmatch(r"[\w:|()]+", matcher.value):
            yield from re.split(r"\|", matcher.value.strip("()"))


def judge(server: Server, groups: Sequence[RuleGroup], plan: Plan) -> tuple[Firing, ...]:
    """Evaluate everything that the alerts read, then the alerts; each time that one fired, in order of time.

    Raises:
        EvaluationError, RuleFileError, ServerError: see `benchmarks.simulation.evaluate`.
    """
    alerts = [(group, rule) for group in groups for rule in group.rules if isinstance(rule, AlertingRule)]
    wanted = {
        selector.name
        for _, rule in alerts
        for selector, _ in selectors_of(promql_parser.parse(rule.expr))
        if selector.name
    }
    evaluate(server, groups, Plan(plan.during, plan.phases, plan.down, plan.strides, wanted))
    found = [firing for group, rule in alerts for firing in _firings(server, group, rule, plan)]
    return tuple(sorted(found, key=lambda one: (one.since, sorted(one.labels.items()))))


def _firings(server: Server, group: RuleGroup, rule: AlertingRule, plan: Plan) -> Iterator[Firing]:
    for run in evaluation_runs(group, plan):
        for labels, (times_ms, _) in answers(server, rule.expr, run).items():
            for since, until in _spans(times_ms, run.step, rule):
                yield Firing(_labelled(dict(labels), rule), since, min(until, plan.during.end))


def _spans(times_ms: NDArray[np.int64], step: int, rule: AlertingRule) -> Iterator[tuple[int, int]]:
    """From firing to its end, for each stretch in which every evaluation has it, as long as `for` says."""
    breaks = np.flatnonzero(np.diff(times_ms) > step + max(0, rule.keep_firing_for_ms)) + 1
    for stretch in np.split(times_ms, breaks):
        since = int(stretch[0]) + rule.for_ms
        if since <= int(stretch[-1]):
            yield since, int(stretch[-1]) + step + rule.keep_firing_for_ms


def _labelled(labels: dict[str, str], rule: AlertingRule) -> Mapping[str, str]:
    labels.pop("__name__", None)
    own = {name: _LABEL.sub(lambda match: labels.get(match[1], ""), text) for name, text in rule.labels.items()}
    return {**labels, **own, "alertname": rule.alert}
