"""Expressions as frozen values. `str(expr)` is one line of PromQL; layout.py prints it over several lines.

Every binary operand that is itself binary is printed in parentheses: nobody has to know PromQL's precedence to
review a generated rule.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from typing import Any

from sereno_slo.duration import Duration


class MatchOp(StrEnum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"

    @property
    def negated(self) -> "MatchOp":
        """The operator that holds exactly where this one doesn't."""
        return _NEGATED[self]


_NEGATED = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.REGEX: MatchOp.NOT_REGEX,
    MatchOp.NOT_REGEX: MatchOp.REGEX,
}


def quoted(text: str) -> str:
    """A PromQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label, e.g. `job="api"`."""

    label: str
    op: MatchOp
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.op}{quoted(self.value)}"


class _Arithmetic:
    """Operators for every expression, so that formulas in code look like formulas on paper."""

    __slots__ = ()

    def __add__(self, other: Any) -> "Binary":
        return Binary("+", _left(self), as_expr(other))

    def __sub__(self, other: Any) -> "Binary":
        return Binary("-", _left(self), as_expr(other))

    def __mul__(self, other: Any) -> "Binary":
        return Binary("*", _left(self), as_expr(other))

    def __rmul__(self, other: float) -> "Binary":
        return Binary("*", Number(other), _left(self))

    def __rsub__(self, other: float) -> "Binary":
        return Binary("-", Number(other), _left(self))

    def __truediv__(self, other: Any) -> "Binary":
        return Binary("/", _left(self), as_expr(other))

    def modulo(self, other: Any) -> "Binary":
        """The remainder, `%`."""
        return Binary("%", _left(self), as_expr(other))

    def __gt__(self, other: Any) -> "Binary":
        return Binary(">", _left(self), as_expr(other))

    def __ge__(self, other: Any) -> "Binary":
        return Binary(">=", _left(self), as_expr(other))

    def __le__(self, other: Any) -> "Binary":
        return Binary("<=", _left(self), as_expr(other))

    def __lt__(self, other: Any) -> "Binary":
        return Binary("<", _left(self), as_expr(other))

    def equals(self, other: Any) -> "Binary":
        """`self == other` in PromQL; Python's own `==` keeps comparing values."""
        return Binary("==", _left(self), as_expr(other))

    def holds(self, operator: str, other: Any) -> "Binary":
        """1 where the comparison holds and 0 where it doesn't (`> bool`), instead of keeping those where it holds."""
        return Binary(operator, _left(self), as_expr(other), as_bool=True)

    def and_(self, other: "Expr", *, on: tuple[str, ...] | None = None) -> "Binary":
        """Keep the series of this that `other` has, too."""
        return Binary("and", _left(self), other, on=on)

    def or_(self, other: "Expr", *, ignoring: tuple[str, ...] = ()) -> "Binary":
        """Add the series of `other` that this hasn't."""
        return Binary("or", _left(self), other, ignoring=ignoring)

    def unless(self, other: "Expr", *, on: tuple[str, ...] | None = None) -> "Binary":
        """Keep the series of this that `other` hasn't."""
        return Binary("unless", _left(self), other, on=on)


@dataclass(frozen=True, slots=True)
class Selector(_Arithmetic):
    """Series by name and labels; with `window` a range, with `offset` a look into the past."""

    metric: str
    matchers: tuple[Matcher, ...] = ()
    window: Duration | None = None
    offset: Duration | None = None
    is_at_end: bool = False
    """Seen at the time of the evaluation itself, also within a subquery."""

    def where(self, *matchers: Matcher, **equal: str) -> "Selector":
        """The same with more conditions; keyword arguments are equalities."""
        equalities = tuple(Matcher(label, MatchOp.EQUAL, value) for label, value in equal.items())
        found = (*self.matchers, *matchers, *equalities)
        return Selector(self.metric, found, self.window, self.offset, self.is_at_end)

    def over(self, window: Duration) -> "Selector":
        """The range `self[window]`."""
        return Selector(self.metric, self.matchers, window, self.offset, self.is_at_end)

    def ago(self, offset: Duration | None) -> "Selector":
        """The same, seen `offset` earlier; None is now."""
        return Selector(self.metric, self.matchers, self.window, offset, self.is_at_end)

    def at_end(self) -> "Selector":
        """The same, seen at the time of the evaluation, wherever it stands."""
        return Selector(self.metric, self.matchers, self.window, self.offset, is_at_end=True)

    def __str__(self) -> str:
        labels = ", ".join(map(str, self.matchers))
        return "".join(
            (
                self.metric,
                f"{{{labels}}}" if labels else "",
                f"[{self.window}]" if self.window else "",
                " @ end()" if self.is_at_end else "",
                f" offset {self.offset}" if self.offset else "",
            )
        )


