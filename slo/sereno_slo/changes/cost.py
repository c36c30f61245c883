"""What one SLO's rules cost a server: samples that they read and write in a minute, from the rules alone.

An evaluation reads, as Prometheus' engine counts (`totalQueryableSamples`): of an instant selector one sample a series,
of a range as many as were made within it, of a subquery what it yields at each of its steps. Recorded series are known
exactly, since rules record them; how many raw series there are is known to the server only, so a cost is a sum with a
coefficient for each kind of them. What is recorded in trouble only (`missed1m`) reads as nothing, and so do queries in
annotations, which run while an alert fires.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Journey,
    Latency,
    ServiceLevelObjective,
    Settings,
)
from sereno_slo.plan import plan_slo, series
from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery

SCRAPE_INTERVAL = Duration.parse("30s")
"""What costs of raw series are told for: at 15 s their ranges hold twice as many samples."""
_IN_TROUBLE_ONLY = (series.EVENTS_MISSED, series.BAD_EVENTS_MISSED, series.EXHAUSTED_IN)
_GROUPED = "sereno:group_"
_ALERTS = "ALERTS"
"""Costs are those of a time in which no alert is pending: nothing is in it."""


@dataclass(frozen=True, slots=True)
class SeriesCounts:
    """How many series there are of each kind; all matter to the cost."""

    total: int
    """Of all events (or of the gauge)."""
    part: int
    """Of bad or good events, or of the threshold's bucket; part of the total's where they have one name."""
    targets: int
    groups: int = 0
    """Groups that are admitted."""


@dataclass(frozen=True, slots=True)
class Linear:
    """So many, and so many more for each raw series, target and group."""

    fixed: float = 0
    per_total: float = 0
    per_part: float = 0
    per_target: float = 0
    per_group: float = 0

    def __add__(self, other: "Linear") -> "Linear":
        return Linear(
            self.fixed + other.fixed,
            self.per_total + other.per_total,
            self.per_part + other.per_part,
            self.per_target + other.per_target,
            self.per_group + other.per_group,
        )

    def __mul__(self, factor: float) -> "Linear":
        return Linear(
            self.fixed * factor,
            self.per_total * factor,
            self.per_part * factor,
            self.per_target * factor,
            self.per_group * factor,
        )

    def at(self, counts: SeriesCounts) -> float:
        """The number for so many series."""
        return (
            self.fixed
            + self.per_total * counts.total
            + self.per_part * counts.part
            + self.per_target * counts.targets
            + self.per_group * counts.groups
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What all rules of an SLO cost while no alert is pending or fires."""

    read: Linear
    """Samples a minute."""
    written: Linear
    """Samples a minute."""
    recorded: Linear
    """Series."""


def cost_of(slo: ServiceLevelObjective | Journey, settings: Settings) -> Cost:
    """What the rules of an SLO or a journey cost."""
    indicator = None if isinstance(slo, Journey) else slo.indicator
    return cost_of_rules(indicator, plan_slo(slo, settings))


def cost_of_rules(indicator: Indicator | None, groups: Sequence[RuleGroup]) -> Cost:
    """What these rules of an SLO with this indicator cost; a journey has none, and reads what others record."""
    read = written = recorded = Linear()
    for cost in costs_of_rules(indicator, groups):
        read, written, recorded = read + cost.read, written + cost.written, recorded + cost.recorded
    return Cost(read, written, recorded)


def costs_of_rules(indicator: Indicator | None, groups: Sequence[RuleGroup]) -> Iterator[Cost]:
    """The same for each of them, in order."""
    kinds = _Kinds.of(indicator, dict(_intervals(groups)))
    for group in groups:
        per_minute = MINUTE / group.interval
        for rule in group.rules:
            made = _made(rule)
            yield Cost(_read(rule.expr, kinds) * per_minute, made * per_minute, made)


def _intervals(groups: Iterable[RuleGroup]) -> Iterator[tuple[str, Duration]]:
    for group in groups:
        for rule in group.rules:
            if isinstance(rule, RecordingRule):
                yield rule.record, group.interval


def _made(rule: RecordingRule | AlertingRule) -> Linear:
    """The series that the rule records."""
    match rule:
        case AlertingRule():
            return Linear()
        case RecordingRule(record=record):
            if _is_of_trouble(record):
                return Linear()
            return Linear(per_group=1) if _is_grouped(record) else Linear(fixed=1)
        case _:
            assert_never(rule)


def _is_grouped(metric: str) -> bool:
    return metric.startswith(_GROUPED)


def _is_of_trouble(metric: str) -> bool:
    return metric.replace(_GROUPED, "sereno:") in _IN_TROUBLE_ONLY


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What a selector selects: how many series of which kind, and how often they get a sample."""

    part: Selector | None
    total: Selector | None
    recorded: Mapping[str, Duration]

    @classmethod
    def of(cls, indicator: Indicator | None, recorded: Mapping[str, Duration]) -> "_Kinds":
        match indicator:
            case None:
                return cls(None, None, recorded)
            case BadEventsRatio(bad=part) | GoodEventsRatio(good=part) | Latency(fast=part):
                return cls(part, indicator.total, recorded)
            case _:
                return cls(None, indicator.total, recorded)

    def series(self, selector: Selector) -> Linear:
        """How many series it selects."""
        if selector.metric in self.recorded:
            if _is_of_trouble(selector.metric):
                return Linear()
            return Linear(per_group=1) if _is_grouped(selector.metric) else Linear(fixed=1)
        if selector.metric == _ALERTS:
            return Linear()
        if self.total is None:
            return Linear(fixed=1)
        if self.part is not None and _is_of(selector, self.part):
            return Linear(per_part=1)
        return Linear(per_total=1) if _is_of(selector, self.total) else Linear(per_target=1)

    def samples(self, selector: Selector) -> float:
        """How many samples of each of its series it reads."""
        if selector.window is None:
            return 1
        interval = self.recorded.get(selector.metric, SCRAPE_INTERVAL)
        # A millisecond short of whole entries (`Duration.just_under`), a range holds all of them.
        return round(selector.window / interval, 2)


def _is_of(selector: Selector, counted: Selector) -> bool:
    return selector.metric == counted.metric and selector.matchers == counted.matchers


def _read(expr: Expr, kinds: _Kinds) -> Linear:
    """The samples of one evaluation."""
    match expr:
        case Selector():
            return kinds.series(expr) * kinds.samples(expr)
        case Number() | String():
            return Linear()
        case Call(arguments=arguments):
            total = Linear()
            for argument in arguments:
                total += _read(argument, kinds)
            return total
        case Aggregation(body=body):
            return _read(body, kinds)
        case Binary(left=left, right=right):
            return _read(left, kinds) + _read(right, kinds)
        case Subquery(body=body, window=window, step=step):
            # The engine counts what a subquery yields, not what its steps read ("avoid double counting").
            return kinds.series(_leftmost(body)) * (window / step)
        case _:
            assert_never(expr)


def _leftmost(expr: Expr) -> Selector:
    """The selector whose series an expression yields, filtered by others."""
    match expr:
        case Selector():
            return expr
        case Binary(left=left):
            return _leftmost(left)
        case Call(arguments=(first, *_)):
            return _leftmost(first)
        case Aggregation(body=body) | Subquery(body=body):
            return _leftmost(body)
        case _:
            raise ValueError(f"{expr} yields no series")  # our mistake: rules have no such subqueries
