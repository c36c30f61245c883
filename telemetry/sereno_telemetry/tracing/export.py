"""Spans on their way out: by OTLP/HTTP, through a bounded queue, at nobody's cost but their own.

Whatever the endpoint does, requests don't wait for it: the SDK's batch thread talks to it. Here is what the SDK lacks:
lost spans are counted, the log hears of a dead endpoint once a minute, and the process ends within two seconds.
"""

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from sereno_telemetry.metrics.families import CounterFamily
from sereno_telemetry.metrics.health import LOG_INTERVAL_SECONDS, TelemetryHealth, health_of

SHUTDOWN_SECONDS = 2.0
"""The longest that the end of the process waits for spans to be sent."""

Reason = Literal["queue_full", "export_failed", "shutdown"]

_TRACES_VARIABLE = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_NOISY_LOGGERS = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
_KEPT = "_sereno_telemetry_span_drops"

_logger = logging.getLogger("sereno_telemetry")


def otlp_endpoint(environment: Mapping[str, str]) -> str | None:
    """The full URL that spans are sent to; None: nowhere."""
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return None
    exact = environment.get(_TRACES_VARIABLE, "").strip()
    base = environment.get(_ENDPOINT_VARIABLE, "").strip()
    return exact or (f"{base.rstrip('/')}/v1/traces" if base else None)


def otlp_processor(
    endpoint: str, environment: Mapping[str, str], registry: CollectorRegistry
) -> "BoundedSpanProcessor | None":
    """What sends spans to `endpoint`; None, with a warning, if this process can't."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    except ImportError:
        _logger.warning("spans are not exported to %s: `pip install 'sereno[otlp]'` brings the exporter", endpoint)
        return None
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        _logger.warning("spans go to %s by http/protobuf: OTLP's protocol %s is not supported", endpoint, protocol)
    try:
        processor = BoundedSpanProcessor(lambda: OTLPSpanExporter(endpoint=endpoint), environment, registry)
    except Exception as error:  # noqa: BLE001 - a service always starts
        _logger.warning("spans are not exported to %s: %s", endpoint, error)
        return None
    _quieten()
    return processor


class SpanDrops:
    """Counts the spans that were lost on the way out; one for each registry, by `span_drops_of`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lost = CounterFamily(
            registry,
            "sereno_telemetry_spans_dropped_total",
            "Finished spans that never reached the endpoint, because the queue was full or the export failed.",
            {"reason": None},
        )
        for reason in ("queue_full", "export_failed"):
            self._lost.child(reason)  # a counter that begins with 0 shows its first loss to rate()

    def count(self, reason: Reason, spans: int = 1) -> None:
        """Count `spans` lost for `reason`."""
        self._lost.child(reason).inc(spans)


def span_drops_of(registry: CollectorRegistry) -> SpanDrops:
    """The counter of lost spans of `registry`, made at the first call."""
    known = getattr(registry, _KEPT, None)
    if not isinstance(known, SpanDrops):
        known = SpanDrops(registry)
        setattr(registry, _KEPT, known)  # on the registry itself: it lives exactly as long
    return known


class BoundedSpanProcessor(BatchSpanProcessor):
    """The SDK's batch processor with a queue whose losses are counted and an end that doesn't hang.

    `make_exporter` is called once in each process.
    """

    def __init__(
        self, make_exporter: Callable[[], SpanExporter], environment: Mapping[str, str], registry: CollectorRegistry
    ) -> None:
        self._make_exporter = make_exporter
        self._limit = _positive(environment, "OTEL_BSP_MAX_QUEUE_SIZE", 2048)
        self._drops = span_drops_of(registry)
        self._health = health_of(registry)
        self._waiting = 0
        self._lock = threading.Lock()
        self._closed = False
        self._counting = _CountingExporter(make_exporter(), self._taken, self._drops, self._health)
        super().__init__(
            self._counting,
            max_queue_size=self._limit,
            max_export_batch_size=min(_positive(environment, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512), self._limit),
            schedule_delay_millis=_positive(environment, "OTEL_BSP_SCHEDULE_DELAY", 5000),
        )
        if hasattr(os, "register_at_fork"):
            begin_anew = weakref.WeakMethod(self._begin_anew)

            def after_fork() -> None:
                method = begin_anew()
                if method is not None:
                    method()

            os.register_at_fork(after_in_child=after_fork)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span, or count it as lost; never waits, never raises."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        try:
            # Counted here, before the SDK's queue, which throws away silently: it never holds more than we let in.
            with self._lock:
                admitted = not self._closed and self._waiting < self._limit
                self._waiting += admitted
            if admitted:
                super().on_end(span)
            else:
                self._drops.count("shutdown" if self._closed else "queue_full")
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="queueing a span")

    def shutdown(self) -> None:
        """Send what is queued, for at most `SHUTDOWN_SECONDS`."""
        if self._closed:
            return
        self._closed = True
        self._batch_processor.shutdown(timeout_millis=int(SHUTDOWN_SECONDS * 1000))
        if self._waiting > 0:
            _logger.warning("%d spans were not exported before the process ended", self._waiting)

    def _taken(self, spans: int) -> None:
        with self._lock:
            self._waiting -= spans

    def _begin_anew(self) -> None:
        """In a forked worker: what is queued, the lock's holder and the open connections are the parent's."""
        self._lock = threading.Lock()
        self._waiting = 0
        try:
            self._counting.exporter = self._make_exporter()
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="making the exporter of a forked worker")


class _CountingExporter(SpanExporter):
    """An exporter whose failures are counted; what it raises ends here."""

    def __init__(
        self, exporter: SpanExporter, taken: Callable[[int], None], drops: SpanDrops, health: TelemetryHealth
    ) -> None:
        self.exporter = exporter
        self._taken = taken
        self._drops = drops
        self._health = health

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; called by the batch thread."""
        self._taken(len(spans))
        result = SpanExportResult.FAILURE
        try:
            result = self.exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="exporting spans")
        if result is not SpanExportResult.SUCCESS:
            self._drops.count("export_failed", len(spans))
        return result

    def shutdown(self) -> None:
        """Close the connections and end the retries."""
        with contextlib.suppress(Exception):
            self.exporter.shutdown()


class OnceAMinute(logging.Filter):
    """Lets one record of each message template through a minute, as one line: a dead endpoint is one piece of news."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told_at: dict[tuple[int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; its traceback isn't."""
        record.exc_info, record.exc_text = None, None
        kind, now = (record.levelno, str(record.msg)), self._clock()
        due = now - self._told_at.get(kind, -LOG_INTERVAL_SECONDS) >= LOG_INTERVAL_SECONDS
        if due:
            self._told_at[kind] = now
        return due


def _quieten() -> None:
    for name in _NOISY_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, OnceAMinute) for known in logger.filters):
            logger.addFilter(OnceAMinute())


def _positive(environment: Mapping[str, str], variable: str, usual: int) -> int:
    text = environment.get(variable, "").strip()
    if not text:
        return usual
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0:
        _logger.warning("%s=%s is no positive whole number: %d is used", variable, text, usual)
        return usual
    return value
