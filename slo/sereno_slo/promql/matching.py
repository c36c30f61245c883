"""Whether a label's value satisfies a matcher, as Prometheus decides it."""

from sereno_slo.promql import regex
from sereno_slo.promql.tree import Matcher, MatchOp


def holds(matcher: Matcher, value: str) -> bool:
    """Whether a label value satisfies a matcher; regular expressions are anchored, as in Prometheus.

    A series without the label has the empty value.
    """
    match matcher.op:
        case MatchOp.EQUAL:
            return value == matcher.value
        case MatchOp.NOT_EQUAL:
            return value != matcher.value
        case MatchOp.REGEX:
            return regex.matches(matcher.value, value)
        case MatchOp.NOT_REGEX:
            return not regex.matches(matcher.value, value)
