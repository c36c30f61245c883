"""Prometheus' grammar (promql-parser), for texts of any origin."""

import re

import promql_parser

MOST_JOINED = 300
"""Operators and opening parentheses of one expression. A dashboard's longest query has some dozens.

promql-parser and what walks through its trees go a call deeper for each: from 4,164 on it ended the process
(promql-parser 0.10 on a stack of 8 MiB), and Python itself goes 1,000 deep.
"""
_STRING = r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'" + r"|`[^`]*`"
_FLAT = re.compile(rf"{_STRING}|#[^\n]*", re.DOTALL)
_MATCHERS = re.compile(r"\{[^{}]*\}")
_JOINING = re.compile(r"[-+*/%^<>=(]|\b(?:or|and|unless|atan2)\b", re.IGNORECASE)


def parse(text: str) -> promql_parser.Expr:
    """The expression that a text is.

    Raises:
        ValueError: it is no PromQL, or too deep for the grammar; the message says which.
    """
    if len(text) > MOST_JOINED and _joined(text) > MOST_JOINED:
        raise ValueError(f"it has more than {MOST_JOINED} operators and parentheses")
    return promql_parser.parse(text)


def _joined(text: str) -> int:
    """How deep the tree may be at most: strings, comments and matchers are flat."""
    return len(_JOINING.findall(_MATCHERS.sub("", _FLAT.sub("", text))))
