"""Rule files as their cost needs them: how often each rule is evaluated, and which samples it asks for."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser
import yaml
from sereno_slo.duration import Duration

from benchmarks.simulation import MINUTE, SECOND

LOOK_BACK_MS = 5 * MINUTE
"""How old a sample may be that an instant selector takes: Prometheus' own default."""
USUAL_INTERVAL = "30s"
"""For groups that don't state one: what sloth and pyrra run at, and what Prometheus' own examples configure."""

# `{{ with query "…" }}` of an annotation, as Go's templates quote it.
_TEMPLATE_QUERY = re.compile(r'query\s+"((?:[^"\\]|\\.)*)"')


class CountingError(Exception):
    """An expression can't be read for its cost; the message says which part."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording or alerting rule."""

    name: str
    """What it records, or its alert's name."""
    expr: str
    labels: Mapping[str, str]
    records: bool
    interval_ms: int
    template_queries: tuple[str, ...] = ()
    """Queries of an alert's annotations: run at each evaluation while the alert is pending or fires."""

    @property
    def evaluations_per_minute(self) -> float:
        """How often its group is evaluated."""
        return MINUTE / self.interval_ms


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one SLO, by one tool."""

    tool: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of an expression."""

    selector: Any
    """A `promql_parser.VectorSelector`."""
    range_ms: int | None
    """None: only the latest sample."""
    back_ms: int
    """How old its oldest sample may be."""


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a rule file's text."""
    rules = []
    for group in yaml.load(text, Loader=yaml.CSafeLoader)["groups"]:
        interval_ms = milliseconds(Duration.parse(group.get("interval", USUAL_INTERVAL)))
        for rule in group["rules"]:
            queries = tuple(_template_queries(rule.get("annotations", {}).values()))
            name = rule.get("record") or rule["alert"]
            rules.append(Rule(name, rule["expr"], rule.get("labels", {}), "record" in rule, interval_ms, queries))
    return tuple(rules)


def milliseconds(duration: Duration) -> int:
    """A duration in milliseconds."""
    return round(duration.seconds * SECOND)


def _template_queries(annotations: Sequence[str]) -> Iterator[str]:
    for annotation in annotations:
        for quoted in _TEMPLATE_QUERY.findall(annotation):
            yield re.sub(r"\\(.)", r"\1", quoted)


def reads(expr: str) -> tuple[Read, ...]:
    """Every selector of an expression.

    Raises:
        CountingError: the expression holds something whose reads aren't known.
    """
    return tuple(_reads(promql_parser.parse(expr), 0, None))


def look_backs(expressions: Iterable[str]) -> dict[str, int]:
    """Metric names to how far back, in milliseconds, any of the expressions looks on them."""
    found: dict[str, int] = {}
    for expr in expressions:
        for read in reads(expr):
            found[read.selector.name] = max(found.get(read.selector.name, 0), read.back_ms)
    return found


def _reads(node: Any, back_ms: int, range_ms: int | None) -> Iterator[Read]:
    match node:
        case promql_parser.VectorSelector():
            look_back = LOOK_BACK_MS if range_ms is None else range_ms
            yield Read(node, range_ms, back_ms + _ms(node.offset) + look_back)
        case promql_parser.MatrixSelector():
            yield from _reads(node.vector_selector, back_ms, _ms(node.range))
        case promql_parser.SubqueryExpr():
            yield from _reads(node.expr, back_ms + _ms(node.range) + _ms(node.offset), None)
        case promql_parser.Call():
            for argument in node.args:
                yield from _reads(argument, back_ms, None)
        case promql_parser.BinaryExpr():
            yield from _reads(node.lhs, back_ms, None)
            yield from _reads(node.rhs, back_ms, None)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from _reads(node.expr, back_ms, None)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            raise CountingError(f"an expression of kind {type(node).__name__} is not known here")


def _ms(length: timedelta | None) -> int:
    return 0 if length is None else round(length / timedelta(milliseconds=1))
