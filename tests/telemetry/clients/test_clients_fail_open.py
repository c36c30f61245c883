"""Whatever breaks in the instrumentation of a client, the call is made once and its outcome is its own."""

# ruff: noqa: ARG002, D102 - the signatures below are OpenTelemetry's

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
import requests
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from prometheus_client import CollectorRegistry
from sereno_telemetry import ClientInstrumentation
from sereno_telemetry.clients.metrics import ClientMetrics
from sqlalchemy import create_engine, exc, text
from support.broken_tracing import BrokenProcessor, BrokenSampler

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]


AROUND = ("propagator", "metrics", "propagator, unsampled", "metrics, unsampled")
UNSAMPLED = trace.NonRecordingSpan(trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(0)))


class BrokenPropagator(TextMapPropagator):
    """A propagator with a bug: headers can't be injected."""

    def extract(self, *args: object, **kwargs: object) -> Context:
        raise RuntimeError("broken propagator")

    def inject(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError("broken propagator")

    @property
    def fields(self) -> set[str]:
        return set()


def provider_with(processor: SpanProcessor) -> TracerProvider:
    """A provider of that processor."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


@pytest.fixture(params=["sampler", "processor's start", "processor's end", *AROUND])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    """A provider, with something broken in it or around it, also within an unsampled request."""
    broken, _, within = request.param.partition(", ")
    provider = TracerProvider(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)
    with trace.use_span(UNSAMPLED) if within else contextlib.nullcontext():
        yield from _broken(broken, provider, monkeypatch)


def _broken(broken: str, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    match broken:
        case "sampler":
            yield TracerProvider(sampler=BrokenSampler(), shutdown_on_exit=False)
        case "processor's start":
            yield provider_with(BrokenProcessor("start"))
        case "processor's end":
            yield provider_with(BrokenProcessor("end"))
        case "propagator":
            before = propagate.get_global_textmap()
            propagate.set_global_textmap(BrokenPropagator())
            yield provider
            propagate.set_global_textmap(before)
        case _:

            def fail(*_arguments: object) -> None:
                raise RuntimeError("broken metrics")

            monkeypatch.setattr(ClientMetrics, "observe", fail)
            yield provider


def errors(registry: CollectorRegistry) -> float:
    """Exceptions of the instrumentation so far."""
    return registry.get_sample_value("sereno_telemetry_errors_total") or 0


def test_http_calls_survive(
    server: str, broken: TracerProvider, instrumented: Instrument, registry: CollectorRegistry
) -> None:
    """Httpx in both forms and requests get their answers, and every one is counted as an error of ours."""
    instrumented(broken)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(f"{server}/status/418")

    for answer in (
        httpx.get(f"{server}/status/418"),
        asyncio.run(ask()),
        requests.get(f"{server}/status/418", timeout=10),
    ):
        assert (answer.status_code, answer.text) == (418, "body")
    assert errors(registry) >= 3


def test_exceptions_of_http_calls_are_their_own(
    broken: TracerProvider, instrumented: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very exception of the call comes out, with its own cause."""
    cause = OSError("the cable")
    own = httpx.ConnectError("no connection")

    def fail(_transport: object, _request: object) -> httpx.Response:
        raise own from cause

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", fail)
    clients = instrumented(broken)
    with pytest.raises(httpx.ConnectError) as raised:
        httpx.get("http://127.0.0.1:9/")
    clients.uninstrument()
    assert raised.value is own
    assert own.__cause__ is cause


def test_statements_survive(
    broken: TracerProvider, instrumented: Instrument, request: pytest.FixtureRequest, registry: CollectorRegistry
) -> None:
    """SQLAlchemy gets its rows and its exceptions."""
    instrumented(broken)
    with create_engine("sqlite://").connect() as connection:
        assert connection.execute(text("select 42")).scalar() == 42
        with pytest.raises(exc.OperationalError):
            connection.execute(text("select * from absent"))
    if "propagator" not in request.node.name:  # a database call carries no headers
        assert errors(registry) >= 2


def test_a_call_is_made_once_whatever_its_instrumentation_does(
    instrumented: Instrument, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instrumentation that breaks after the call gives back the call's answer; it is not made a second time."""
    made: list[str] = []

    def make(_transport: object, request: httpx.Request) -> httpx.Response:
        made.append(str(request.url))
        return httpx.Response(201, text="made")

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("broken instrumentation")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", make)
    monkeypatch.setattr("opentelemetry.instrumentation.httpx._apply_response_client_attributes_to_metrics", fail)
    clients = instrumented(TracerProvider(shutdown_on_exit=False))
    assert httpx.post("http://127.0.0.1:9/orders").text == "made"
    clients.uninstrument()
    assert made == ["http://127.0.0.1:9/orders"]
    assert errors(registry) == 1


def test_a_library_that_cannot_be_instrumented_is_left_alone(
    server: str, instrumented: Instrument, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug while a library is wrapped costs its figures; the others are instrumented, and it works as before."""
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415

    before = httpx.HTTPTransport.handle_request

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("broken instrumentor")

    monkeypatch.setattr(HTTPXClientInstrumentor, "_instrument", fail)
    clients = instrumented(TracerProvider(shutdown_on_exit=False))
    assert "httpx" not in clients.libraries
    assert "requests" in clients.libraries
    assert httpx.HTTPTransport.handle_request is before
    assert httpx.get(f"{server}/status/200").text == "body"
    assert errors(registry) == 1
