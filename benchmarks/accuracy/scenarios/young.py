"""Rules that are younger than the SLO's window."""

import numpy as np

from benchmarks.accuracy.scenario import Build, Scenario
from benchmarks.accuracy.scenarios.subjects import BAD_EVENTS
from benchmarks.accuracy.scenarios.traffic import Traffic, calm_at, constant, diurnal, during_intervals, pods, span
from benchmarks.accuracy.world import World
from benchmarks.simulation import DAY, HOUR, Interval


def rules_since(days: float) -> Build:
    """The rules begin so many days before the end, in a quiet moment; half of that time later there is an incident."""

    def build(during: Interval, random: np.random.Generator) -> World:
        since = during.end - int(days * DAY)
        incident = span(during.end - int(days * DAY / 2), HOUR)
        errors = during_intervals(0.1, [incident], constant(0.001))
        traffic = calm_at([since], Traffic(diurnal(20), errors))
        return World(during, pods(3, during, traffic, random, late_errors=True))

    return build


SCENARIOS = tuple(
    Scenario(f"rules since {name}", rules_since(days), BAD_EVENTS, days=5, rules_since_days=days)
    for name, days in {"2 days": 2.0, "3 hours": 0.125}.items()
)
