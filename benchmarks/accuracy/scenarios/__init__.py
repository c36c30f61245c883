"""All scenarios, each described where it is built."""

from benchmarks.accuracy.scenario import Scenario
from benchmarks.accuracy.scenarios import everyday, gaps, low_traffic, pods, replicas, vanishing, young

SCENARIOS: tuple[Scenario, ...] = (
    *everyday.SCENARIOS,
    *low_traffic.SCENARIOS,
    *pods.SCENARIOS,
    *gaps.SCENARIOS,
    *vanishing.SCENARIOS,
    *young.SCENARIOS,
    *replicas.SCENARIOS,
)
