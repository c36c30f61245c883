"""The two metrics of an HTTP service, one set for each registry."""

import logging
import time
import weakref
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_telemetry._buckets import DURATION_METRIC
from sereno_telemetry._errors import InstrumentationErrors

_START_METRIC = "process_start_time_seconds"
_IMPORTED_AT_SECONDS = time.time()

_logger = logging.getLogger("sereno_telemetry")


class HttpMetrics:
    """Duration histogram, requests in progress and the instrumentation's own errors, in one registry."""

    def __init__(self, registry: CollectorRegistry, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.errors = InstrumentationErrors(registry)
        self.active = Gauge("http_server_active_requests", "HTTP requests in progress.", registry=registry)
        self._duration = Histogram(
            DURATION_METRIC,
            "Duration of HTTP server requests, up to the last chunk of the answer.",
            labelnames=("http_route", "http_request_method", "http_response_status_code"),
            buckets=bounds,
            registry=registry,
        )
        # labels() validates and locks at each call; routes, methods and codes are few, so their children are kept.
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, *, route: str, method: str, status_code: int, seconds: float, trace_id: str | None) -> None:
        """Count one request; its trace id becomes the exemplar of the bucket that it falls into."""
        key = (route, method, status_code)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._duration.labels(route, method, str(status_code))
        child.observe(seconds, {"trace_id": trace_id} if trace_id else None)


class _StartTime(Collector):
    """`process_start_time_seconds` where there is no /proc: the time when this module was imported."""

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            _START_METRIC, "Start time of the process since unix epoch in seconds.", value=_IMPORTED_AT_SECONDS
        )


_metrics_of: "weakref.WeakKeyDictionary[CollectorRegistry, HttpMetrics]" = weakref.WeakKeyDictionary()


def http_metrics(registry: CollectorRegistry, bounds: tuple[float, ...]) -> HttpMetrics:
    """The metrics of `registry`, made at the first call; apps that share a registry share them.

    Raises:
        ValueError: something else has registered a metric of one of these names.
    """
    known = _metrics_of.get(registry)
    if known is None:
        known = _metrics_of[registry] = HttpMetrics(registry, bounds)
        _ensure_start_time(registry)
    elif known.bounds != bounds:
        _logger.warning("another app of this process shares the registry: its buckets %s stay", known.bounds)
    return known


def _ensure_start_time(registry: CollectorRegistry) -> None:
    # The ledger tells a newborn series from one that is merely discovered late by the age of the process;
    # only prometheus_client's global registry exports that by itself, and only where there is a /proc.
    if registry.get_sample_value(_START_METRIC) is None:
        ProcessCollector(registry=registry)
    if registry.get_sample_value(_START_METRIC) is None:
        registry.register(_StartTime())
