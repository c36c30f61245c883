"""Counting what goes wrong inside the instrumentation, which must never reach a request."""

import contextlib
import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

LOG_INTERVAL_SECONDS = 60.0

_logger = logging.getLogger("sereno_telemetry")


class InstrumentationErrors:
    """Counts and logs the exceptions that the instrumentation kept away from a request.

    Every exception is counted in `sereno_telemetry_errors_total`; of each kind of work only one a minute is logged,
    because what breaks at all usually breaks at every request. `note` never raises.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._counter = Counter(
            "sereno_telemetry_errors_total",
            "Exceptions inside the instrumentation that were kept away from requests.",
            registry=registry,
        )

    def note(self, error: Exception, *, doing: str) -> None:
        """Count `error`, and log it with what the instrumentation was `doing` if that is due."""
        with contextlib.suppress(Exception):
            self._counter.inc()
            now = self._clock()
            if now - self._logged_at.get(doing, -LOG_INTERVAL_SECONDS) < LOG_INTERVAL_SECONDS:
                return
            self._logged_at[doing] = now
            _logger.warning("telemetry failed while %s; the request was served without it", doing, exc_info=error)
