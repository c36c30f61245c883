"""PromQL as a value until it is printed: a tree to build expressions with, and a reader for users' selectors."""

from sereno_slo.promql.tree import (
    Aggregation,
    Binary,
    Call,
    Expr,
    Matcher,
    MatchOp,
    Number,
    Selector,
    String,
    Subquery,
    all_of,
    any_of,
)

__all__ = [
    "Aggregation",
    "Binary",
    "Call",
    "Expr",
    "MatchOp",
    "Matcher",
    "Number",
    "Selector",
    "String",
    "Subquery",
    "all_of",
    "any_of",
]
