"""Time slices: a gauge with an upper bound, and a boolean probe; the truth is bad minutes."""

from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios.subjects import PROBE, THRESHOLD, THRESHOLD_MAXIMUM
from benchmarks.accuracy.scenarios.traffic import Traffic, at, constant, during_intervals, pods, span
from benchmarks.accuracy.world import Gauge, Observer, Target, World
from benchmarks.simulation import DAY, HOUR, MINUTE, SECOND, Interval


def _silent(count: int, during: Interval, random: np.random.Generator) -> tuple[Target, ...]:
    """Targets that count nothing."""
    targets = pods(count, during, Traffic(constant(0), constant(0)), random)
    return tuple(replace(target, classes=(), rates=(), streams=()) for target in targets)


def table_age(during: Interval, random: np.random.Generator) -> World:
    """A table grows older until it is loaded, every ten minutes; two loads fail for hours, some for a quarter."""
    late = [span(at(during, 0.4, 3), 3 * HOUR), span(at(during, 0.7, 20), 5 * HOUR)]
    late += [span(start, 15 * MINUTE) for start in range(during.start + HOUR, during.end - HOUR, 7 * HOUR)]
    age_seconds = during_intervals(2 * THRESHOLD_MAXIMUM, late, lambda times: times / 1000 % 600)
    gauge = Gauge({"__name__": "etl_table_age_seconds"}, age_seconds, lambda values: values > THRESHOLD_MAXIMUM)
    down = (span(at(during, 0.4, 4), 20 * MINUTE),)
    targets = tuple(replace(target, gauges=(gauge,)) for target in _silent(1, during, random))
    return World(during, targets, (Observer(down=down),))


def probes(during: Interval, random: np.random.Generator) -> World:
    """Two probes of one page: single failures of either, an outage that both see, a prober that is unreachable."""
    outage = span(at(during, 0.5, 10), 40 * MINUTE)
    targets = []
    for target in _silent(2, during, random):
        blinks = random.integers(during.start + HOUR, during.end - HOUR, int((during.end - during.start) // DAY) * 2)
        down = [outage, *(span(int(start), 30 * SECOND) for start in blinks)]
        gauge = Gauge({"__name__": "probe_success"}, during_intervals(0, down, constant(1)), lambda values: values == 0)
        targets.append(replace(target, gauges=(gauge,)))
    first, second = targets
    cut_off = replace(second, unreachable=(span(at(during, 0.6, 10), 2 * HOUR),))
    return World(during, (first, cut_off))


SCENARIOS = (
    Scenario("time slices: age of a table, Prometheus down in a bad time", table_age, THRESHOLD),
    Scenario("time slices: two probes of one page", probes, PROBE),
)
