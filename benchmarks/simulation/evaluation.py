"""Rule groups evaluated over simulated time, as the rule manager does: results recorded, vanished series marked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulation.remote_write import Series, stale_markers, write
from benchmarks.simulation.rules import RecordingRule, RuleGroup, Step, evaluation_order
from benchmarks.simulation.server import Server
from benchmarks.simulation.times import Interval, Run, aligned, without

STEPS_PER_QUERY = 10_000  # Prometheus refuses ranges of more than 11,000


class EvaluationError(Exception):
    """A rule fails at run time, as it would in Prometheus; the message names it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When rule groups are evaluated. All times are milliseconds."""

    during: Interval
    phases: Mapping[str, int] = field(default_factory=dict)
    """Group name to how long after a multiple of its interval it is evaluated; Prometheus derives it from a hash."""
    down: Sequence[Interval] = ()
    """Prometheus is not running: nothing is evaluated, and no series is marked as ended."""
    strides: Mapping[str, int] = field(default_factory=dict)
    """Recorded names that need not be known at each evaluation: only every n-th, and the last. For those at the end
    of the chain, because nobody may read the evaluations that are left out."""
    wanted: Collection[str] | None = None
    """The recorded names that matter; with None every rule is evaluated. What they read is evaluated, too."""
    steps_per_query: int = STEPS_PER_QUERY


Matrix = dict[tuple[tuple[str, str], ...], tuple[NDArray[np.int64], NDArray[np.float64]]]
"""Labels to times in milliseconds and values."""


def evaluate(server: Server, groups: Sequence[RuleGroup], plan: Plan) -> int:
    """Evaluate and record all recording rules; how many samples they recorded, staleness markers included.

    Raises:
        EvaluationError: a rule fails, or gives two series the same labels at one instant.
        RuleFileError: the rules can't be ordered (see `evaluation_order`).
        ServerError: the engine refuses an expression.
    """
    recorded = 0
    for step in evaluation_order(groups, plan.wanted):
        stride = plan.strides.get(step.rule.record, 1)
        for run in evaluation_runs(step.group, plan):
            if step.reads_itself:
                recorded += _record_one_by_one(server, step, run)
            else:
                recorded += write(server, record(server, step, run.every(stride), plan.steps_per_query))
    return recorded


def evaluation_runs(group: RuleGroup, plan: Plan) -> Iterator[Run]:
    """The group's evaluations: one run for each time that Prometheus is up."""
    phase = plan.phases.get(group.name, 0)
    for up in without(plan.during, plan.down):
        run = aligned(group.interval_ms, phase, up)
        if run is not None:
            yield run


def record(server: Server, step: Step, run: Run, steps_per_query: int = STEPS_PER_QUERY) -> Iterator[Series]:
    """What one recording rule records during one run, markers of series that vanish among it."""
    merged: dict[tuple[tuple[str, str], ...], list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    for labels, samples in results(server, step.rule.expr, run, steps_per_query).items():
        merged.setdefault(_recorded_labels(dict(labels), step.rule), []).append(samples)
    for key, parts in merged.items():
        times_ms = np.concatenate([times for times, _ in parts])
        values = np.concatenate([values for _, values in parts])
        order = np.argsort(times_ms, kind="stable")
        times_ms, values = times_ms[order], values[order]
        if len(times_ms) > 1 and not np.all(np.diff(times_ms) > 0):
            raise EvaluationError(f"{step.rule.record} in {step.group.name}: two series with the labels {dict(key)}")
        yield _with_markers(Series(dict(key), times_ms, values), run)


def _record_one_by_one(server: Server, step: Step, run: Run) -> int:
    """As `record`, for a rule that reads what it recorded a moment ago: slow, some milliseconds for each instant."""
    recorded = 0
    before: set[tuple[tuple[str, str], ...]] = set()
    for time_ms in run.times_ms():
        instant = Run(int(time_ms), int(time_ms), run.step)
        series = list(record(server, step, instant))
        present = {tuple(sorted(one.labels.items())) for one in series}
        ended = [Series(dict(key), instant.times_ms(), stale_markers(1)) for key in sorted(before - present)]
        recorded += write(server, [*series, *ended])
        before = present
    return recorded


def results(server: Server, expr: str, run: Run, steps_per_query: int = STEPS_PER_QUERY) -> Matrix:
    """What an expression (of a recording or of an alerting rule) answers at each evaluation of a run."""
    parts: dict[tuple[tuple[str, str], ...], list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    for piece in run.cut(steps_per_query):
        for one in server.query_range(expr, piece.first, piece.last, piece.step):
            times_ms = np.rint(1000 * np.array([time for time, _ in one["values"]])).astype(np.int64)
            values = np.array([float(value) for _, value in one["values"]])
            parts.setdefault(tuple(sorted(one["metric"].items())), []).append((times_ms, values))
    return {
        labels: (np.concatenate([times for times, _ in pieces]), np.concatenate([values for _, values in pieces]))
        for labels, pieces in parts.items()
    }


def _recorded_labels(labels: dict[str, str], rule: RecordingRule) -> tuple[tuple[str, str], ...]:
    named = labels | {"__name__": rule.record} | dict(rule.labels)
    return tuple(sorted((name, value) for name, value in named.items() if value))  # an empty value removes a label


def _with_markers(series: Series, run: Run) -> Series:
    """The series with a marker at each evaluation that no longer has it although the one before had."""
    present = np.zeros(len(run), dtype=np.bool_)
    present[run.index_of(series.timestamps_ms)] = True
    ended = np.flatnonzero(present[:-1] & ~present[1:]) + 1
    times_ms = np.concatenate([series.timestamps_ms, run.times_ms()[ended]])
    values = np.concatenate([series.values, stale_markers(len(ended))])
    order = np.argsort(times_ms, kind="stable")
    return Series(series.labels, times_ms[order], values[order])
