"""What clients invent leaves nothing behind, and options measure what their names say."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument, measured
from sereno_telemetry.metrics.families import HistogramFamily
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]
Raw = Callable[..., list[dict[str, Any]]]


async def hostile(app: Any, numbers: range) -> None:
    """Requests of which no two have anything in common."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    for number in numbers:
        headers = [
            (b"host", b"host-%d.test" % number),
            (b"traceparent", b"00-%032x-%016x-01" % (number + 1, number + 1)),
            (b"tracestate", b"vendor%d=1" % number),
            (b"baggage", b"key%d=%d" % (number, number)),
        ]
        scope = {
            "type": "http",
            "method": f"M{number}",
            "path": f"/p/{number}",
            "headers": headers,
            "query_string": b"",
        }
        await app(scope, receive, send)


def test_hostile_requests_leave_nothing_behind(registry: CollectorRegistry, counts: Counts) -> None:
    """After thousands of invented paths, methods, hosts and traces, memory is where it was."""
    app = FastAPI()
    instrument(app, service="shop", registry=registry)
    asyncio.run(hostile(app, range(500)))
    tracemalloc.start()
    asyncio.run(hostile(app, range(500, 1_000)))
    before, _ = tracemalloc.get_traced_memory()
    asyncio.run(hostile(app, range(1_000, 4_000)))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 60_000  # 20 bytes a request
    assert counts() == {("unmatched", "_OTHER", "404"): 4_000}


def answering(status: int) -> Any:
    """An ASGI app with that answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI's signature
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1_000})

    return app


@pytest.mark.parametrize(("status", "label"), [(200, "200"), (99, "_OTHER"), (600, "_OTHER"), (999, "_OTHER")])
def test_codes_that_http_does_not_have_are_one(
    raw: Raw, registry: CollectorRegistry, counts: Counts, status: int, label: str
) -> None:
    """An app that hands on somebody's 999 makes no series of it."""
    app = measured(answering(status), service="shop", registry=registry, route=lambda _: "/x")
    raw(app)
    assert counts() == {("/x", "GET", label): 1}


def test_an_asgi_app_names_its_routes_itself(raw: Raw, registry: CollectorRegistry, counts: Counts) -> None:
    """Raw paths that a route function lets through are limited; None is unmatched, anything else a counted mistake."""
    names: dict[str, Any] = {"/none": None, "/number": 7}
    app = measured(
        answering(200), service="shop", registry=registry, route=lambda scope: names.get(scope["path"], scope["path"])
    )
    for path in ["/none", "/number", *(f"/p/{number}" for number in range(310))]:
        raw(app, path=path)
    assert counts()["unmatched", "GET", "200"] == 2
    assert len(counts()) == 301
    assert sum(counts().values()) == 312
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1


def test_a_starlette_app_is_measured_like_a_fastapi_app(
    call: Call, registry: CollectorRegistry, counts: Counts
) -> None:
    """Mounts with parameters, mounts without a path, 404, 405 and HEAD count as for FastAPI."""

    async def ok(_: Request) -> PlainTextResponse:
        return PlainTextResponse("fine")

    app = Starlette(
        routes=[
            Route("/a/{b}", ok),
            Mount("/m/{t}", routes=[Route("/in/{y}", ok)]),
            Mount("", routes=[Route("/z", ok)]),
        ]
    )
    instrument(app, service="shop", registry=registry)
    for line in (
        "GET /a/1",
        "HEAD /a/1",
        "POST /m/1/in/2",
        "GET /m/1/in/2",
        "GET /z",
        "GET /nothing",
        "GET /m/1/nothing",
    ):
        call(app, *line.split())
    assert counts() == {
        ("/a/{b}", "GET", "200"): 1,
        ("/a/{b}", "HEAD", "200"): 1,
        ("unmatched", "POST", "405"): 1,
        ("/m/{t}/in/{y}", "GET", "200"): 1,
        ("/z", "GET", "200"): 1,
        ("unmatched", "GET", "404"): 2,
    }


def test_sizes_and_the_first_byte_are_measured_if_asked_for(call: Call, registry: CollectorRegistry) -> None:
    """Bytes of both bodies, and the time to the first chunk apart from the time to the last."""
    app = FastAPI()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a" * 1_000
        await asyncio.sleep(0.2)
        yield b"b" * 1_000

    @app.post("/stream")
    async def stream(request: Request) -> StreamingResponse:
        await request.body()
        return StreamingResponse(slowly())

    instrument(app, service="shop", registry=registry, sizes=True, time_to_first_byte=True)
    call(app, "POST", "/stream", content=b"c" * 300)
    labels = {"http_route": "/stream", "http_request_method": "POST", "http_response_status_code": "200"}

    def total(name: str) -> float:
        value = registry.get_sample_value(f"{name}_sum", labels)
        assert value is not None
        return value

    assert total("http_server_request_body_size_bytes") == 300
    assert total("http_server_response_body_size_bytes") == 2_000
    assert total("http_server_time_to_first_byte_seconds") < total("http_server_request_duration_seconds") - 0.15


def test_histograms_count_the_same_without_prometheus_clients_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its cells aren't found, the public method counts: the samples are the same."""

    def counted() -> list[Any]:
        registry = CollectorRegistry()
        child = HistogramFamily(registry, "work_seconds", "Work.", {"kind": None}, (0.1, 1)).child("a")
        for amount in (0, 0.1, 0.5, 1, 7, float("inf")):
            child.observe(amount)
        samples = [sample for family in registry.collect() for sample in family.samples]
        return [(s.name, s.labels, s.value) for s in samples if not s.name.endswith("_created")]

    direct = counted()
    monkeypatch.setattr("sereno_telemetry.metrics.families._histogram_cells", lambda *_: (None, ()))
    assert counted() == direct