@dataclass(frozen=True, slots=True)
class Number(_Arithmetic):
    """A scalar."""

    value: float

    def __str__(self) -> str:
        if math.isinf(self.value):
            return "+Inf" if self.value > 0 else "-Inf"
        # 15 significant digits hide what binary floating point adds (1 - 0.999 is 0.0010000000000000009).
        return f"{self.value:.15g}"


@dataclass(frozen=True, slots=True)
class String(_Arithmetic):
    """A string literal, an argument of few functions."""

    value: str

    def __str__(self) -> str:
        return quoted(self.value)


@dataclass(frozen=True, slots=True)
class Call(_Arithmetic):
    """A function's result, e.g. `Call("sqrt", (expr,))`."""

    function: str
    arguments: tuple["Expr", ...] = ()

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Subquery(_Arithmetic):
    """`(body)[window:step]`: what an expression said at every multiple of `step` within the window."""

    body: "Expr"
    window: Duration
    step: Duration

    def __str__(self) -> str:
        return f"{_operand(self.body)}{self.tail()}"

    def tail(self) -> str:
        """`[30d:1d]`."""
        return f"[{self.window}:{self.step}]"


@dataclass(frozen=True, slots=True)
class Aggregation(_Arithmetic):
    """`sum by (labels) (body)`; without labels one series of the whole."""

    operator: str
    body: "Expr"
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.head()}({self.body})"

    def head(self) -> str:
        """What stands before the parenthesis."""
        return f"{self.operator} by ({', '.join(self.by)}) " if self.by else self.operator


@dataclass(frozen=True, slots=True)
class Binary(_Arithmetic):
    """Two operands and how their series are matched: `on` these labels only, or `ignoring` those."""

    operator: str
    left: "Expr"
    right: "Expr"
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = field(default=())
    as_bool: bool = False

    def matching(self) -> str:
        """` bool`, ` on (job, instance)`, ` ignoring (slo)` or nothing."""
        modifier = " bool" if self.as_bool else ""
        if self.on is not None:
            return f"{modifier} on ({', '.join(self.on)})"
        return f"{modifier} ignoring ({', '.join(self.ignoring)})" if self.ignoring else modifier

    def __str__(self) -> str:
        return f"{_operand(self.left)} {self.operator}{self.matching()} {_operand(self.right)}"


Expr = Selector | Number | String | Call | Aggregation | Binary | Subquery


def _operand(expr: Expr) -> str:
    return f"({expr})" if isinstance(expr, Binary) else str(expr)


def _left(value: Any) -> Expr:
    """The operators live in a mixin of the expressions themselves."""
    expr: Expr = value
    return expr


def as_expr(value: Expr | float) -> Expr:
    """Numbers may stand in formulas as they are."""
    return Number(float(value)) if isinstance(value, int | float) else value


def all_of(*conditions: Expr) -> Expr:
    """All conditions, joined by `and`."""
    return _chain("and", conditions)


def any_of(*conditions: Expr) -> Expr:
    """Any of the conditions, joined by `or`."""
    return _chain("or", conditions)


def _chain(operator: str, conditions: Iterable[Expr]) -> Expr:
    """One flat chain: `and` and `or` over all labels are associative, so a chain within joins it."""
    links = (link for condition in conditions for link in _links(operator, condition))
    return reduce(lambda left, right: Binary(operator, left, right), links)


def _links(operator: str, expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Binary) and expr.operator == operator and not expr.matching():
        yield from _links(operator, expr.left)
        yield from _links(operator, expr.right)
    else:
        yield expr
