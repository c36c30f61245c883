"""The selectors of a PromQL expression, each as text: metric and matchers, without ranges and offsets."""

import re

from benchmarks.cost.rulesets import reads


def selectors(expr: str) -> set[str]:
    """Every selector of an expression that a person has written."""
    return {re.sub(r"\s+(offset|@)\s+\S+", "", read.selector.prettify()) for read in reads(expr)}
