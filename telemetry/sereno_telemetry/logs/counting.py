"""The two metrics of the logs, one set for each registry."""

import contextlib
from typing import Final

from prometheus_client import CollectorRegistry

from sereno_telemetry.logs.masking import ALL_RULES
from sereno_telemetry.metrics.families import CounterFamily

MASKED_METRIC: Final = "sereno_telemetry_log_values_masked_total"
DROPPED_METRIC: Final = "sereno_telemetry_log_records_dropped_total"

_KEPT = "_sereno_telemetry_logs"
_MOST_RULES = len(ALL_RULES) + 40


class LogMetrics:
    """Counts what was masked, and which records were lost. No method raises."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._masked = CounterFamily(
            registry, MASKED_METRIC, "Values in log records that masking replaced.", {"rule": _MOST_RULES}
        )
        self._dropped = CounterFamily(
            registry,
            DROPPED_METRIC,
            "Log records that were not written: nobody read them fast enough (overflow), the system refused them "
            "(refused), or the process ended first (exit).",
            {"reason": None},
        )

    def masked(self, rule: str, count: int) -> None:
        """Count values that a rule replaced."""
        with contextlib.suppress(Exception):
            self._masked.child(rule).inc(count)

    def dropped(self, reason: str, count: int = 1) -> None:
        """Count records that were lost: `overflow`, `refused` or `exit`."""
        with contextlib.suppress(Exception):
            self._dropped.child(reason).inc(count)


def log_metrics(registry: CollectorRegistry) -> LogMetrics:
    """The metrics of `registry`, made at the first call.

    Raises:
        ValueError: something else has registered a metric of one of their names.
    """
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, LogMetrics):
        known = LogMetrics(registry)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
    return known
