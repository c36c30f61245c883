"""The samples that an expression reads, counted without an engine: series that match, times samples in the range."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from benchmarks.cost.rulesets import CountingError, reads


@dataclass(frozen=True, slots=True)
class Known:
    """A series that exists, with a sample every `interval_ms`."""

    labels: Mapping[str, str]
    interval_ms: int


def counted_samples(expr: str, series: Iterable[Known]) -> int:
    """How many samples an instant query reads if all series have samples for as long as it looks back.

    The engine counts alike: each sample in a range selector's range, and one for each series of an instant selector
    (Prometheus, `docs/querying/api.md`, `totalQueryableSamples`).

    Raises:
        CountingError: the expression holds a subquery, whose steps the engine counts by rules of its own.
    """
    if _has_subquery(expr):
        raise CountingError(f"subqueries are measured, not counted: {expr}")
    known = tuple(series)
    total = 0
    for read in reads(expr):
        for one in known:
            if matches(read.selector, one.labels):
                total += 1 if read.range_ms is None else read.range_ms // one.interval_ms
    return total


def matches(selector: Any, labels: Mapping[str, str]) -> bool:
    """Would this vector selector select a series with these labels?"""
    if selector.name and labels.get("__name__") != selector.name:
        return False
    return all(_satisfies(matcher, labels.get(matcher.name, "")) for matcher in selector.matchers.matchers)


def _satisfies(matcher: Any, value: str) -> bool:
    if matcher.op == promql_parser.MatchOp.Equal:
        return bool(value == matcher.value)
    if matcher.op == promql_parser.MatchOp.NotEqual:
        return bool(value != matcher.value)
    found = re.fullmatch(matcher.value, value) is not None
    return found if matcher.op == promql_parser.MatchOp.Re else not found


def _has_subquery(expr: str) -> bool:
    # Printed by the parser, a subquery is the only thing with a colon between brackets.
    return re.search(r"\[[^\]\"]*:[^\]\"]*\]", re.sub(r'"(?:[^"\\]|\\.)*"', '""', expr)) is not None
