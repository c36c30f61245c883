"""Two replicas of Prometheus, and a third place where their data become one."""

import numpy as np

from benchmarks.accuracy.scenario import Scenario, Topology
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS
from benchmarks.accuracy.scenarios.traffic import Traffic, at, constant, diurnal, during_intervals, pods, span
from benchmarks.accuracy.world import Observer, World
from benchmarks.simulation import HOUR, MINUTE, SECOND, Interval


def pair(during: Interval, random: np.random.Generator) -> World:
    """Replica A is down for 20 minutes within an incident and for 3 h on another day, B for an hour on a third."""
    incident = span(at(during, 0.4, 14), HOUR)
    down_a = (span(incident.start + 17 * MINUTE, 20 * MINUTE), span(at(during, 0.6, 10), 3 * HOUR))
    down_b = (span(at(during, 0.8, 18), HOUR),)
    errors = during_intervals(0.1, [incident], constant(0.001))
    targets = pods(3, during, Traffic(diurnal(20), errors), random, late_errors=True)
    replicas = (Observer("a", 0, down_a), Observer("b", 13 * SECOND, down_b))
    return World(during, targets, replicas)


SCENARIOS = (
    Scenario("HA pair, entries merged", pair, BAD_EVENTS, topology=Topology.ENTRIES_MERGED),
    Scenario("HA pair, samples merged", pair, BAD_EVENTS, topology=Topology.SAMPLES_MERGED),
)
