"""What is counted of a request, when its clock stops, and which code it gets."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CollectorRegistry, Counter
from sereno_telemetry import instrument
from support.timing import timed

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]
Raw = Callable[..., list[dict[str, Any]]]


def seconds(registry: CollectorRegistry, route: str, code: str = "200") -> float:
    """The duration measured so far for GET requests of a route."""
    labels = {"http_route": route, "http_request_method": "GET", "http_response_status_code": code}
    value = registry.get_sample_value("http_server_request_duration_seconds_sum", labels)
    assert value is not None
    return value


def test_an_unhandled_exception_counts_as_500_and_is_still_raised(
    raw: Raw, registry: CollectorRegistry, counts: Counts
) -> None:
    """The server gets the app's own exception, and the request counts as failed once."""
    app = FastAPI()
    error = LookupError("no such shelf")

    @app.get("/boom")
    def boom() -> None:
        raise error

    instrument(app, service="shop", registry=registry)
    with pytest.raises(LookupError) as raised:
        raw(app, path="/boom")
    assert raised.value is error
    assert counts() == {("/boom", "GET", "500"): 1}


def test_an_exception_handlers_own_code_is_counted(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """What the client was sent is what counts, also when the app turns exceptions into answers."""
    app = FastAPI()

    @app.exception_handler(Exception)
    def apologize(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"sorry": True}, status_code=503)

    @app.get("/boom")
    def boom() -> None:
        raise LookupError("no such shelf")

    instrument(app, service="shop", registry=registry)
    assert call(app, "GET", "/boom").status_code == 503
    assert counts() == {("/boom", "GET", "503"): 1}


def test_an_exception_in_the_middle_of_an_answer_counts_as_500(
    raw: Raw, registry: CollectorRegistry, counts: Counts
) -> None:
    """Code 200 went out, but the client got half an answer: that is a failure."""
    app = FastAPI()

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("the other half")

    @app.get("/half")
    def answer() -> StreamingResponse:
        return StreamingResponse(half())

    instrument(app, service="shop", registry=registry)
    with pytest.raises(LookupError):
        raw(app, path="/half")
    assert counts() == {("/half", "GET", "500"): 1}


@timed
def test_the_clock_stops_at_the_last_chunk(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """All of a streamed body is latency; what runs in the background after it is not, nor can it fail the request."""
    app = FastAPI()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.2)
        yield b"b"

    async def linger() -> None:
        assert registry.get_sample_value("http_server_active_requests") == 0
        assert counts() == {("/stream", "GET", "200"): 1}
        await asyncio.sleep(0.5)
        raise LookupError("nobody waits for this")

    @app.get("/stream")
    def stream(tasks: BackgroundTasks) -> StreamingResponse:
        tasks.add_task(linger)
        return StreamingResponse(slowly(), background=tasks)

    instrument(app, service="shop", registry=registry)
    began = time.perf_counter()
    call(app, "GET", "/stream")
    assert time.perf_counter() - began > 0.65
    assert 0.2 <= seconds(registry, "/stream") < 0.45
    assert counts() == {("/stream", "GET", "200"): 1}


def test_requests_in_progress_are_a_gauge(call: Call, registry: CollectorRegistry) -> None:
    """The gauge is 1 while a request is served, and 0 before and after it, also after a failure."""
    app = FastAPI()
    seen: list[float | None] = []

    @app.get("/boom")
    def boom() -> None:
        seen.append(registry.get_sample_value("http_server_active_requests"))
        raise LookupError

    instrument(app, service="shop", registry=registry)
    assert registry.get_sample_value("http_server_active_requests") == 0
    call(app, "GET", "/boom")
    assert seen == [1]
    assert registry.get_sample_value("http_server_active_requests") == 0


def test_a_client_that_leaves_before_the_answer_is_no_success(
    raw: Raw, registry: CollectorRegistry, counts: Counts
) -> None:
    """An answer that nobody was there to receive counts as 499, whatever the app would have said."""
    app = FastAPI()
    left = asyncio.Event()

    @app.get("/wait")
    async def wait(request: Request) -> str:
        left.set()
        for _ in range(500):
            if await request.is_disconnected():
                break
            await asyncio.sleep(0.01)
        return "too late"

    instrument(app, service="shop", registry=registry)
    raw(app, path="/wait", leaves=left)
    assert counts() == {("/wait", "GET", "499"): 1}
    assert registry.get_sample_value("http_server_active_requests") == 0


