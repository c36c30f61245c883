"""`configure_tracing`: one provider for the process, by OpenTelemetry's variables, whatever they say."""

import logging
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util._once import Once
from prometheus_client import CollectorRegistry
from sereno_telemetry import configure_tracing
from sereno_telemetry.tracing.providers import exports_spans

NOWHERE = "http://127.0.0.1:9"
SAMPLED_PARENT = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose global provider nobody has set, and no variables of OpenTelemetry."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    for variable in ("ENDPOINT", "TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{variable}", raising=False)


def configured(service: str = "shop", **arguments: float | None) -> TracerProvider:
    """What `configure_tracing` makes of these arguments."""
    provider = configure_tracing(service, registry=CollectorRegistry(), **arguments)
    assert isinstance(provider, TracerProvider)
    return provider


def sampled(provider: TracerProvider, headers: dict[str, str] | None = None) -> bool:
    """Whether a span that begins with these headers is sampled."""
    context = TraceContextTextMapPropagator().extract(headers or {})
    return provider.get_tracer("test").start_span("work", context).get_span_context().trace_flags.sampled


def test_the_provider_says_who_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Service, instance, host and process are named; the environment's names win, except over the service's."""
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES", "host.name=pod-7,service.name=other,deployment.environment.name=test"
    )
    attributes = configured().resource.attributes
    assert attributes["service.name"] == "shop"
    assert attributes["host.name"] == "pod-7"
    assert attributes["deployment.environment.name"] == "test"
    assert {"service.instance.id", "process.pid"} <= attributes.keys()


def test_it_is_the_process_s_own_once(caplog: pytest.LogCaptureFixture) -> None:
    """The first provider is global; a second call says so, and changes nothing."""
    first = configured()
    assert trace.get_tracer_provider() is first
    assert configured(service="other") is first
    assert "already" in caplog.text


def test_the_ratio_decides_about_traces_that_begin_here() -> None:
    """At 0 nothing that begins here is sampled, and a caller's decision stands."""
    provider = configured(sample_ratio=0.0)
    assert not any(sampled(provider) for _ in range(20))
    assert sampled(provider, SAMPLED_PARENT)


def test_without_a_ratio_the_standard_variables_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_TRACES_SAMPLER rules where the code says nothing."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert not sampled(configured(), SAMPLED_PARENT)


def test_without_variables_every_trace_is_sampled() -> None:
    """OpenTelemetry's default."""
    assert sampled(configured())


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan"), True])
def test_a_wrong_ratio_is_told_at_once(ratio: float) -> None:
    """A mistake in the code is an exception at start, and sets no provider."""
    with pytest.raises(ValueError, match="from 0"):
        configured(sample_ratio=ratio)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def test_a_service_needs_a_name() -> None:
    """An empty name is a mistake in the code."""
    with pytest.raises(ValueError, match="name"):
        configured(service=" ")


def test_one_can_see_whether_spans_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint nobody reads spans, until somebody adds a processor."""
    provider = configured()
    assert not exports_spans(provider)
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    assert exports_spans(provider)
    assert not exports_spans(trace.NoOpTracerProvider())
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    with_endpoint = configured()
    assert exports_spans(with_endpoint)
    with_endpoint.shutdown()


def test_traces_can_be_switched_off_where_metrics_have_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_TRACES_EXPORTER=none is respected."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert not exports_spans(configured())


def test_a_missing_exporter_is_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without the exporter's package the service goes on, and the log says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    assert sampled(configured())
    assert "sereno[otlp]" in caplog.text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=,=,a"),
    ],
)
def test_a_wrong_environment_starts_all_the_same(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Variables that make no sense cost their effect, never the service."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE)
    monkeypatch.setenv(variable, value)
    with caplog.at_level(logging.CRITICAL):
        provider = configured()
    assert sampled(provider)
    provider.shutdown()


def test_values_of_attributes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte in an attribute is cut, unless the environment names a length itself."""
    for length in (None, "7"):
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
        monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
        if length:
            monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", length)
        spans = InMemorySpanExporter()
        provider = configured(sample_ratio=1.0)
        provider.add_span_processor(SimpleSpanProcessor(spans))
        provider.get_tracer("test").start_span("work", attributes={"text": "x" * 1_000_000}).end()
        (span,) = spans.get_finished_spans()
        assert span.attributes is not None
        assert len(str(span.attributes["text"])) == int(length or 16_384)
