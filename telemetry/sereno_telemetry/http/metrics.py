"""The metrics of an HTTP service, one set for each registry."""

import logging
import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sereno_telemetry.metrics.buckets import DURATION_METRIC
from sereno_telemetry.metrics.families import HistogramChild, HistogramFamily, Labels, adding_to
from sereno_telemetry.metrics.health import health_of

MOST_ROUTES = 300
"""Templates are as many as the app has routes; this holds an app that adds routes while it runs."""
MOST_STATUS_CODES = 70

OTHER_STATUS_CODE = -1
"""Stands for every code that isn't one of HTTP; its label value is `_OTHER`."""

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
        self,
        registry: CollectorRegistry,
        bounds: tuple[float, ...],
        *,
        sizes: bool,
        time_to_first_byte: bool,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.bounds = bounds
        self.clock = clock
        self.health = health_of(registry)
        active = Gauge(
            "http_server_active_requests", "HTTP requests in progress.", registry=registry, multiprocess_mode="livesum"
        )
        self._add_to_active = adding_to(active)
        self._still_counted = 0
        self.durations = _Durations(
            registry, DURATION_METRIC, "Duration of HTTP server requests, up to the last chunk of the answer.", bounds
        )
        self.first_byte = _first_bytes(registry, bounds) if time_to_first_byte else None
        self.sizes = _Sizes(registry) if sizes else None

    def enter(self) -> None:
        """One request more is in progress."""
        if self._still_counted:
            self._add_to_active(-self._still_counted)
            self._still_counted = 0
        self._add_to_active(1)

    def leave(self) -> None:
        """One request less is in progress; if that can't be counted now, it is when the next one comes."""
        try:
            self._add_to_active(-1)
        except Exception:
            self._still_counted += 1
            raise


class _Durations:
    """Histograms of seconds by route, method and code."""

    def __init__(self, registry: CollectorRegistry, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        self._family = HistogramFamily(registry, name, documentation, _LABELS, bounds)
        self._children: dict[tuple[str, str, int], HistogramChild] = {}

    def child(self, key: tuple[str, str, int]) -> HistogramChild:
        """The histogram of a route, a method and a code."""
        return self._children.get(key) or self._admit(key)

    def _admit(self, key: tuple[str, str, int]) -> HistogramChild:
        """The child of a combination that isn't kept under its number yet; as many are kept as are admitted."""
        values = _label_values(*key)
        child = self._family.child(*values)
        if self._family.is_kept(*values):
            self._children[key] = child
        return child


class _Sizes:
    """Bytes of bodies, by route, method and code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = HistogramFamily(
            registry,
            "http_server_request_body_size_bytes",
            "Bytes of request bodies, as far as apps read them.",
            _LABELS,
            SIZE_BUCKETS,
        )
        self._responses = HistogramFamily(
            registry, "http_server_response_body_size_bytes", "Bytes of response bodies.", _LABELS, SIZE_BUCKETS
        )

    def observe(self, key: tuple[str, str, int], received_bytes: int, sent_bytes: int) -> None:
        """Count one request and its answer, of a route, a method and a code."""
        values = _label_values(*key)
        self._requests.child(*values).observe(received_bytes)
        self._responses.child(*values).observe(sent_bytes)


def _first_bytes(registry: CollectorRegistry, bounds: tuple[float, ...]) -> _Durations:
    return _Durations(
        registry,
        "http_server_time_to_first_byte_seconds",
        "Time until the server had taken the first bytes of the answer's body.",
        bounds,
    )


def _label_values(route: str, method: str, status_code: int) -> tuple[str, str, str]:
    code = "_OTHER" if status_code == OTHER_STATUS_CODE else str(int(status_code))
    return route, method, code


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
    elif (known.bounds, known.sizes is not None, known.first_byte is not None) != (bounds, sizes, time_to_first_byte):
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
