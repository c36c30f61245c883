"""PromQL that Sereno reads itself: selectors and matchers of specs, and queries of other tools."""

import contextlib

import promql_parser
from sereno_slo.promql import matching, regex
from sereno_slo.promql.reading import read_matchers, read_selector
from sereno_slo.promql.tree import MatchOp, Selector

from benchmarks.fuzz.target import Target, require

_SEEDS = (
    b'http_requests_total{job="api", code=~"5..|4[0-9]{2}", path!~"/health.*", a!="\\"\\n\\\\\xc3\xa9"}',
    b"up",
    b"m{a='b', c=`d`}",
    b'{__name__="m", "with.dots"="x"}',
    b'job="x", code!~"2..", a=~"(?i)x|\\\\pL+[[:alpha:]]"',
    b'sum by (le) (rate(m_bucket{le="0.3"}[5m] offset 1h)) / ignoring(x) group_left m',
    b'm{a=~"x{0,1000}", b=~"(a|b)*c+?", c=~"\\\\x{41}\\\\Qa.b\\\\E"}',
)
_WORDS = (
    *(
        b"=~",
        b"!~",
        b"!=",
        b'="',
        b'"',
        b"'",
        b"`",
        b"\\\\",
        b'\\"',
        b"\\x",
        b"\\u00e9",
        b"\\U0010ffff",
        b"\\377",
        b"{",
        b"}",
    ),
    *(b"[5m]", b"offset", b"@", b"#", b",", b"or", b"and", b"unless", b"bool", b"inf", b"(?i)", b"(?P<a>", b"(?<a>"),
    *(
        b"[[:alpha:]]",
        b"[^]a]",
        b"a&&b",
        b"\\\\pN",
        b"{1,1001}",
        b"{,3}",
        b"**",
        b"+*",
        b"(((((",
        b"|",
        b"\\\\C",
        b"$^",
    ),
)


def check(data: bytes) -> None:
    """What isn't a selector is told; what is one is printed so that it reads as the same one."""
    text = data.decode(errors="replace")
    with contextlib.suppress(ValueError):
        _same(read_selector(text))
    with contextlib.suppress(ValueError):
        _same(Selector("m", read_matchers(text)))


def _same(selector: Selector) -> None:
    printed = str(selector)
    promql_parser.parse(printed)
    require(read_selector(printed) == selector, f"{printed!r} reads as another selector than it was printed from")
    for matcher in selector.matchers:
        matching.holds(matcher, matcher.value)
        matching.holds(matcher, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n\u00e9")
        if matcher.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
            regex.problem_of(matcher.value)


TARGETS = (Target("promql", "told, or printed so that it reads alike", _SEEDS, _WORDS, check),)
