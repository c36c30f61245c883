"""All scenarios, each described where it is built."""

from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios import everyday, gaps, groups, low_traffic, pods, replicas, slices, vanishing, young

SCENARIOS: tuple[Scenario, ...] = (
    *everyday.SCENARIOS,
    *low_traffic.SCENARIOS,
    *pods.SCENARIOS,
    *gaps.SCENARIOS,
    *vanishing.SCENARIOS,
    *young.SCENARIOS,
    *groups.SCENARIOS,
    *slices.SCENARIOS,
    *replicas.SCENARIOS,
)
