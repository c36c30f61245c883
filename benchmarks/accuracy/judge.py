"""One scenario from its world to its figures."""

import math
import tempfile
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import numpy as np

from benchmarks.accuracy.counting import Counted, Truth, count, count_minutes
from benchmarks.accuracy.methods import SERENO, WINDOW_DAYS, Method, methods
from benchmarks.accuracy.replicas import merge_entries, merge_samples
from benchmarks.accuracy.scenario import Scenario, Topology
from benchmarks.accuracy.scraping import stored
from benchmarks.accuracy.world import World
from benchmarks.simulation import (
    DAY,
    HOUR,
    MINUTE,
    STEPS_PER_QUERY,
    AnySeries,
    Interval,
    Plan,
    RuleGroup,
    Series,
    Server,
    ServerError,
    evaluate,
    evaluation_order,
    evaluation_runs,
    running_prometheus,
    write,
)

END = 1_738_368_000_000
"""Midnight, 1 February 2025 UTC: in the past of every clock, because Prometheus 3.x refuses the future."""
READ_AT = END - 1
"""Not even five minutes after any group's last evaluation, so that an instant look-up finds what was recorded."""
# Scrapes begin before the rules, as they do when rules are added to a running Prometheus; both in quiet minutes.
_SCRAPES_BEFORE_RULES = 6 * MINUTE
STEPS_WITH_MANY_SERIES = 1_440


class ServerTooOldError(Exception):
    """This Prometheus can't compute what the scenario needs; the message names it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one method found."""

    error_ratio: Mapping[str, float]
    """By group; the whole is the group without a name. What has no value is missing."""
    asked: Collection[str]
    """The groups that it was asked for; none where the method can't express the scenario."""
    coverage: float | None = None
    evaluations: int = 0
    """How many values it should have recorded; looked at every six hours and at the end."""
    missing: int = 0
    """How many of them are absent or NaN."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Truth and findings of one scenario."""

    name: str
    line: str
    must: bool
    objective_percent: float
    truth: Mapping[str, Truth]
    measured: Mapping[str, Measured]
    seconds: float

    def relative_error(self, method: str) -> float:
        """The worst one among the groups, signed: 0.01 is one percent too high. NaN where a value is missing."""
        return _worst(relative(found, true) for found, true in self._pairs(method))

    def budget_error_points(self, method: str) -> float:
        """How wrong the remaining budget is, in percentage points of the budget: the worst of the groups."""
        budget_ratio = 1 - self.objective_percent / 100
        return _worst(100 * (true - found) / budget_ratio for found, true in self._pairs(method))

    def _pairs(self, method: str) -> Iterator[tuple[float, float]]:
        measured = self.measured[method]
        for group in measured.asked:
            yield measured.error_ratio.get(group, math.nan), self.truth[group].error_ratio


def _worst(errors: Iterable[float]) -> float:
    known = tuple(errors)
    return math.nan if not known or any(math.isnan(error) for error in known) else max(known, key=abs)