def test_a_client_that_leaves_a_stream_counts_with_the_code_that_it_got(
    raw: Raw, registry: CollectorRegistry, counts: Counts
) -> None:
    """Somebody who closes the browser during a download is not an error of the service."""
    app = FastAPI()
    left = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"first"
        left.set()
        while True:
            await asyncio.sleep(0.01)
            yield b"more"

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(endless())

    instrument(app, service="shop", registry=registry)
    raw(app, path="/stream", leaves=left)
    assert counts() == {("/stream", "GET", "200"): 1}


def test_a_connection_that_breaks_at_the_first_byte_counts_as_499(
    raw: Raw, registry: CollectorRegistry, counts: Counts
) -> None:
    """A server that reports the lost client by an OSError is understood, and its error goes through."""
    app = FastAPI()
    instrument(app, service="shop", registry=registry)
    with pytest.raises(OSError, match="the client is gone"):
        raw(app, path="/openapi.json", send_fails=True)
    assert counts() == {("/openapi.json", "GET", "499"): 1}


def test_a_cancelled_request_counts_as_500(registry: CollectorRegistry, counts: Counts) -> None:
    """What a stopping server cuts off was no answer."""
    app = FastAPI()

    @app.get("/wait")
    async def wait() -> None:
        await asyncio.sleep(60)

    instrument(app, service="shop", registry=registry)

    async def cut_off() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            async with asyncio.timeout(0.1):
                await client.get("/wait")

    with pytest.raises(TimeoutError):
        asyncio.run(cut_off())
    assert counts() == {("/wait", "GET", "500"): 1}
    assert registry.get_sample_value("http_server_active_requests") == 0


def test_an_app_that_sends_no_whole_answer_counts_as_500(raw: Raw, registry: CollectorRegistry, counts: Counts) -> None:
    """Servers answer 500 for an app that returns without an answer; so does the metric."""
    app = FastAPI()

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    app.mount("/silent", silent)
    instrument(app, service="shop", registry=registry)
    assert raw(app, path="/silent/x") == []
    assert counts() == {("/silent/{path}", "GET", "500"): 1}


def test_websockets_pass_unmeasured(registry: CollectorRegistry, counts: Counts) -> None:
    """A connection that stays open for hours is no request, and its scope reaches the app untouched."""
    app = FastAPI()
    instrument(app, service="shop", registry=registry)
    sent: list[Any] = []

    async def connect() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}, receive, send)

    asyncio.run(connect())
    assert sent[0]["type"] == "websocket.close"
    assert counts() == {}


def test_an_app_in_an_app_counts_once(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """When parent and mounted app are both instrumented, a request is one request, under the parent's template."""
    inner = FastAPI()

    @inner.get("/things")
    def things() -> list[str]:
        return []

    instrument(inner, service="inner", registry=registry)
    outer = FastAPI()
    outer.mount("/inner", inner)
    instrument(outer, service="outer", registry=registry)
    call(outer, "GET", "/inner/things")
    assert counts() == {("/inner/things", "GET", "200"): 1}


def test_instrumenting_twice_counts_once(
    call: Call, registry: CollectorRegistry, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    """The second call changes nothing and says so."""
    app = FastAPI()
    first = instrument(app, service="shop", registry=registry)
    with caplog.at_level(logging.WARNING):
        assert instrument(app, service="shop", registry=registry) is first
    assert "measured once" in caplog.text
    call(app, "GET", "/openapi.json")
    assert counts() == {("/openapi.json", "GET", "200"): 1}


def test_business_counters_share_the_registry(call: Call, registry: CollectorRegistry) -> None:
    """An app's own prometheus_client counters appear beside the request metrics."""
    app = FastAPI()
    done = instrument(app, service="shop", registry=registry)
    Counter("orders_total", "Orders.", registry=done.registry).inc(3)
    assert "orders_total 3.0" in call(app, "GET", "/metrics").text


def test_an_app_that_serves_already_is_refused(call: Call, registry: CollectorRegistry) -> None:
    """Too late is told at once, not found out by missing metrics."""
    app = FastAPI()
    call(app, "GET", "/openapi.json")
    with pytest.raises(RuntimeError, match="before it serves"):
        instrument(app, service="shop", registry=registry)


@pytest.fixture(autouse=True)
def _no_errors(registry: CollectorRegistry) -> Iterator[None]:
    yield
    assert not registry.get_sample_value("sereno_telemetry_errors_total")
