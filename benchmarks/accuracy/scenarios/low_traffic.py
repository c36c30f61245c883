"""Few requests and single failures: every one of them weighs."""

from dataclasses import replace

import numpy as np

from benchmarks.accuracy.scenario import Build, Scenario
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS
from benchmarks.accuracy.scenarios.traffic import BAD, Traffic, constant, pods
from benchmarks.accuracy.world import World
from benchmarks.simulation import DAY, HOUR, Interval

REQUESTS_PER_HOUR = (10, 30, 100, 300)


def single_failures(requests_per_hour: float) -> Build:
    """Two pods, and a failure every day at a random moment; the error series is born with the first one."""

    def build(during: Interval, random: np.random.Generator) -> World:
        traffic = Traffic(constant(requests_per_hour / 3600), constant(0))
        days = np.arange(during.start + HOUR, during.end - DAY, DAY)
        failures = days + random.integers(0, DAY - 2 * HOUR, len(days))
        first, second = pods(2, during, traffic, random, late_errors=True)
        return World(
            during,
            (replace(first, planned={BAD: failures[::2]}), replace(second, planned={BAD: failures[1::2]})),
        )

    return build


def born_with_the_first_error(during: Interval, random: np.random.Generator) -> World:
    """Two requests a second, one in two thousand fails; no pod shows an error series before its first error."""
    return World(during, pods(4, during, Traffic(constant(2), constant(0.0005)), random, late_errors=True))


SCENARIOS = (
    Scenario("2 requests/s, error series born with the first error", born_with_the_first_error, BAD_EVENTS),
    *(
        Scenario(f"{count} requests/h, single failures", single_failures(count), BAD_EVENTS)
        for count in REQUESTS_PER_HOUR
    ),
)
