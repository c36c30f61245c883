"""Stories of slow faults in simulated time, on the real system, the real rules, a real Prometheus and Alertmanager.

A fault that takes hours to page is recorded for a minute in real time, continued for hours, and judged by the rules
that were compiled; what fires is told to the demo's Alertmanager, which routes and inhibits as it does in production.
"""

from benchmarks.stories.story import SlowStory, slow_faults, tell_slow_stories

__all__ = ["SlowStory", "slow_faults", "tell_slow_stories"]
