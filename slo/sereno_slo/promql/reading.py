"""Users' selectors: read by Prometheus' grammar (promql-parser), never pasted into an expression as text."""

import re
from functools import lru_cache

import promql_parser

from sereno_slo.promql import regex
from sereno_slo.promql.parsing import parse
from sereno_slo.promql.tree import Matcher, MatchOp, Selector

# Pairs, not a mapping: promql-parser's operators can't be hashed.
_OPERATORS = (
    (promql_parser.MatchOp.Equal, MatchOp.EQUAL),
    (promql_parser.MatchOp.NotEqual, MatchOp.NOT_EQUAL),
    (promql_parser.MatchOp.Re, MatchOp.REGEX),
    (promql_parser.MatchOp.NotRe, MatchOp.NOT_REGEX),
)
_PLACEHOLDER = "matchers_of"
_LONGEST_REMEMBERED = 1_000
"""Characters: thousands of longer texts would fill the memory, and people write none."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def read_selector(text: str) -> Selector:
    """A metric's name with matchers, e.g. `http_requests_total{job="x"}`.

    Raises:
        ValueError: the text is another kind of expression, or no PromQL; the message says which.
    """
    selector = _selector(text)
    _check(text, selector.matchers)
    return selector


def _selector(text: str) -> Selector:
    found = _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _selector_or_problem(text)
    if isinstance(found, str):
        raise ValueError(found)  # noqa: TRY004 - what is wrong with the text
    return found


@lru_cache(maxsize=4096)
def _remembered(text: str) -> Selector | str:
    """The same texts are read again and again: by the grammar, for their meaning, and in the next spec."""
    return _selector_or_problem(text)


def _selector_or_problem(text: str) -> Selector | str:
    try:
        return _parsed(text)
    except ValueError as error:
        return str(error)


def _parsed(text: str) -> Selector:
    try:
        expr = parse(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not PromQL{_reason(error)}") from None
    if not isinstance(expr, promql_parser.VectorSelector):
        raise ValueError(f"{text!r} is an expression, not the name of a counter with matchers")  # noqa: TRY004
    return _selector_of(expr, text)


def selector_within(expr: promql_parser.VectorSelector, text: str) -> Selector:
    """A selector that is part of a larger expression, whose text messages show.

    Raises:
        ValueError: it selects what Prometheus or the compiler can't; the message says what.
    """
    selector = _selector_of(expr, text)
    _check(text, selector.matchers)
    return selector


def _selector_of(expr: promql_parser.VectorSelector, text: str) -> Selector:
    if expr.offset is not None or expr.at is not None:
        raise ValueError(f"{text!r} looks at another time; the compiler adds windows and offsets itself")
    if expr.matchers.or_matchers:
        raise ValueError(f"{text!r} joins matchers by or, which Prometheus doesn't read")
    if not expr.name:
        raise ValueError(f"{text!r} names no metric")
    matchers = tuple(Matcher(m.name, _operator(m), m.value) for m in expr.matchers.matchers)
    return Selector(expr.name, matchers)


def _check(text: str, matchers: tuple[Matcher, ...]) -> None:
    """What promql-parser reads, but not every Prometheus."""
    for matcher in matchers:
        if not _LABEL.fullmatch(matcher.label):
            raise ValueError(f"{text!r} has the label {matcher.label!r}; labels are letters, digits and underscores")
        problem = regex.problem_of(matcher.value) if matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX) else None
        if problem:
            raise ValueError(f"the regular expression {matcher.value!r} can't be used: {problem}")


def read_matchers(text: str) -> tuple[Matcher, ...]:
    """What stands between the braces of a selector, e.g. `job="x", code=~"5.."`.

    Raises:
        ValueError: the text is not a list of matchers.
    """
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        raise ValueError(f"{text!r} names no metric; matchers beside a metric are written without braces")
    try:
        # On a line of its own, so that a comment in the text can't hide the closing brace.
        matchers = _selector(f"{_PLACEHOLDER}{{{bare}\n}}").matchers
    except ValueError as error:
        reason = str(error).partition(": ")[2].replace(f"'{_PLACEHOLDER}' or ", "")
        raise ValueError(f"{text!r} are no matchers{f': {reason}' if reason else ''}") from None
    _check(text, matchers)
    return matchers


def _operator(matcher: promql_parser.Matcher) -> MatchOp:
    return next(ours for theirs, ours in _OPERATORS if matcher.op == theirs)


def _reason(error: ValueError) -> str:
    said = str(error)
    return "" if said == "invalid promql query" else f": {said}"
