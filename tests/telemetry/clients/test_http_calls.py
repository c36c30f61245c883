"""Calls by httpx and requests to a real server: each one counted, whatever is sampled, and led to by its trace."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping

import httpx
import pytest
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from sereno_telemetry import ClientInstrumentation, instrument_clients
from support.ports import free_port

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]

METRIC = "http_client_request_duration_seconds"  # labels: method, server, code, error


def by_httpx(url: str) -> tuple[int, str]:
    """Code and text of an answer, by httpx."""
    answer = httpx.get(url)
    return answer.status_code, answer.text


def by_httpx_async(url: str) -> tuple[int, str]:
    """The same by httpx and asyncio."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(url)

    answer = asyncio.run(ask())
    return answer.status_code, answer.text


def by_requests(url: str) -> tuple[int, str]:
    """The same by requests."""
    answer = requests.get(url, timeout=10)
    return answer.status_code, answer.text


Get = Callable[[str], tuple[int, str]]
CLIENTS = pytest.mark.parametrize("get", [by_httpx, by_httpx_async, by_requests])


@CLIENTS
def test_unsampled_calls_are_counted_and_carry_their_trace(
    *,
    get: Get,
    server: str,
    instrumented: Instrument,
    not_sampling: TracerProvider,
    counted: Counted,
    spans: InMemorySpanExporter,
    registry: CollectorRegistry,
) -> None:
    """Figures and traceparent don't depend on sampling; the URL is in no label."""
    instrumented(not_sampling)
    _, headers = get(f"{server}/echo?secret=1")
    assert '"traceparent":"00-' in headers
    request = trace.get_current_span().get_span_context()
    assert not request.is_valid or trace.format_trace_id(request.trace_id) in headers
    assert get(f"{server}/status/200") == (200, "body")
    assert get(f"{server}/status/404") == (404, "body")
    assert get(f"{server}/status/503") == (503, "body")
    assert counted(METRIC) == {
        ("GET", "127.0.0.1", "200", ""): 2,
        ("GET", "127.0.0.1", "404", "404"): 1,
        ("GET", "127.0.0.1", "503", "503"): 1,
    }
    assert spans.get_finished_spans() == ()
    # The exemplar of an unsampled call would lead nowhere.
    assert "# {" not in generate_latest(registry).decode()  # type: ignore[no-untyped-call]


@CLIENTS
def test_a_call_that_gets_no_answer_is_an_error_of_its_type(
    get: Get, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """A refused connection has no code, and the exception's type as its error."""
    instrumented(not_sampling)
    with pytest.raises((httpx.ConnectError, requests.ConnectionError)) as refused:
        get(f"http://127.0.0.1:{free_port()}/")
    assert counted(METRIC) == {("GET", "127.0.0.1", "", refused.type.__name__): 1}


@CLIENTS
def test_a_sampled_call_is_one_span_and_an_exemplar(
    *,
    get: Get,
    server: str,
    instrumented: Instrument,
    sampling: TracerProvider,
    spans: InMemorySpanExporter,
    registry: CollectorRegistry,
) -> None:
    """The span is the parent of what the server does, and the histogram leads to it."""
    instrumented(sampling)
    with sampling.get_tracer("test").start_as_current_span("request") as request:
        _, headers = get(f"{server}/echo")
    call, _ = spans.get_finished_spans()
    context = call.get_span_context()
    assert call.kind is SpanKind.CLIENT
    assert context is not None
    assert call.parent is not None
    assert call.parent.span_id == request.get_span_context().span_id
    trace_id = trace.format_trace_id(context.trace_id)
    assert f"00-{trace_id}-{trace.format_span_id(context.span_id)}" in headers
    assert f'# {{trace_id="{trace_id}"}}' in generate_latest(registry).decode()  # type: ignore[no-untyped-call]


def test_a_cancelled_call_is_an_error(instrumented: Instrument, not_sampling: TracerProvider, counted: Counted) -> None:
    """The caller's patience ended: that counts, and the cancellation goes its way."""
    instrumented(not_sampling)

    async def impatient(url: str) -> None:
        async with httpx.AsyncClient() as client:
            await asyncio.wait_for(client.get(url), timeout=0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        asyncio.run(impatient(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
    assert counted(METRIC) == {("GET", "127.0.0.1", "", "CancelledError"): 1}


def test_methods_are_a_closed_set(
    server: str, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """Whatever verb the application makes up counts as `_OTHER`."""
    instrumented(not_sampling)
    for verb in ("BREW", "brew", "X" * 500):
        httpx.request(verb, f"{server}/status/200")
    assert counted(METRIC) == {("_OTHER", "127.0.0.1", "405", "405"): 3}


def test_suppressed_calls_are_none_of_ours(
    server: str, instrumented: Instrument, sampling: TracerProvider, counted: Counted, spans: InMemorySpanExporter
) -> None:
    """What runs under OpenTelemetry's suppress_instrumentation is neither measured nor traced, and carries nothing."""
    instrumented(sampling)
    with suppress_instrumentation():
        _, headers = by_httpx(f"{server}/echo")
    assert "traceparent" not in headers
    assert counted(METRIC) == {}
    assert spans.get_finished_spans() == ()


def test_clients_are_instrumented_once(
    *,
    server: str,
    instrumented: Instrument,
    not_sampling: TracerProvider,
    counted: Counted,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second call says so and counts nothing twice; taken back, calls are as before."""
    clients = instrumented(not_sampling)
    assert {"httpx", "requests", "redis", "sqlalchemy"} <= set(clients.libraries)
    before = httpx.HTTPTransport.handle_request
    assert instrument_clients(registry=registry) is clients
    assert "again" in caplog.text
    by_httpx(f"{server}/status/200")
    assert sum(counted(METRIC).values()) == 1
    clients.uninstrument()
    by_httpx(f"{server}/status/200")
    assert sum(counted(METRIC).values()) == 1
    assert httpx.HTTPTransport.handle_request is not before
    assert httpx.HTTPTransport.handle_request.__module__ == "httpx._transports.default"
    assert not hasattr(httpx.HTTPTransport.handle_request, "__wrapped__")


def test_an_unknown_library_is_told_at_once(registry: CollectorRegistry) -> None:
    """A slip in a name is an exception at start, which names the known ones."""
    with pytest.raises(ValueError, match=r"htpx.*httpx"):
        instrument_clients(registry=registry, libraries=["htpx"])


def test_what_is_missing_is_told_once_with_its_cure(
    instrumented: Instrument,
    not_sampling: TracerProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A library without its instrumentation is one line, with the command that brings it."""
    from sereno_telemetry.clients import libraries  # noqa: PLC0415

    monkeypatch.setattr(libraries, "_instrumentor", lambda _path: None)
    with caplog.at_level(logging.WARNING):
        assert instrumented(not_sampling, "httpx", "redis", "sqlalchemy").libraries == ("sqlalchemy",)
    (record,) = caplog.records
    assert "opentelemetry-instrumentation-httpx" in record.getMessage()
    assert "opentelemetry-instrumentation-redis" in record.getMessage()
