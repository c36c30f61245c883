"""What the queries of other tools count: events by one selector, or by the difference of two."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

from sereno_slo.convert.draft import DraftLatency, DraftRatio
from sereno_slo.duration import Duration
from sereno_slo.promql import Matcher, MatchOp, Selector
from sereno_slo.promql.parsing import parse
from sereno_slo.promql.reading import selector_within

# A range that nobody writes: it shows where the template's window stood.
_MARK = timedelta(seconds=4_242_424)
_TEMPLATE = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_ANY_VARIABLE = re.compile(r"\[\s*(?:\{\{[^{}]*\}\}|\$\{?[a-zA-Z_:]+\}?)\s*\]")
_COUNTING = ("rate", "increase")


@dataclass(frozen=True, slots=True)
class Counted:
    """Events of these series."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class Difference:
    """Events of these series that aren't among those."""

    all: Selector
    less: Selector


Events = Counted | Difference


@dataclass(frozen=True, slots=True)
class Quotient:
    """One number of events by another; `is_good` where it was taken from one."""

    part: Events
    total: Events
    is_good: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a query is understood. `zeros` tells that it filled gaps with `or vector(0)`."""

    events: Events
    zeros: bool = False


def read_events(query: str, *, is_bare_allowed: bool = False, is_any_window_allowed: bool = False) -> Reading:
    """What a query counts: `sum(rate(metric{…}[{{.window}}]))`, or one such sum minus another.

    With `is_bare_allowed` a counter may stand without a rate, with `is_any_window_allowed` the range may be fixed.

    Raises:
        ValueError: it counts something else; the message says what stands in the way.
    """
    reader = _Reader(query, is_bare_allowed, is_any_window_allowed)
    expr, zeros = _without_zeros(_parsed(query, is_any_window_allowed=is_any_window_allowed))
    return Reading(reader.events(expr), zeros)


def read_quotient(query: str) -> Quotient:
    """What a query divides: events by events, or one less that.

    Raises:
        ValueError: it is something else; the message says what stands in the way.
    """
    expr = _bare(_parsed(query, is_any_window_allowed=False))
    is_good = isinstance(expr, promql_parser.BinaryExpr) and str(expr.op) == "-" and _is_one(expr.lhs)
    inner = _bare(expr.rhs) if is_good else expr
    if not isinstance(inner, promql_parser.BinaryExpr) or str(inner.op) != "/" or inner.modifier is not None:
        raise ValueError("it is a ratio already, and not one count of events divided by another")
    reader = _Reader(query, is_bare_allowed=False, is_any_window_allowed=False)
    part, total = (reader.events(_without_zeros(side)[0]) for side in (inner.lhs, inner.rhs))
    return Quotient(part, total, is_good)


def read_gauge(query: str) -> Selector:
    """The selector of a gauge.

    Raises:
        ValueError: it is an expression.
    """
    expr = _bare(_parsed(query, is_any_window_allowed=True))
    if not isinstance(expr, promql_parser.VectorSelector):
        raise ValueError("it is an expression; a threshold judges a gauge by its name and labels")  # noqa: TRY004
    return selector_within(expr, query)


def indicator_of(total: Events, part: Events, *, part_is_bad: bool) -> DraftRatio | DraftLatency:
    """The indicator that counts the same events.

    Raises:
        ValueError: these counts don't make one; the message says why.
    """
    if not isinstance(total, Counted):
        raise ValueError("all events are counted by a difference; sereno/v1 counts them by one selector")  # noqa: TRY004
    if isinstance(part, Difference):
        if _of_histogram(part.all) != _of_histogram(total.selector):
            raise ValueError("events are subtracted from others than those that are counted as all")
        return indicator_of(total, Counted(part.less), part_is_bad=not part_is_bad)
    ratio = DraftRatio(total.selector, part.selector, part_is_bad)
    return ratio if part_is_bad else (_latency(ratio) or ratio)


def further_matchers(ratio: DraftRatio) -> tuple[Matcher, ...] | None:
    """What tells the part from all events, where both are of one metric; None where they aren't."""
    own, all_ = ratio.part.matchers, ratio.total.matchers
    if ratio.part.metric != ratio.total.metric or not set(all_) < set(own):
        return None
    return tuple(matcher for matcher in own if matcher not in all_)


def _parsed(query: str, *, is_any_window_allowed: bool) -> Any:
    text = _TEMPLATE.sub("4242424s", query)
    if is_any_window_allowed:
        text = _ANY_VARIABLE.sub("[4242424s]", text)
    if "{{" in text:
        raise ValueError("it has a template other than {{.window}}")
    try:
        return parse(text)
    except ValueError as error:
        said = str(error).partition("\n")[0]
        raise ValueError(f"it is not PromQL{'' if said == 'invalid promql query' else f': {said}'}") from None


