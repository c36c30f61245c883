"""The metrics of an HTTP service, one set for each registry."""

import logging
import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_telemetry.metrics.buckets import DURATION_METRIC
from sereno_telemetry.metrics.families import HistogramChild, HistogramFamily, Labels
from sereno_telemetry.metrics.health import health_of

MOST_ROUTES = 300
"""Templates are as many as the app has routes; this holds an app that adds routes while it runs."""
MOST_STATUS_CODES = 70

SIZE_BUCKETS = tuple(float(4**power) for power in range(3, 14))
"""Bytes: 64 to 64 MiB, each bound four times the one before."""

_KEPT = "_sereno_telemetry_http"
_START_METRIC = "process_start_time_seconds"
_IMPORTED_AT_SECONDS = time.time()

_LABELS: Labels = {
    "http_route": MOST_ROUTES,
    "http_request_method": None,
    "http_response_status_code": MOST_STATUS_CODES,
}

_logger = logging.getLogger("sereno_telemetry")


class HttpMetrics:
    """Duration histogram, requests in progress and the instrumentation's own errors, in one registry.

    Sizes and the time to the first byte are kept if `sizes` and `time_to_first_byte` say so.
    """

    def __init__(
        self, registry: CollectorRegistry, bounds: tuple[float, ...], *, sizes: bool, time_to_first_byte: bool
    ) -> None:
        self.bounds = bounds
        self.sizes = sizes
        self.time_to_first_byte = time_to_first_byte
        self.health = health_of(registry)
        active = Gauge(
            "http_server_active_requests", "HTTP requests in progress.", registry=registry, multiprocess_mode="livesum"
        )
        self.begin, self.end = active.inc, active.dec
        self._durations: dict[tuple[str, str, int], HistogramChild] = {}
        self._duration = _histogram(
            registry, DURATION_METRIC, "Duration of HTTP server requests, up to the last chunk of the answer.", bounds
        )
        if time_to_first_byte:
            self._first_byte = _histogram(
                registry,
                "http_server_time_to_first_byte_seconds",
                "Time until the first chunk of the answer's body was handed to the server.",
                bounds,
            )
        if sizes:
            self._request_size = _histogram(
                registry, "http_server_request_body_size_bytes", "Bytes of request bodies that apps read.", SIZE_BUCKETS
            )
            self._response_size = _histogram(
                registry, "http_server_response_body_size_bytes", "Bytes of response bodies.", SIZE_BUCKETS
            )

    def observe(self, route: str, method: str, status_code: int, seconds: float, trace_id: str | None) -> None:
        """Count one request; its trace id becomes the exemplar of the bucket that it falls into."""
        child = self._durations.get((route, method, status_code)) or self._admit(route, method, status_code)
        child.observe(seconds, trace_id)

    def observe_first_byte(
        self, route: str, method: str, status_code: int, seconds: float, trace_id: str | None
    ) -> None:
        """Note when the first byte of the answer's body went out."""
        self._first_byte.child(route, method, str(status_code)).observe(seconds, trace_id)

    def observe_sizes(self, route: str, method: str, status_code: int, received: int, sent: int) -> None:
        """Note how many bytes of body were read and sent."""
        self._request_size.child(route, method, str(status_code)).observe(received)
        self._response_size.child(route, method, str(status_code)).observe(sent)

    def _admit(self, route: str, method: str, status_code: int) -> HistogramChild:
        """The child of a combination that isn't kept under its number yet; at most as many are as are admitted."""
        child = self._duration.child(route, method, str(status_code))
        if self._duration.is_kept(route, method, str(status_code)):
            self._durations[route, method, status_code] = child
        return child


def _histogram(
    registry: CollectorRegistry, name: str, documentation: str, bounds: tuple[float, ...]
) -> HistogramFamily:
    return HistogramFamily(registry, name, documentation, _LABELS, bounds)


class _StartTime(Collector):
    """`process_start_time_seconds` where there is no /proc: the time when this module was imported."""

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            _START_METRIC, "Start time of the process since unix epoch in seconds.", value=_IMPORTED_AT_SECONDS
        )


def http_metrics(
    registry: CollectorRegistry, bounds: tuple[float, ...], *, sizes: bool, time_to_first_byte: bool
) -> HttpMetrics:
    """The metrics of `registry`, made at the first call; apps that share a registry share them.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, HttpMetrics):
        known = HttpMetrics(registry, bounds, sizes=sizes, time_to_first_byte=time_to_first_byte)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
        ensure_start_time(registry)
    elif (known.bounds, known.sizes, known.time_to_first_byte) != (bounds, sizes, time_to_first_byte):
        _logger.warning(
            "another app of this process shares the registry: its buckets %s and its options stay", known.bounds
        )
    return known


def ensure_start_time(registry: CollectorRegistry) -> None:
    """Export `process_start_time_seconds` from `registry`, if it doesn't yet."""
    # The ledger tells a newborn series from one that is merely discovered late by the age of the process;
    # only prometheus_client's global registry exports that by itself, and only where there is a /proc.
    if registry.get_sample_value(_START_METRIC) is None:
        ProcessCollector(registry=registry)
    if registry.get_sample_value(_START_METRIC) is None:
        registry.register(_StartTime())
