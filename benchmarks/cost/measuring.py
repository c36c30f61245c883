"""Samples that rules read, by the engine's own statistics, on a Prometheus that holds everything they look back on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cost.counting import Known, counted_samples
from benchmarks.cost.raw import SCRAPE_INTERVAL_MS, RawSeries
from benchmarks.cost.rulesets import Rule, RuleSet, look_backs, reads
from benchmarks.simulation import Series, Server, write

# What a rule records may be read by a rule that stands before it, so recording goes on until nothing new appears.
# What a stop of Prometheus left out of the ledger (docs/ledger.md): nothing, while it runs. When the budget is gone:
# nothing, while no event fails.
RECORDED_IN_TROUBLE_ONLY = ("missed1m", "exhausted_in:seconds")
_MOST_PASSES = 5
# Two evaluations more than anybody looks back on: ranges of 2.x are closed at both ends.
_SPARE_EVALUATIONS = 2


class MeasuringError(Exception):
    """The data that a measurement needs doesn't come about; the message says why."""


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What one evaluation of a rule reads."""

    rule: Rule
    samples: int
    measured: bool
    """By the engine; otherwise counted, because the raw history that the rule reads is longer than what was written."""
    template_samples: int
    """What the queries in an alert's annotations read at each evaluation while it is pending or fires."""

    @property
    def samples_per_minute(self) -> float:
        """The samples of all evaluations within a minute."""
        return self.samples * self.rule.evaluations_per_minute


@dataclass(frozen=True, slots=True)
class Cost:
    """What all rules of one SLO cost."""

    tool: str
    rules: tuple[RuleCost, ...]
    recorded_series: int

    @property
    def samples_per_minute(self) -> float:
        """All samples that all rules read in a minute while no alert is pending or fires."""
        return sum(cost.samples_per_minute for cost in self.rules)

    @property
    def template_samples_per_minute(self) -> float:
        """What the dearest alert adds while it is pending or fires."""
        extra = (cost.template_samples * cost.rule.evaluations_per_minute for cost in self.rules)
        return max(extra, default=0.0)

    @property
    def all_measured(self) -> bool:
        """Whether the engine measured every rule."""
        return all(cost.measured for cost in self.rules)


@dataclass(frozen=True, slots=True)
class Stage:
    """A server with raw history up to `end_ms`, when all rules are evaluated."""

    server: Server
    raw: tuple[RawSeries, ...]
    end_ms: int
    history_ms: int

    def known(self) -> Iterator[Known]:
        """The raw series, for counting."""
        return (series.known() for series in self.raw)


def write_raw_history(stage: Stage) -> int:
    """Scrapes of all raw series; how many samples."""
    return write(stage.server, (series.samples(stage.end_ms, stage.history_ms) for series in stage.raw))


def measure(stage: Stage, rules: RuleSet) -> Cost:
    """What one SLO's rules cost, once what they record has been recorded for as long as they look back on it.

    Raises:
        MeasuringError: a rule that records gives nothing, or never stops giving new series.
    """
    recorded = _record_history(stage, rules.rules)
    known = (*stage.known(), *recorded)
    return Cost(rules.tool, tuple(_rule_cost(stage, rule, known) for rule in rules.rules), len(recorded))


def _rule_cost(stage: Stage, rule: Rule, known: Sequence[Known]) -> RuleCost:
    template_samples = sum(_samples_read(stage, query) for query in rule.template_queries)
    if _raw_history_read_ms(rule.expr, stage.raw) <= stage.history_ms:
        return RuleCost(rule, _samples_read(stage, rule.expr), measured=True, template_samples=template_samples)
    return RuleCost(rule, counted_samples(rule.expr, known), measured=False, template_samples=template_samples)


def _samples_read(stage: Stage, expr: str) -> int:
    answer = stage.server.query(expr, stage.end_ms, statistics=True)
    return int(answer["stats"]["samples"]["totalQueryableSamples"])


def _raw_history_read_ms(expr: str, raw: Iterable[RawSeries]) -> int:
    names = {series.labels["__name__"] for series in raw}
    return max((read.back_ms for read in reads(expr) if read.selector.name in names), default=0)


def raw_history_ms(rule_sets: Iterable[RuleSet], raw: Sequence[RawSeries], *, at_most_samples: int) -> int:
    """As much raw history as the rules read, or as fits into so many samples."""
    wanted = (_raw_history_read_ms(rule.expr, raw) for rules in rule_sets for rule in rules.rules)
    return min(max(wanted) + SCRAPE_INTERVAL_MS, at_most_samples // len(raw) * SCRAPE_INTERVAL_MS)


def _record_history(stage: Stage, rules: Sequence[Rule]) -> tuple[Known, ...]:
    """Each recording rule's present result, written as if it had been recorded for as long as anybody looks back."""
    recording = [rule for rule in rules if rule.records]
    look_back_ms = look_backs(expr for rule in rules for expr in (rule.expr, *rule.template_queries))
    recorded: dict[frozenset[tuple[str, str]], Known] = {}
    pending = set(range(len(recording)))
    for _ in range(_MOST_PASSES):
        unseen: dict[str, int] = {}  # what was recorded first in this pass, and by which rule
        for place in sorted(pending):
            rule = recording[place]
            for labels, value in _results(stage, rule):
                key = frozenset(labels.items())
                if key not in recorded:
                    recorded[key] = Known(labels, rule.interval_ms)
                    unseen[rule.name] = place
                    history_ms = look_back_ms.get(rule.name, 0)
                    write(stage.server, [_flat(labels, value, rule.interval_ms, history_ms, stage.end_ms)])
        # Evaluate again whoever reads what wasn't there yet when its own turn came.
        pending = {
            place
            for place, rule in enumerate(recording)
            if _reads_any(rule, unseen, recorded_after=place if place in pending else -1)
        }
        if not pending:
            break
    else:
        raise MeasuringError(f"the rules give new series after {_MOST_PASSES} evaluations")
    given = {known.labels["__name__"] for known in recorded.values()}
    expected = {rule.name for rule in recording if not rule.name.endswith(RECORDED_IN_TROUBLE_ONLY)}
    if missing := sorted(expected - given):
        raise MeasuringError(f"these rules record nothing: {', '.join(missing)}")
    return tuple(recorded.values())


def _reads_any(rule: Rule, recorded: Mapping[str, int], *, recorded_after: int) -> bool:
    names = {read.selector.name for read in reads(rule.expr)}
    return any(recorded[name] > recorded_after for name in names & recorded.keys())


def _results(stage: Stage, rule: Rule) -> Iterator[tuple[dict[str, str], float]]:
    for one in stage.server.query(rule.expr, stage.end_ms)["result"]:
        labels = one["metric"] | {"__name__": rule.name} | dict(rule.labels)
        yield {name: value for name, value in labels.items() if value}, float(one["value"][1])


def _flat(labels: dict[str, str], value: float, interval_ms: int, history_ms: int, end_ms: int) -> Series:
    count = history_ms // interval_ms + _SPARE_EVALUATIONS
    times_ms = end_ms - interval_ms * np.arange(count, dtype=np.int64)[::-1]
    return Series(labels, times_ms, np.full(count, value))
