"""How the instrumentation itself fares: what it kept away from the application, and what it counted as overflow."""

import contextlib
import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

LOG_INTERVAL_SECONDS = 60.0

_KEPT = "_sereno_telemetry_health"

_logger = logging.getLogger("sereno_telemetry")


class TelemetryHealth:
    """Counts and logs what goes wrong inside the instrumentation; one for each registry, by `health_of`.

    Every exception is counted in `sereno_telemetry_errors_total`, every observation whose label value came after the
    label's limit in `sereno_telemetry_overflows_total`; of each kind of trouble only one a minute is logged, because
    what breaks at all usually breaks at every request. No method raises.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._errors = Counter(
            "sereno_telemetry_errors_total",
            "Exceptions inside the instrumentation that were kept away from what it watches.",
            registry=registry,
        )
        self._overflows = Counter(
            "sereno_telemetry_overflows_total",
            "Observations counted under the overflow value of a label, because the label had its limit of values.",
            labelnames=("metric", "label"),
            registry=registry,
        )

    def note(self, error: Exception, *, doing: str) -> None:
        """Count `error`, and log it with what the instrumentation was `doing` if that is due."""
        with contextlib.suppress(Exception):
            self._errors.inc()
            if self._log_is_due(doing):
                _logger.warning("telemetry failed while %s; the work itself went on", doing, exc_info=error)

    def overflowed(self, metric: str, label: str, limit: int) -> None:
        """Count one observation of `metric` that went to the overflow value of `label`."""
        with contextlib.suppress(Exception):
            self._overflows.labels(metric, label).inc()
            if self._log_is_due(f"{metric} {label}"):
                _logger.warning(
                    "label %s of %s has its %d values: further ones are counted together, in the overflow value",
                    label,
                    metric,
                    limit,
                )

    def _log_is_due(self, kind: str) -> bool:
        now = self._clock()
        due = now - self._logged_at.get(kind, -LOG_INTERVAL_SECONDS) >= LOG_INTERVAL_SECONDS
        if due:
            self._logged_at[kind] = now
        return due


def health_of(registry: CollectorRegistry) -> TelemetryHealth:
    """The health metrics of `registry`, made at the first call.

    Raises:
        ValueError: something else has registered a metric of one of their names.
    """
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, TelemetryHealth):
        known = TelemetryHealth(registry)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
    return known
