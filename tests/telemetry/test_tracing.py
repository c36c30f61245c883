"""One server span a request, whatever else in the process traces, and its id where people look for it."""

import logging
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument

Call = Callable[..., httpx.Response]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where finished spans arrive."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> TracerProvider:
    """A provider that exports to `spans` at once."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


def test_a_request_is_one_server_span_under_its_template(
    call: Call, registry: CollectorRegistry, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """The span is named by method and full template, below mounts too; sending and receiving make no spans."""
    inner = FastAPI()

    @inner.get("/things/{thing}")
    def thing(thing: int) -> int:
        return thing

    app = FastAPI()
    app.mount("/tenants/{tenant}", inner)
    instrument(app, service="shop", registry=registry, tracer_provider=provider)
    call(app, "GET", "/tenants/acme/things/7")
    (span,) = spans.get_finished_spans()
    assert span.kind is SpanKind.SERVER
    assert span.name == "GET /tenants/{tenant}/things/{thing}"
    assert span.attributes is not None
    assert span.attributes["http.route"] == "/tenants/{tenant}/things/{thing}"


def test_scrapes_make_no_spans(
    call: Call, registry: CollectorRegistry, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """`/metrics` is neither traced nor counted; a path of the app that merely ends like it is."""
    app = FastAPI()

    @app.get("/api/metrics")
    def own() -> str:
        return "the app's own"

    instrument(app, service="shop", registry=registry, tracer_provider=provider)
    call(app, "GET", "/metrics")
    call(app, "GET", "/metrics?name=x")
    assert spans.get_finished_spans() == ()
    assert "http_server_request_duration_seconds_count" not in call(app, "GET", "/metrics").text
    call(app, "GET", "/api/metrics")
    assert [span.name for span in spans.get_finished_spans()] == ["GET /api/metrics"]


def test_the_exemplar_carries_the_trace_of_the_request(
    call: Call, registry: CollectorRegistry, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """From a bucket of the histogram one gets to the trace: the caller's, if it sent one."""
    app = FastAPI()
    instrument(app, service="shop", registry=registry, tracer_provider=provider)
    caller = "4bf92f3577b34da6a3ce929d0e0e4736"
    call(app, "GET", "/openapi.json", headers={"traceparent": f"00-{caller}-00f067aa0ba902b7-01"})
    text = call(app, "GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}).text
    exemplars = [line for line in text.splitlines() if " # {" in line]
    assert len(exemplars) == 1
    assert f'# {{trace_id="{caller}"}}' in exemplars[0]
    assert trace.format_trace_id(spans.get_finished_spans()[0].get_span_context().trace_id) == caller  # type: ignore[union-attr]


def test_without_tracing_there_are_figures_but_no_ids(call: Call, registry: CollectorRegistry) -> None:
    """`tracing=False` takes away spans and exemplars, nothing else."""
    app = FastAPI()
    done = instrument(app, service="shop", registry=registry, tracing=False)
    assert done.tracer_provider is None
    call(app, "GET", "/openapi.json")
    text = call(app, "GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}).text
    assert "http_server_request_duration_seconds_count{" in text
    assert "# {" not in text


# Global providers can be set once in a process, hence processes of their own.
GLOBAL_PROVIDERS = """
import asyncio, httpx
from fastapi import FastAPI
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))

inner = FastAPI()
inner.get("/things")(lambda: [])
app = FastAPI()
app.get("/plain")(lambda: [])
app.mount("/inner", inner)
instrument(app, service="shop", registry=CollectorRegistry(), tracing={tracing})

async def main():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        for path in ("/plain", "/inner/things"):
            assert (await client.get(path)).status_code == 200

asyncio.run(main())
print(sorted(span.name for span in spans.get_finished_spans() if span.kind is trace.SpanKind.SERVER))
data = reader.get_metrics_data()
print(sorted(metric.name for resource in (data.resource_metrics if data else []) for scope in resource.scope_metrics
             for metric in scope.metrics))
"""


@pytest.mark.parametrize("tracing", [True, False])
def test_fastapis_own_telemetry_counts_and_traces_nothing_twice(tracing: bool) -> None:
    """With global providers, FastAPI 0.165 traces and measures by itself: still one span a request, and no metric."""
    code = textwrap.dedent(GLOBAL_PROVIDERS).replace("{tracing}", str(tracing))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    names, metrics = done.stdout.splitlines()
    assert names == "['GET /inner/things', 'GET /plain']"
    assert metrics == "[]"


def test_an_app_that_opentelemetry_instrumented_before_keeps_its_spans(
    call: Call,
    registry: CollectorRegistry,
    provider: TracerProvider,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under `opentelemetry-instrument` there is one server span a request, and the exemplar is its trace."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415

    # With this there, it doesn't patch the background tasks of all tests that come after.
    monkeypatch.setattr("starlette.background.BackgroundTask._otel_original_call", None, raising=False)
    app = FastAPI()
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    instrument(app, service="shop", registry=registry)
    call(app, "GET", "/openapi.json")
    (span,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    text = call(app, "GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}).text
    context = span.get_span_context()
    assert context is not None
    assert f'trace_id="{trace.format_trace_id(context.trace_id)}"' in text


def test_an_ended_span_is_left_alone(
    call: Call, registry: CollectorRegistry, provider: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that breaks off, whose span is over first, makes the SDK complain about nothing."""
    app = FastAPI()

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("the other half")

    @app.get("/half")
    def answer() -> StreamingResponse:
        return StreamingResponse(half())

    instrument(app, service="shop", registry=registry, tracer_provider=provider)
    with caplog.at_level(logging.WARNING):
        call(app, "GET", "/half")
    assert [record.getMessage() for record in caplog.records] == []
