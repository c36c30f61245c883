"""Metrics sent to an OTLP receiver (Prometheus 3, a Collector) by each process, instead of being scraped.

OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OpenTelemetry's own variable for exactly this, switches it on and says where to;
OTEL_METRIC_EXPORT_INTERVAL (milliseconds) says how often. OTEL_EXPORTER_OTLP_ENDPOINT alone doesn't: it is set
wherever traces are exported, and would turn every scraped service into one that is counted twice.
"""

import atexit
import contextlib
import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.metrics.health import health_of
from sereno_telemetry.processes.usage import process_age_seconds

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
INTERVAL_VARIABLE = "OTEL_METRIC_EXPORT_INTERVAL"
INTERVAL_SECONDS = 15.0
LAST_PUSH_SECONDS = 2.0
"""The most that the end of a process waits for its last push."""

_FIRST_PUSH_SECONDS = 1.0
_FORK_WAIT_SECONDS = 1.0

_logger = logging.getLogger("sereno_telemetry")


class Send(Protocol):
    """What takes a message to the receiver."""

    def __call__(self, data: "MetricsData") -> str | None:
        """Send `data` once, bounded in time; what went wrong, if anything did."""


class MetricsPush:
    """Sends one registry's metrics every few seconds from a thread of its own; made by `start_metrics_push`.

    Each push says all that was counted so far, so that nothing has to be kept for a receiver that is down: the next one
    that arrives says it all.
    """

    def __init__(
        self, service: str, registry: CollectorRegistry, connect: Callable[[], Send], interval_seconds: float
    ) -> None:
        self._service = service
        self._registry = registry
        self._connect = connect
        self._interval_seconds = interval_seconds
        self._health = health_of(registry)
        self._become_a_process()

    def _become_a_process(self) -> None:
        self._send: Send | None = None
        self._resource: Resource | None = None
        self._thread: threading.Thread | None = None
        self._state = threading.Condition()
        self.collecting = threading.Lock()
        """Held while the registry is read, whose locks a child must not inherit in that state."""
        self._stopping = False
        self._asked = self._answered = 0
        self._arrived = False
        self._instance = str(uuid.uuid4())
        age_seconds = process_age_seconds(os.getpid())
        self._start_nanoseconds = time.time_ns() - int((age_seconds or 0) * 1e9)

    def start(self) -> None:
        """Begin to push, unless this process does already."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        with self._state:
            if self._resource is None:  # here, not in the thread: it needs threads itself, too late for a last push
                named = {"service.name": self._service, "service.instance.id": self._instance}
                self._resource = Resource.create(named)
            if not self.running:
                self._stopping = False
                self._thread = threading.Thread(
                    target=self._push_for_ever, args=(self._resource,), name="sereno-metrics-push", daemon=True
                )
                self._thread.start()

    @property
    def running(self) -> bool:
        """Whether this process pushes."""
        return self._thread is not None and self._thread.is_alive()

    def flush(self, timeout_seconds: float = LAST_PUSH_SECONDS) -> bool:
        """Push now what was counted until now; whether it arrived within `timeout_seconds`."""
        with self._state:
            if not self.running:
                return False
            self._asked += 1
            mine = self._asked
            self._state.notify_all()
            return self._state.wait_for(lambda: self._answered >= mine, timeout_seconds) and self._arrived

    def stop(self, timeout_seconds: float = LAST_PUSH_SECONDS) -> None:
        """Push for the last time and end; after `timeout_seconds` whether or not it arrived. `start` begins again."""
        with self._state:
            if self._stopping:  # by now it has arrived, or has been waited for
                return
            thread = self._thread
            self._stopping = True
            self._state.notify_all()
        if thread is not None:
            thread.join(timeout_seconds)
            if thread.is_alive():
                _logger.warning("the last metrics of %s did not arrive within %.1f s", self._service, timeout_seconds)

    def after_fork(self) -> None:
        """Be another instance, which pushes once it is started itself; called in a child before anything else."""
        self._become_a_process()

    def _push_for_ever(self, resource: "Resource") -> None:
        from opentelemetry.instrumentation.utils import suppress_instrumentation  # noqa: PLC0415

        with suppress_instrumentation():  # or every push would be a trace of its own
            wait_seconds = min(_FIRST_PUSH_SECONDS, self._interval_seconds)
            while True:
                with self._state:
                    self._state.wait_for(lambda: self._stopping or self._asked > self._answered, wait_seconds)
                    asked, last = self._asked, self._stopping
                arrived = self._push(resource)
                with self._state:
                    self._answered, self._arrived = asked, arrived
                    self._state.notify_all()
                    if last:
                        return
                wait_seconds = self._interval_seconds

    def _push(self, resource: "Resource") -> bool:
        try:
            self._send = self._send or self._connect()
            problem = self._send(self._message(resource))
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="pushing metrics")
            return False
        if problem is not None:
            self._health.note(ConnectionError(problem), doing="pushing metrics")
        return problem is None

    def _message(self, resource: "Resource") -> "MetricsData":
        from sereno_telemetry.metrics.scraping import registered  # noqa: PLC0415
        from sereno_telemetry.processes.otlp import metrics_data  # noqa: PLC0415

        with self.collecting:
            families = list(registered(self._registry, self._health))
        return metrics_data(
            families, resource, start_nanoseconds=self._start_nanoseconds, now_nanoseconds=time.time_ns()
        )


_pushes: dict[CollectorRegistry, MetricsPush] = {}


def start_metrics_push(
    service: str, *, registry: CollectorRegistry | None = None, environment: Mapping[str, str] = os.environ
) -> MetricsPush | None:
    """Push this process's metrics to the receiver that OTEL_EXPORTER_OTLP_METRICS_ENDPOINT names; None without it.

    Services need not call it: `instrument` does. Jobs do, and `flush_metrics()` before they end. A child that was
    forked later pushes once it calls this itself.

    Args:
        service: becomes the resource's `service.name`, and so the label `job`.
        registry: what is pushed; None is prometheus_client's global registry.
        environment: where the variables are read.
    """
    push = prepare_metrics_push(service, registry or REGISTRY, environment)
    if push is not None:
        push.start()
    return push


def prepare_metrics_push(
    service: str, registry: CollectorRegistry, environment: Mapping[str, str] = os.environ
) -> MetricsPush | None:
    """The push of `registry`, not yet started; None if it isn't wanted, or can't be had, which a warning says."""
    endpoint = environment.get(ENDPOINT_VARIABLE, "").strip()
    if not endpoint or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    known = _pushes.get(registry)
    if known is not None:
        return known
    try:
        from sereno_telemetry.processes.receiver import connect  # noqa: PLC0415
    except ImportError as error:
        _logger.warning(
            "%s is set, but metrics can't be pushed (%s): pip install 'sereno[otlp]'", ENDPOINT_VARIABLE, error
        )
        return None
    if not _pushes:
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
        atexit.register(_stop_all)
    push = _pushes[registry] = MetricsPush(service, registry, lambda: connect(endpoint), _interval(environment))
    return push


def flush_metrics(timeout_seconds: float = LAST_PUSH_SECONDS) -> bool:
    """Push now what all registries have counted; whether it arrived. True at once where nothing is pushed."""
    deadline = time.monotonic() + timeout_seconds
    running = [push for push in _pushes.values() if push.running]
    arrived = [push.flush(max(deadline - time.monotonic(), 0.0)) for push in running]
    return all(arrived)


def _interval(environment: Mapping[str, str]) -> float:
    named = environment.get(INTERVAL_VARIABLE, "").strip()
    if not named:
        return INTERVAL_SECONDS
    try:
        seconds = float(named) / 1000
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        _logger.warning("%s=%r is no number of milliseconds: metrics are pushed every 15 s", INTERVAL_VARIABLE, named)
        return INTERVAL_SECONDS
    return seconds


def _stop_all() -> None:
    deadline = time.monotonic() + LAST_PUSH_SECONDS
    for push in _pushes.values():
        push.stop(max(deadline - time.monotonic(), 0.0))


_held: list[threading.Lock] = []


def _before_fork() -> None:
    locks = (push.collecting for push in _pushes.values())
    _held.extend(lock for lock in locks if lock.acquire(timeout=_FORK_WAIT_SECONDS))


def _after_fork_in_parent() -> None:
    while _held:
        with contextlib.suppress(RuntimeError):
            _held.pop().release()


def _after_fork() -> None:
    _held.clear()
    for push in _pushes.values():
        push.after_fork()
