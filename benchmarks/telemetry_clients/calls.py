"""One client library under one instrumentation, in a process of its own: instrumentations patch the whole process.

Calls are made within a request that is sampled or not, as they are in a service.

The far end is a stub below the instrumentation (for SQLAlchemy a database in memory), so that the figures are the
client's side alone: no network, no server on the same cores.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import redis
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument_clients
from sqlalchemy import create_engine

Call = Callable[[], object]

LIBRARIES = ("httpx", "redis", "sqlalchemy")
BARE = "bare"
# Name → (who instruments, whether calls are measured, whether every trace is sampled)
VARIANTS: dict[str, tuple[str, bool, bool]] = {
    "OpenTelemetry, spans, 0 % sampled": ("opentelemetry", False, False),
    "OpenTelemetry, spans and metrics, 0 % sampled": ("opentelemetry", True, False),
    "Sereno, spans and metrics, 0 % sampled": ("sereno", True, False),
    "OpenTelemetry, spans, 100 % sampled": ("opentelemetry", False, True),
    "Sereno, spans and metrics, 100 % sampled": ("sereno", True, True),
}
CALLS = 500
BATCHES = 15


class _Discards(SpanExporter):
    """Where sampled spans end."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        """Forget them."""
        return SpanExportResult.SUCCESS


def measured(library: str, variant: str) -> float | None:
    """CPU microseconds of one call: the fastest batch; None where there is no such instrumentation."""
    prepared = _prepared(library)
    by, measures, samples = VARIANTS.get(variant, (BARE, False, False))
    provider = TracerProvider(sampler=ParentBased(ALWAYS_ON if samples else ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Discards()))
    if by != BARE and not _instrumented(library, by, measures, provider):
        return None
    call = prepared()
    with provider.get_tracer("benchmark").start_as_current_span("request"):
        _batch(call)  # warms up
        return min(_batch(call) for _ in range(BATCHES))


def _batch(call: Call) -> float:
    begun = time.thread_time()
    for _ in range(CALLS):
        call()
    return (time.thread_time() - begun) / CALLS * 1e6


def _prepared(library: str) -> Callable[[], Call]:
    """Stub the far end; what is returned makes the call, once the library is instrumented."""
    match library:
        case "httpx":
            answer = httpx.Response(200, headers={"content-type": "application/json"})
            _put(httpx.HTTPTransport, "handle_request", lambda _transport, _request: answer)
            request = httpx.Request("GET", "http://orders.test:8080/orders/7?full=1")
            transport = httpx.HTTPTransport()
            return lambda: lambda: transport.handle_request(request)
        case "redis":
            _put(redis.Redis, "_execute_command", lambda _client, *_arguments, **_options: b"value")
            client = redis.Redis(host="cache.test")
            return lambda: lambda: client.get("customer:7")
        case _:
            connection = create_engine("sqlite://").connect()
            # A connection looks for listeners when it is made.
            return lambda: _statement(connection)


def _statement(connection: Any) -> Call:
    fresh = connection.engine.connect()
    return lambda: fresh.exec_driver_sql("select 1").scalar()


def _put(owner: type, name: str, function: Callable[..., object]) -> None:
    setattr(owner, name, function)


def _instrumented(library: str, by: str, measures: bool, provider: TracerProvider) -> bool:
    if by == "sereno":
        done = instrument_clients(registry=CollectorRegistry(), tracer_provider=provider, libraries=[library])
        return done.libraries == (library,)
    meters: MeterProvider = SdkMeterProvider([InMemoryMetricReader()]) if measures else NoOpMeterProvider()
    return _by_opentelemetry(library, measures, tracer_provider=provider, meter_provider=meters)


def _by_opentelemetry(library: str, measures: bool, **providers: Any) -> bool:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.redis import RedisInstrumentor  # noqa: PLC0415

    match library:
        case "httpx":
            HTTPXClientInstrumentor().instrument(**providers)
            return True
        case "redis" if not measures:  # it has no metrics
            RedisInstrumentor().instrument(**providers)
            return True
        case _:  # its instrumentation refuses SQLAlchemy 2.1
            return False
