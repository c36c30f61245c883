"""Rules of a panel's PromQL. Variables are filled in first: with durations that tell where a range came from."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import promql_parser
from sereno_backends.grafana import (
    Dashboard,
    Panel,
    Target,
    TimeShown,
    Value,
    built_in_values,
    filled_in,
    opening_values,
    prometheus_duration,
)

from sereno_slo.dashboards_check.finding import Problem
from sereno_slo.promql.parsing import parse

# Primes, so that no duration that somebody writes is taken for one of them.
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SHOWN = TimeShown(_START, _START + timedelta(seconds=7907), timedelta(seconds=7901), timedelta(seconds=18))
_RATE_SECONDS, _CHOSEN_SECONDS = 7919, 7883
_ADAPTING = frozenset(timedelta(seconds=each) for each in (7901, 7907, _RATE_SECONDS, _CHOSEN_SECONDS))

_RATES = frozenset({"rate", "irate", "increase"})
_COUNT_SERIES = frozenset({"count", "group"})
_TELL_OF_SERIES = frozenset({"absent", "timestamp", "count_values"})
_AS_RANGE = re.compile(r"\[\s*\$\{?(\w+)")
_MATCHED = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_VARIABLE = re.compile(r"\$\{?(\w+)|\[\[(\w+)")


def query_problems(dashboard: Dashboard, panel: Panel, target: Target) -> Iterator[Problem]:
    """Everything that is wrong with one query of a panel."""
    yield from _matching(dashboard, target)
    try:
        parsed: Any = parse(ready_to_parse(dashboard, target.expr))
    except ValueError as error:
        yield Problem(
            "DASH019", f"query {target.ref_id} is no PromQL: {error}", "try it in Prometheus, with values for variables"
        )
        return
    yield from _ranges(panel, target, parsed)
    yield from _counters(target, parsed)


def ready_to_parse(dashboard: Dashboard, text: str) -> str:
    """The text with every variable filled in, by values that need not exist."""
    values: dict[str, Value] = {**built_in_values(_SHOWN), **opening_values(dashboard)}
    values |= {name: f"{_CHOSEN_SECONDS}s" for name in _AS_RANGE.findall(text) if not name.startswith("__")}
    return filled_in(text, values)


def variables_in(text: str) -> Iterator[str]:
    """The names of variables that a text uses."""
    for match in _VARIABLE.finditer(text):
        yield match[1] or match[2]


def _matching(dashboard: Dashboard, target: Target) -> Iterator[Problem]:
    several = {variable.name for variable in dashboard.variables if variable.is_pattern}
    for label, operator, text in _MATCHED.findall(target.expr):
        for name in several.intersection(variables_in(text)):
            if operator in {"=", "!="}:
                meant = f'{label}{"=~" if operator == "=" else "!~"}"{text}"'
                message = f"query {target.ref_id} compares {label} with one value, but {name} may have several"
                yield Problem("DASH022", message, f"write {meant}")


def _ranges(panel: Panel, target: Target, parsed: Any) -> Iterator[Problem]:
    if target.is_instant:  # one number, of now
        return
    for call in _walk(parsed):
        if not isinstance(call, promql_parser.Call) or call.func.name not in _RATES:
            continue
        for argument in call.args:
            if not isinstance(argument, promql_parser.MatrixSelector) or argument.range in _ADAPTING:
                continue
            if not says_how_long(f"{panel.title}. {panel.description}", argument.range):
                span = prometheus_duration(argument.range)
                message = f"query {target.ref_id} takes a {call.func.name} over {span}, however long a pixel is"
                yield Problem("DASH020", message, "write [$__rate_interval], or say over which time in the description")


def says_how_long(text: str, span: timedelta) -> bool:
    """Whether people read in a text how long a window is: `5m`, `five minutes`, `an hour`, `per day`."""
    if re.search(rf"\b{prometheus_duration(span)}\b", text):
        return True
    for unit, seconds in _UNITS:
        number, rest = divmod(span.total_seconds(), seconds)
        if rest or not number:
            continue
        words = {f"{number:g}", _NUMBERS[int(number)] if number < len(_NUMBERS) else ""} - {""}
        words |= {"an?", "per", "the last"} if number == 1 else set()
        if re.search(rf"\b({'|'.join(words)}) {unit}s?\b", text, re.IGNORECASE):
            return True
    return False


_UNITS = (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400))
_NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _counters(target: Target, parsed: Any) -> Iterator[Problem]:
    for selector in _bare_selectors(parsed):
        if (selector.name or "").endswith("_total"):
            message = f"query {target.ref_id} shows the counter {selector.name} as it stands, since its last restart"
            yield Problem("DASH021", message, "show its rate or its increase")


def _bare_selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Those whose values are shown: not only counted, or asked whether they are there."""
    match node:
        case promql_parser.VectorSelector():
            yield node
        case promql_parser.AggregateExpr() if str(node.op) in _COUNT_SERIES:
            return
        case promql_parser.Call() if node.func.name in _TELL_OF_SERIES:
            return
        case promql_parser.MatrixSelector():
            return
        case _:
            for child in _children(node):
                yield from _bare_selectors(child)


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _walk(child)


def _children(node: Any) -> Iterator[Any]:
    match node:
        case promql_parser.BinaryExpr():
            yield from (node.lhs, node.rhs)
        case promql_parser.Call():
            yield from node.args
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield node.expr
        case promql_parser.SubqueryExpr():
            yield node.expr
        case _:
            return
