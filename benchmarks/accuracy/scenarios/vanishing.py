"""Series that a running process stops to expose for a while, with its counters kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Build, Scenario
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS
from benchmarks.accuracy.scenarios.traffic import TEN_DAYS, Traffic, constant, during_intervals, pods, span
from benchmarks.accuracy.world import Target, World
from benchmarks.simulation import HOUR, MINUTE, Interval


def vanish(minutes: int, *, counts_on: bool) -> Build:
    """Every 31 hours a pod's series are gone (markers) for a while and return; meanwhile it counts on, or is idle."""

    def build(during: Interval, random: np.random.Generator) -> World:
        starts = range(during.start + 10 * HOUR, during.end - 8 * HOUR, 31 * HOUR)
        gone = tuple(span(start + int(random.integers(MINUTE)), minutes * MINUTE) for start in starts)
        pod, *others = pods(3, during, Traffic(constant(20), constant(0.001)), random)
        return World(during, (_hiding(pod, gone, counts_on=counts_on), *others))

    return build


def _hiding(target: Target, gone: Sequence[Interval], *, counts_on: bool) -> Target:
    streams = tuple(replace(stream, hidden=tuple(gone)) for stream in target.streams)
    if counts_on:
        return replace(target, streams=streams)
    # Idle a little longer than gone: what is counted after the last scrape that showed it would be missed by anybody.
    idle = [Interval(interval.start - MINUTE, interval.end + MINUTE) for interval in gone]
    rates = tuple(during_intervals(0, idle, rate) for rate in target.rates)
    return replace(target, streams=streams, rates=rates)


SCENARIOS = (
    Scenario("series vanish for 5 minutes, counting on", vanish(5, counts_on=True), BAD_EVENTS, days=TEN_DAYS),
    Scenario("series vanish for 20 minutes, counting on", vanish(20, counts_on=True), BAD_EVENTS, days=TEN_DAYS),
    Scenario("series vanish for 60 minutes, idle", vanish(60, counts_on=False), BAD_EVENTS, days=TEN_DAYS),
    Scenario("series vanish for 6 h, idle", vanish(360, counts_on=False), BAD_EVENTS, days=TEN_DAYS),
    Scenario(
        "series vanish for 60 minutes, counting on", vanish(60, counts_on=True), BAD_EVENTS, days=TEN_DAYS, must=False
    ),
)
