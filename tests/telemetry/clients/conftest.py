"""What tests of outgoing calls share: a real server to call, instrumented clients, and what was counted."""

import threading
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from prometheus_client import CollectorRegistry
from sereno_telemetry import ClientInstrumentation, instrument_clients
from support.ports import free_port
from support.waiting import wait_for

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The base URL of a real server: /echo answers with the headers that came, /status/{code} with that code."""
    app = FastAPI()

    @app.get("/echo")
    def echo(request: Request) -> dict[str, str]:
        return dict(request.headers)

    @app.api_route("/status/{code}", methods=["GET", "POST"])
    def status(code: int) -> Response:
        return Response("body", code)

    port = free_port()
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", ws="none"))
    thread = threading.Thread(target=running.run)
    thread.start()
    wait_for(lambda: running.started, what="the server to listen")
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where sampled spans arrive."""
    return InMemorySpanExporter()


@pytest.fixture
def sampling(spans: InMemorySpanExporter) -> TracerProvider:
    """A provider that samples what begins here."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture(params=["on its own", "within an unsampled request"])
def not_sampling(request: pytest.FixtureRequest, spans: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """A provider that samples nothing that begins here; the test runs on its own and within an unsampled request."""
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    if request.param == "on its own":
        yield provider
    else:
        with provider.get_tracer("test").start_as_current_span("request"):
            yield provider


@pytest.fixture
def instrumented(registry: CollectorRegistry) -> Iterator[Instrument]:
    """Instrument clients until the test ends; figures go to the test's registry."""
    done: list[ClientInstrumentation] = []

    def instrument(provider: TracerProvider, *libraries: str) -> ClientInstrumentation:
        clients = instrument_clients(registry=registry, tracer_provider=provider, libraries=libraries or None)
        done.append(clients)
        return clients

    yield instrument
    for clients in done:
        clients.uninstrument()


@pytest.fixture
def counted(registry: CollectorRegistry) -> Counted:
    """Calls counted so far by a histogram: values of its labels, in their order → how many."""

    def read(metric: str) -> Mapping[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == f"{metric}_count"
        }

    return read