def relative(found: float, true: float) -> float:
    """`found` against `true`; if nothing was bad, anything found is infinitely wrong."""
    if true == 0:
        return 0.0 if found == 0 else math.nan if math.isnan(found) else math.inf
    return found / true - 1


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario with everything that chance decides."""

    scenario: Scenario
    world: World
    counted: Sequence[Counted]
    methods: Sequence[Method]
    plan: Plan
    window: Interval
    """What is judged: it ends with the last evaluation of the slowest group."""


def judge(scenario: Scenario, *, seed: int, days: float, prometheus: str | None = None) -> Outcome:
    """Simulate, evaluate, compare. The same seed gives the same figures.

    Raises:
        ServerTooOldError: there is nothing to judge on this server.
        ServerError: it doesn't start, or dies.
    """
    began = time.monotonic()
    case = _case(scenario, np.random.default_rng([seed, zlib.crc32(scenario.name.encode())]), days)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sereno-accuracy-")))
        servers = [
            stack.enter_context(running_prometheus(folder / name, program=prometheus, flags=scenario.flags))
            for name in _server_names(case)
        ]
        server = _prepared(case, servers)
        if scenario.needs and not _has_answer(server, scenario.needs):
            raise ServerTooOldError(f"Prometheus {server.version} has no answer to {scenario.needs}")
        measured = {method.name: _measure(server, method, case) for method in case.methods}
    truth = _truth(case)
    objective = scenario.subject.objective_percent
    took = time.monotonic() - began
    return Outcome(scenario.name, scenario.line, scenario.must, objective, truth, measured, took)


def _has_answer(server: Server, expr: str) -> bool:
    try:
        return bool(server.query(expr, READ_AT)["result"])
    except ServerError:  # it doesn't know a function
        return False


def _case(scenario: Scenario, random: np.random.Generator, days: float) -> Case:
    length = int((scenario.days or days) * DAY)
    world = scenario.build(Interval(END - length - _SCRAPES_BEFORE_RULES, END), random)
    rules_begin = END - (length if scenario.rules_since_days is None else int(scenario.rules_since_days * DAY))
    compared = methods(scenario)
    phases = _phases(scenario, compared, random)
    at = _last_evaluation(compared[0].groups, phases)
    window = Interval(max(rules_begin, at - WINDOW_DAYS * DAY), at)
    counted = [count(target, world.observers, world.during, window, random) for target in world.targets]
    steps_per_query = STEPS_WITH_MANY_SERIES if scenario.many_series else STEPS_PER_QUERY
    plan = Plan(Interval(rules_begin, END), phases, steps_per_query=steps_per_query)
    return Case(scenario, world, counted, compared, plan, window)


def _phases(scenario: Scenario, compared: Sequence[Method], random: np.random.Generator) -> Mapping[str, int]:
    """When in its interval each group is evaluated: all groups of one interval at once, so that nobody lags."""
    groups = [group for method in compared for group in method.groups]
    chosen = {interval: int(random.integers(interval)) for interval in sorted({one.interval_ms for one in groups})}
    if scenario.phases is not None:
        chosen |= dict(zip((MINUTE, 5 * MINUTE), scenario.phases, strict=True))
    return {group.name: chosen[group.interval_ms] for group in groups}


def _last_evaluation(groups: Sequence[RuleGroup], phases: Mapping[str, int]) -> int:
    slowest = max(groups, key=lambda group: group.interval_ms)
    (run,) = evaluation_runs(slowest, Plan(Interval(END - HOUR, END), phases))
    return run.last


def _truth(case: Case) -> Mapping[str, Truth]:
    """Of the whole, and by group."""
    world = case.world
    if any(target.gauges for target in world.targets):
        (phase,) = {case.plan.phases[group.name] for group in case.methods[0].groups if group.interval_ms == MINUTE}
        return {"": count_minutes(world.targets, world.observers[0], world.during, case.window, phase)}
    truths: dict[str, Truth] = {"": Truth()}
    for one in case.counted:
        for group, truth in one.truth.items():
            truths[""] += truth
            if case.scenario.subject.group_label:
                truths[group] = truths.get(group, Truth()) + truth
    return truths


def _server_names(case: Case) -> list[str]:
    names = [observer.name for observer in case.world.observers]
    return names if case.scenario.topology is Topology.ONE else [*names, "global"]


def _prepared(case: Case, servers: Sequence[Server]) -> Server:
    """The server that is asked in the end, with everything in it that was scraped or made elsewhere."""
    observers = case.world.observers
    if case.scenario.topology is Topology.SAMPLES_MERGED:
        seen = [
            [series for series in _samples(case, place) if isinstance(series, Series)]
            for place in range(len(observers))
        ]
        write(servers[-1], merge_samples((seen[0], seen[1]), (observers[0].down, observers[1].down)))
        return servers[-1]
    for place in range(len(observers)):
        write(servers[place], _samples(case, place))
    if case.scenario.topology is Topology.ENTRIES_MERGED:
        every_minute = [group for group in case.methods[0].groups if group.interval_ms == MINUTE]
        needed = evaluation_order(case.methods[0].groups, case.methods[0].wanted)
        entries = {step.rule.record for step in needed if step.group.interval_ms == MINUTE}
        for observer, server in zip(observers, servers, strict=False):
            evaluate(server, every_minute, replace(case.plan, down=observer.down, wanted=entries))
        down = (observers[0].down, observers[1].down)
        write(servers[-1], merge_entries((servers[0], servers[1]), sorted(entries), case.plan.during, down))
    return servers[-1]


def _samples(case: Case, place: int) -> Iterator[AnySeries]:
    observer = case.world.observers[place]
    for target, one in zip(case.world.targets, case.counted, strict=True):
        yield from stored(target, one.shown[place], observer, case.world.during)


def _measure(server: Server, method: Method, case: Case) -> Measured:
    groups = method.groups
    down: tuple[Interval, ...] = ()
    match case.scenario.topology:
        case Topology.ENTRIES_MERGED:
            if method.name != SERENO:
                return Measured({}, asked=())  # their rules are not made of entries
            groups = tuple(group for group in groups if group.interval_ms > MINUTE)
        case Topology.ONE:
            (observer,) = case.world.observers
            down = observer.down
        case Topology.SAMPLES_MERGED:
            pass
        case _:
            assert_never(case.scenario.topology)
    plan = replace(case.plan, down=down, strides=method.strides, wanted=method.wanted)
    evaluate(server, groups, plan)
    evaluations, missing = _missing(server, method, groups, plan)
    found = _values(server, method, case)
    covered = server.query(method.coverage, READ_AT)["result"] if method.coverage else []
    coverage = float(covered[0]["value"][1]) if covered else None
    return Measured(found, _asked(method, case), coverage, evaluations, missing)


def _asked(method: Method, case: Case) -> Collection[str]:
    groups = _truth(case)
    whole_too = method.error_ratio != method.group_error_ratio
    return tuple(group for group in groups if group or whole_too)


def _values(server: Server, method: Method, case: Case) -> Mapping[str, float]:
    """What the method found, by group; the whole is what no group's label names."""
    label = case.scenario.subject.group_label
    found = {}
    for expr in dict.fromkeys(filter(None, (method.error_ratio, method.group_error_ratio))):
        for one in server.query(expr, READ_AT)["result"]:
            found[one["metric"].get(label, "")] = float(one["value"][1])
    return found


def _missing(server: Server, method: Method, groups: Sequence[RuleGroup], plan: Plan) -> tuple[int, int]:
    """How often the figure that must always be there was looked at, and how often it wasn't there or NaN."""
    if not method.always_there:
        return 0, 0
    name = method.always_there
    (group,) = (group for group in groups if any(rule.record == name for rule in group.recording))
    expected = sum(len(run.every(plan.strides[name])) for run in evaluation_runs(group, plan))
    longest = (plan.during.end - plan.during.start) // 1000
    data = server.query(f"{name}[{longest}s]", plan.during.end)["result"]
    values = [float(value) for one in data for _, value in one["values"]]
    good = sum(not math.isnan(value) for value in values)
    return expected, expected - good
