"""Which routes, inhibition rules and intervals of a configuration no case touches."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_slo.diagnostics import Span, on_one_line
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.promql.matching import holds

from sereno_alerting.routing.model import Case, Labels, Observation
from sereno_alerting.routing.tree import Configuration, Route, Rule

# `alertname = "Watchdog"`, `{severity=~critical}`: quotes, braces and spaces may be there or not.
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,{}"]*)\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Untouched:
    """A part that no case touches."""

    span: Span
    what: str

    def __str__(self) -> str:
        return on_one_line(f"{self.span}: no case touches {self.what}")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many parts there are of each kind, and what no case touches, as one reads the file."""

    routes: int
    rules: int
    intervals: int
    untouched_routes: tuple[Untouched, ...]
    untouched_rules: tuple[Untouched, ...]
    untouched_intervals: tuple[Untouched, ...]

    @property
    def untouched(self) -> tuple[Untouched, ...]:
        """All kinds."""
        return (*self.untouched_routes, *self.untouched_rules, *self.untouched_intervals)

    def __str__(self) -> str:
        """`routes 8 of 9, inhibition rules 3 of 3, time intervals 0 of 0`."""
        kinds = (
            ("routes", self.routes, self.untouched_routes),
            ("inhibition rules", self.rules, self.untouched_rules),
            ("time intervals", self.intervals, self.untouched_intervals),
        )
        return ", ".join(f"{kind} {count - len(untouched)} of {count}" for kind, count, untouched in kinds)


def coverage_of(configuration: Configuration, seen: Sequence[tuple[Case, Observation]]) -> Coverage:
    """What the cases touch: routes that alerts ended in, rules that inhibited one, intervals that mute and don't."""
    taken = {number for _, observation in seen for number in observation.routes}
    routes = [route for route in configuration.routes if route.is_reachable]
    return Coverage(
        len(routes),
        len(configuration.rules),
        len(configuration.intervals),
        tuple(_untouched(route) for route in routes if route.number not in taken),
        tuple(
            Untouched(rule.span, f"the inhibition of {_words(rule, 'target')} by {_words(rule, 'source')}")
            for rule in configuration.rules
            if not any(_inhibits(rule, case, by) for case, observation in seen for by in observation.inhibited_by)
        ),
        tuple(_intervals(configuration, seen)),
    )


def _untouched(route: Route) -> Untouched:
    return Untouched(route.span, f"the route of {route.words} to {route.receiver}")


def _intervals(configuration: Configuration, seen: Sequence[tuple[Case, Observation]]) -> Iterator[Untouched]:
    for name, span in configuration.intervals.items():
        using = {route.number for route in configuration.routes if name in route.intervals}
        timed = [one for case, one in seen if case.at is not None and not one.inhibited_by and one.routes & using]
        if not using:
            yield Untouched(span, f"the time interval {name}, which no route has")
        elif not any((one.routes & using) - one.told for one in timed):
            yield Untouched(span, f"the time interval {name} while it mutes")
        elif not any(one.told & using for one in timed):
            yield Untouched(span, f"the time interval {name} while it lets pass")


def _inhibits(rule: Rule, case: Case, by: Labels) -> bool:
    """Which rule it was, Alertmanager doesn't tell: the one that fits. That it was one, Alertmanager has told."""
    equal = rule.document.get("equal") or ()
    return (
        all(holds(matcher, by.get(matcher.label, "")) for matcher in _matchers(rule, "source"))
        and all(holds(matcher, case.labels.get(matcher.label, "")) for matcher in _matchers(rule, "target"))
        and all(by.get(label, "") == case.labels.get(label, "") for label in equal)
    )


def _matchers(rule: Rule, side: str) -> Iterator[Matcher]:
    old: Iterable[tuple[str, MatchOp]] = ((f"{side}_match", MatchOp.EQUAL), (f"{side}_match_re", MatchOp.REGEX))
    for key, operator in old:
        found = rule.document.get(key)
        if isinstance(found, Mapping):
            yield from (Matcher(str(label), operator, str(value)) for label, value in found.items())
    for text in rule.document.get(f"{side}_matchers") or ():
        yield from _read(str(text))


def _read(text: str) -> Iterator[Matcher]:
    bare = text.strip().removeprefix("{").removesuffix("}")
    for label, operator, value in _MATCHER.findall(bare):
        yield Matcher(label, MatchOp(operator), _unquoted(value))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value.startswith('"')
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value.strip()


def _words(rule: Rule, side: str) -> str:
    """What it matches, without what it leaves out: the line is there for who wants to know."""
    positive = (matcher for matcher in _matchers(rule, side) if matcher.op in (MatchOp.EQUAL, MatchOp.REGEX))
    return ", ".join(str(matcher) for matcher in positive if matcher.value) or "everything"
