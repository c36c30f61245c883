"""Within an unsampled request a call takes the short way, past its instrumentation, where nothing can differ by it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from sereno_telemetry import ClientInstrumentation
from sqlalchemy import create_engine, text

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]

METRIC = "http_client_request_duration_seconds"
UNSAMPLED = trace.NonRecordingSpan(trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(0)))


@pytest.fixture(autouse=True)
def unsampled_request() -> Iterator[None]:
    """Each test runs within one."""
    with trace.use_span(UNSAMPLED):
        yield


def provider_of(sampler: Sampler, spans: InMemorySpanExporter) -> TracerProvider:
    """A provider that exports to `spans`."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def broken_instrumentation(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's instrumentation of httpx raises whenever it runs."""

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("broken instrumentation")

    monkeypatch.setattr("opentelemetry.instrumentation.httpx._apply_request_client_attributes_to_span", fail)


@pytest.mark.usefixtures("broken_instrumentation")
@pytest.mark.parametrize("root", [ALWAYS_ON, ALWAYS_OFF], ids=["on", "off"])
def test_the_instrumentation_does_not_run(
    *,
    root: Sampler,
    server: str,
    instrumented: Instrument,
    counted: Counted,
    spans: InMemorySpanExporter,
    registry: CollectorRegistry,
) -> None:
    """Where the sampler follows its parent, no span is built; the call is counted and carries the request's trace."""
    instrumented(provider_of(ParentBased(root), spans), "httpx")
    headers = httpx.get(f"{server}/echo").json()
    assert headers["traceparent"] == f"00-{1:032x}-{1:016x}-00"
    assert counted(METRIC) == {("GET", "127.0.0.1", "200", ""): 1}
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 0


class Contrary(ParentBased):
    """A sampler with rules of its own."""

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        """Sample whatever the parent says."""
        return ALWAYS_ON.should_sample(*args, **kwargs)


@pytest.mark.parametrize(
    "sampler",
    [ALWAYS_ON, ParentBased(ALWAYS_OFF, local_parent_not_sampled=ALWAYS_ON), Contrary(ALWAYS_OFF)],
    ids=["without regard to parents", "against its parent", "with rules of its own"],
)
def test_a_sampler_with_a_will_of_its_own_is_asked(
    sampler: Sampler, server: str, instrumented: Instrument, counted: Counted, spans: InMemorySpanExporter
) -> None:
    """A sampler that may sample the child of an unsampled parent does so."""
    instrumented(provider_of(sampler, spans), "httpx")
    httpx.get(f"{server}/echo")
    assert len(spans.get_finished_spans()) == 1
    assert counted(METRIC) == {("GET", "127.0.0.1", "200", ""): 1}


@pytest.mark.usefixtures("broken_instrumentation")
def test_where_no_span_leaves_the_process_none_is_built(
    server: str, instrumented: Instrument, counted: Counted, spans: InMemorySpanExporter, registry: CollectorRegistry
) -> None:
    """Without an exporter a sampled trace takes the short way, too, with its exemplar; with one no more."""
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    instrumented(provider, "httpx")
    with provider.get_tracer("test").start_as_current_span("request") as request:
        headers = httpx.get(f"{server}/echo").json()
    trace_id = trace.format_trace_id(request.get_span_context().trace_id)
    assert trace_id in headers["traceparent"]
    assert f'# {{trace_id="{trace_id}"}}' in generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 0
    provider.add_span_processor(SimpleSpanProcessor(spans))
    httpx.get(f"{server}/echo")
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1
    assert counted(METRIC)["GET", "127.0.0.1", "200", ""] == 1


@pytest.mark.usefixtures("broken_instrumentation")
def test_without_an_sdk_calls_are_counted_all_the_same(
    server: str, instrumented: Instrument, counted: Counted, registry: CollectorRegistry
) -> None:
    """No provider, no trace, no headers: figures."""
    instrumented(trace.NoOpTracerProvider(), "httpx")
    with trace.use_span(trace.INVALID_SPAN):
        assert "traceparent" not in httpx.get(f"{server}/echo").json()
    assert counted(METRIC) == {("GET", "127.0.0.1", "200", ""): 1}
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 0


def test_suppressed_calls_are_none_of_ours(
    server: str, instrumented: Instrument, counted: Counted, spans: InMemorySpanExporter
) -> None:
    """What runs under suppress_instrumentation is not measured on the short way, either."""
    instrumented(provider_of(ParentBased(ALWAYS_OFF), spans))
    with suppress_instrumentation():
        assert "traceparent" not in httpx.get(f"{server}/echo").json()
        with create_engine("sqlite://").connect() as connection:
            connection.execute(text("select 1"))
    assert counted(METRIC) == {}
    assert counted("db_client_operation_duration_seconds") == {}


def test_excluded_urls_are_excluded(
    server: str,
    instrumented: Instrument,
    counted: Counted,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OTEL_PYTHON_HTTPX_EXCLUDED_URLS holds for unsampled calls as well."""
    monkeypatch.setenv("OTEL_PYTHON_HTTPX_EXCLUDED_URLS", "status")
    instrumented(provider_of(ParentBased(ALWAYS_OFF), spans), "httpx")
    httpx.get(f"{server}/status/200")
    httpx.get(f"{server}/echo")
    assert sum(counted(METRIC).values()) == 1
