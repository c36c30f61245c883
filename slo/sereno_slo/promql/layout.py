"""Expressions over several lines, as people read them in reviews."""

from collections.abc import Iterator
from typing import assert_never

from sereno_slo.promql.tree import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery, quoted

_WIDTH = 100
_METRIC_WIDTH = 25
_VALUE_WIDTH = 12
_SET_OPERATORS = ("and", "or", "unless")


def _is_short(expr: Expr, line: str, indent: int) -> bool:
    """Whether a line of 100 characters would hold it if names were of usual lengths.

    The real lengths don't matter: a service that gets another name has the same lines, and reviewers see the name only.
    """
    return len(line) + sum(_differences_from_usual(expr)) + indent <= _WIDTH


def _differences_from_usual(expr: Expr) -> Iterator[int]:
    """How much longer or shorter usual names of metrics and values of labels would be."""
    match expr:
        case Selector(metric=metric, matchers=matchers):
            yield _METRIC_WIDTH - len(metric)
            for matcher in matchers:
                yield _VALUE_WIDTH - len(quoted(matcher.value))
        case Number() | String():
            return
        case Call(arguments=parts):
            yield from (difference for part in parts for difference in _differences_from_usual(part))
        case Aggregation(body=body) | Subquery(body=body):
            yield from _differences_from_usual(body)
        case Binary(left=left, right=right):
            yield from _differences_from_usual(left)
            yield from _differences_from_usual(right)
        case _:
            assert_never(expr)


def pretty(expr: Expr, indent: int = 0) -> str:
    """The expression over several lines where one line of 100 characters, with names of usual lengths, is too short."""
    pad = " " * indent
    line = str(expr)
    if _is_short(expr, line, indent):
        return pad + line
    match expr:
        case Binary(operator=operator):
            left = _pretty_operand(expr.left, indent, chained_by=operator)
            right = _pretty_operand(expr.right, indent)
            return f"{left}\n{pad}{operator}{expr.matching()} {right.lstrip()}"
        case Aggregation():
            return f"{pad}{expr.head()}(\n{pretty(expr.body, indent + 2)}\n{pad})"
        case Call(function=function, arguments=arguments):
            inner = ",\n".join(pretty(argument, indent + 2) for argument in arguments)
            return f"{pad}{function}(\n{inner}\n{pad})"
        case Subquery(body=body):
            return f"{_pretty_operand(body, indent)}{expr.tail()}"
        case Selector() | Number() | String():
            return pad + line
        case _:
            assert_never(expr)


def _pretty_operand(side: Expr, indent: int, chained_by: str = "") -> str:
    """A chain of the same set operator reads as a list; everything else nested is put in parentheses.

    Only a left operand continues a chain: PromQL's operators bind to the left.
    """
    pad = " " * indent
    same_chain = isinstance(side, Binary) and side.operator == chained_by and chained_by in _SET_OPERATORS
    if isinstance(side, Binary) and not (same_chain and not side.matching()):
        line = str(side)
        if _is_short(side, line, indent + 2):
            return f"{pad}({line})"
        return f"{pad}(\n{pretty(side, indent + 2)}\n{pad})"
    return pretty(side, indent)
