"""The comparisons that an alerting rule is made of, each with what it compares, in numbers over time and in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sereno_slo.backtest.arrays import Array
from sereno_slo.duration import Duration
from sereno_slo.plan import AlertingRule, series
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery

_OPERATORS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left > right` and the like."""

    left: Expr
    operator: str
    right: Expr

    @property
    def words(self) -> str:
        """What is compared: `bad events in 5m`."""
        return _subject(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that didn't hold at a moment."""

    what: str
    value: float
    needed: float
    operator: str

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"{self.what} isn't recorded"
        return f"{self.what} {_number(self.value)}, needs {_OPERATORS[self.operator]} {_number(self.needed)}"


def ways(rule: AlertingRule) -> tuple[tuple[Comparison, ...], ...]:
    """Every way in which the rule can fire: comparisons that all have to hold."""
    return tuple(_ways(rule.expr))


def _ways(expr: Expr) -> Iterator[tuple[Comparison, ...]]:
    match expr:
        case Binary(operator="and", left=left, right=right):
            for first in _ways(left):
                yield from ((*first, *second) for second in _ways(right))
        case Binary(operator="or", left=left, right=right):
            yield from _ways(left)
            yield from _ways(right)
        case Binary(operator=operator, left=left, right=right) if operator in _OPERATORS:
            yield (Comparison(left, operator, right),)
        case _:
            yield ()  # a value, which is there whenever there are events


def unmet(
    found: tuple[tuple[Comparison, ...], ...], values: Mapping[Expr, Array], begin: int, end: int
) -> tuple[Condition, ...]:
    """Of the moment at which the fewest comparisons failed, those that did; by the way that came nearest.

    Empty where all of one way held at once.
    """
    best: tuple[Condition, ...] = ()
    for comparisons in found:
        failing = [_fails(comparison, values)[begin:end] for comparison in comparisons]
        counts = np.sum(failing, axis=0)
        place = begin + int(np.argmin(counts))
        nearest = tuple(
            Condition(each.words, float(values[each.left][place]), float(values[each.right][place]), each.operator)
            for each, fails in zip(comparisons, failing, strict=True)
            if fails[place - begin]
        )
        if not nearest:
            return ()
        if not best or len(nearest) < len(best):
            best = nearest
    return best


def _fails(comparison: Comparison, values: Mapping[Expr, Array]) -> Array:
    left, right = values[comparison.left], values[comparison.right]
    with np.errstate(invalid="ignore"):
        holds = {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[comparison.operator]
    return (~holds).astype(float)


def asked(found: tuple[tuple[Comparison, ...], ...]) -> Iterator[Expr]:
    """Everything whose values `unmet` reads."""
    for comparisons in found:
        for comparison in comparisons:
            yield comparison.left
            yield comparison.right


def _subject(left: Expr, right: Expr) -> str:
    if isinstance(left, Binary) and isinstance(left.left, Call) and left.left.function == "sqrt":
        return f"evidence (sqrt of the {_figure(left)} less that of those allowed)"
    if isinstance(left, Binary) and left.operator == "-":
        return f"{_figure(left)} less half of all events"
    base = " (budget at usual traffic)" if _reads(right, series.EXPECTED_EVENTS) else ""
    base = base or (" (budget of the events that came)" if not isinstance(right, Number) else "")
    return f"{_figure(left)}{base}"


def _figure(expr: Expr) -> str:
    """`bad events in 1h` for the first figure that an expression reads."""
    for selector in _selectors(expr):
        _, subject, window = selector.metric.split(":")
        over = window if selector.window is None or window != "delta1m" else _rounded(selector.window)
        return f"{subject.replace('_', ' ')} in {over}"
    return str(expr)


def _rounded(window: Duration) -> str:
    return str(Duration(window.milliseconds + 1))  # ranges of entries are written a millisecond short


def _reads(expr: Expr, metric: str) -> bool:
    return any(selector.metric == metric for selector in _selectors(expr))


def _selectors(expr: Expr) -> Iterator[Selector]:
    match expr:
        case Selector():
            yield expr
        case Call(arguments=parts):
            for part in parts:
                yield from _selectors(part)
        case Binary(left=left, right=right):
            yield from _selectors(left)
            yield from _selectors(right)
        case Aggregation(body=body) | Subquery(body=body):
            yield from _selectors(body)
        case Number() | String():
            pass


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004