def _bare(expr: Any) -> Any:
    while isinstance(expr, promql_parser.ParenExpr):
        expr = expr.expr
    return expr


def _is_one(expr: Any) -> bool:
    inner = _bare(expr)
    return isinstance(inner, promql_parser.NumberLiteral) and inner.val == 1


def _without_zeros(expr: Any) -> tuple[Any, bool]:
    """Without `or vector(0)`: the ledger counts what isn't there as none."""
    inner = _bare(expr)
    if isinstance(inner, promql_parser.BinaryExpr) and str(inner.op) == "or" and _is_zero(inner.rhs):
        return _bare(inner.lhs), True
    return inner, False


def _is_zero(expr: Any) -> bool:
    call = _bare(expr)
    if not isinstance(call, promql_parser.Call) or call.func.name != "vector" or len(call.args) != 1:
        return False
    number = _bare(call.args[0])
    return isinstance(number, promql_parser.NumberLiteral) and number.val == 0


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of one query."""

    query: str
    is_bare_allowed: bool
    is_any_window_allowed: bool

    def events(self, expr: Any) -> Events:
        """One count, or one less another."""
        inner = _bare(expr)
        if not isinstance(inner, promql_parser.BinaryExpr):
            return Counted(self._summed(inner))
        if str(inner.op) != "-" or inner.modifier is not None:
            raise ValueError(f"it joins counts by {inner.op!s}; sereno/v1 counts events by one selector")
        return Difference(self._summed(_bare(inner.lhs)), self._summed(_bare(inner.rhs)))

    def _summed(self, expr: Any) -> Selector:
        if isinstance(expr, promql_parser.AggregateExpr):
            if str(expr.op) != "sum":
                raise ValueError(f"it counts by {expr.op!s}; events are summed")
            if expr.modifier is not None:
                raise ValueError("its sum keeps labels; groups are for group_by")
            return self._counter(_bare(expr.expr))
        if self.is_bare_allowed and isinstance(expr, promql_parser.VectorSelector | promql_parser.Call):
            return self._counter(expr)
        raise ValueError("it is no sum of rates of one counter")

    def _counter(self, expr: Any) -> Selector:
        if isinstance(expr, promql_parser.VectorSelector):
            if not self.is_bare_allowed:
                raise ValueError("it sums values, not growth: a rate over {{.window}} is missing")
            return selector_within(expr, self.query)
        if not isinstance(expr, promql_parser.Call) or expr.func.name not in _COUNTING:
            what = f"{expr.func.name}()" if isinstance(expr, promql_parser.Call) else "an expression"
            raise ValueError(f"it sums {what}, not the rate of one counter")
        range_ = _bare(expr.args[0])
        if not isinstance(range_, promql_parser.MatrixSelector):
            raise ValueError("its rate is of an expression, not of a counter")  # noqa: TRY004
        if range_.range != _MARK and not self.is_any_window_allowed:
            raise ValueError("its range is fixed; {{.window}} would follow the windows of alerts")
        return selector_within(range_.vector_selector, self.query)


_ALL = Matcher("le", MatchOp.EQUAL, "+Inf")


def _of_histogram(selector: Selector) -> tuple[str, frozenset[Matcher]]:
    """A selector to compare: the last bucket of a histogram holds as many events as its `_count`."""
    metric, matchers = selector.metric, frozenset(selector.matchers)
    if metric.endswith("_bucket") and _ALL in matchers:
        return f"{metric.removesuffix('_bucket')}_count", matchers - {_ALL}
    return metric, matchers


def _latency(ratio: DraftRatio) -> DraftLatency | None:
    """The events that are in one bucket, of all of a histogram in seconds; None where the ratio is another one."""
    metric, matchers = _of_histogram(ratio.total)
    histogram = metric.removesuffix("_count")
    bounds = [matcher for matcher in ratio.part.matchers if matcher.label == "le"]
    rest = frozenset(ratio.part.matchers) - set(bounds)
    is_fast = ratio.part.metric == f"{histogram}_bucket" and rest == matchers and len(bounds) == 1
    # Of other units a duration would be the wrong word.
    if metric == histogram or not is_fast or not histogram.endswith("_seconds"):
        return None
    threshold = _seconds(bounds[0])
    kept = tuple(matcher for matcher in ratio.total.matchers if matcher != _ALL)
    return DraftLatency(histogram, kept, threshold) if threshold else None


def _seconds(bound: Matcher) -> Duration | None:
    """The bound as a duration, if the compiler writes that duration as this very bound."""
    if bound.op is not MatchOp.EQUAL or not re.fullmatch(r"[0-9]+(\.[0-9]{1,3})?", bound.value):
        return None
    milliseconds = round(float(bound.value) * 1000)
    written = f"{milliseconds / 1000:.15g}"
    is_same = bound.value in {written, f"{written}.0"}
    return Duration(milliseconds) if milliseconds and is_same else None
