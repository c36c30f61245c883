"""The two metrics of an HTTP service, one set for each registry."""

import logging
import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_telemetry.metrics.buckets import DURATION_METRIC
from sereno_telemetry.metrics.families import HistogramFamily
from sereno_telemetry.metrics.health import health_of

MOST_ROUTES = 300
MOST_STATUS_CODES = 70

_KEPT = "_sereno_telemetry_http"
_START_METRIC = "process_start_time_seconds"
_IMPORTED_AT_SECONDS = time.time()

_logger = logging.getLogger("sereno_telemetry")


class HttpMetrics:
    """Duration histogram, requests in progress and the instrumentation's own errors, in one registry."""

    def __init__(self, registry: CollectorRegistry, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.health = health_of(registry)
        self.active = Gauge(
            "http_server_active_requests", "HTTP requests in progress.", registry=registry, multiprocess_mode="livesum"
        )
        self._duration = HistogramFamily(
            registry,
            DURATION_METRIC,
            "Duration of HTTP server requests, up to the last chunk of the answer.",
            {"http_route": MOST_ROUTES, "http_request_method": None, "http_response_status_code": MOST_STATUS_CODES},
            bounds,
        )

    def observe(self, *, route: str, method: str, status_code: int, seconds: float, trace_id: str | None) -> None:
        """Count one request; its trace id becomes the exemplar of the bucket that it falls into."""
        self._duration.child(route, method, str(status_code)).observe(seconds, trace_id)


class _StartTime(Collector):
    """`process_start_time_seconds` where there is no /proc: the time when this module was imported."""

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            _START_METRIC, "Start time of the process since unix epoch in seconds.", value=_IMPORTED_AT_SECONDS
        )


def http_metrics(registry: CollectorRegistry, bounds: tuple[float, ...]) -> HttpMetrics:
    """The metrics of `registry`, made at the first call; apps that share a registry share them.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, HttpMetrics):
        known = HttpMetrics(registry, bounds)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
        ensure_start_time(registry)
    elif known.bounds != bounds:
        _logger.warning("another app of this process shares the registry: its buckets %s stay", known.bounds)
    return known


def ensure_start_time(registry: CollectorRegistry) -> None:
    """Export `process_start_time_seconds` from `registry`, if it doesn't yet."""
    # The ledger tells a newborn series from one that is merely discovered late by the age of the process;
    # only prometheus_client's global registry exports that by itself, and only where there is a /proc.
    if registry.get_sample_value(_START_METRIC) is None:
        ProcessCollector(registry=registry)
    if registry.get_sample_value(_START_METRIC) is None:
        registry.register(_StartTime())
