"""Instrumentation that breaks costs figures, never requests; and it is counted."""

# ruff: noqa: ARG002 - the signatures below are OpenTelemetry's and Starlette's

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument
from starlette.routing import BaseRoute, Match
from support.broken_tracing import BrokenProcessor, BrokenSampler

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]
Raw = Callable[..., list[dict[str, Any]]]


def errors(registry: CollectorRegistry) -> float:
    """Exceptions of the instrumentation so far."""
    value = registry.get_sample_value("sereno_telemetry_errors_total")
    assert value is not None
    return value


def broken_providers() -> list[TracerProvider]:
    """Tracer providers that raise when a span starts, or ends."""
    start, end = TracerProvider(), TracerProvider()
    start.add_span_processor(BrokenProcessor("start"))
    end.add_span_processor(BrokenProcessor("end"))
    return [TracerProvider(sampler=BrokenSampler()), start, end]


def shop(registry: CollectorRegistry, provider: TracerProvider) -> FastAPI:
    """An app with one answer and one failure of its own."""
    app = FastAPI()

    @app.get("/ok")
    def ok() -> str:
        return "fine"

    @app.get("/boom")
    def boom() -> None:
        raise LookupError("the app's own")

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("the app's own")

    @app.get("/half")
    def break_off() -> StreamingResponse:
        return StreamingResponse(half())

    instrument(app, service="shop", registry=registry, tracer_provider=provider)
    return app


@pytest.mark.parametrize("number", range(3), ids=["sampler", "span start", "span end"])
def test_broken_tracing_reaches_no_request(
    call: Call, registry: CollectorRegistry, counts: Counts, number: int
) -> None:
    """Whatever raises in tracing, requests are answered once, counted once, and the trouble is counted."""
    app = shop(registry, broken_providers()[number])
    answer = call(app, "GET", "/ok")
    assert (answer.status_code, answer.text) == (200, '"fine"')
    assert counts() == {("/ok", "GET", "200"): 1}
    assert errors(registry) >= 1


@pytest.mark.parametrize("path", ["/boom", "/half"])
@pytest.mark.parametrize("number", range(3), ids=["sampler", "span start", "span end"])
def test_broken_tracing_hides_no_exception_of_the_app(
    raw: Raw, registry: CollectorRegistry, number: int, path: str
) -> None:
    """The server still gets the app's exception, not tracing's."""
    app = shop(registry, broken_providers()[number])
    with pytest.raises(LookupError, match="the app's own"):
        raw(app, path=path)
    assert errors(registry) >= 1


def test_an_answer_that_tracing_stumbles_over_is_sent_all_the_same(
    raw: Raw, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message reaches the server exactly once, also if tracing raises before it hands it on."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken tracing")

    monkeypatch.setattr("opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware._set_server_span", broken)
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    sent = raw(shop(registry, provider), path="/ok")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[1]["body"]) == (200, b'"fine"')
    assert errors(registry) == 2


# The instrumentation patches background tasks once for a process, hence a process of its own.
BACKGROUND_TASK = """
import asyncio, httpx
from fastapi import BackgroundTasks, FastAPI
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument

class BrokenSampler:
    def should_sample(self, *_, **__):
        raise RuntimeError("broken sampler")

app = FastAPI()

@app.get("/later")
def later(tasks: BackgroundTasks) -> None:
    tasks.add_task(print, "task ran")

instrument(app, service="shop", registry=CollectorRegistry(), tracer_provider=TracerProvider(sampler=BrokenSampler()))

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service.test") as client:
        print((await client.get("/later")).status_code)

asyncio.run(main())
"""


def test_broken_tracing_stops_no_background_task() -> None:
    """What an app does after its answer doesn't hang on spans either."""
    done = subprocess.run(
        [sys.executable, "-c", BACKGROUND_TASK], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "task ran\n200\n", done.stderr


def test_a_route_that_raises_while_matching_costs_only_the_template(
    call: Call, registry: CollectorRegistry, counts: Counts
) -> None:
    """A route class that fails when the instrumentation asks it, but not when the router does, fails no request."""

    class AskedTwice(BaseRoute):
        """Answers at its first match and raises from then on."""

        matched = 0

        def matches(self, scope: Any) -> tuple[Match, Any]:
            self.matched += 1
            if self.matched > 1:
                raise RuntimeError("asked twice")
            return Match.FULL, {"endpoint": self}

        async def handle(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"fine"})

    app = FastAPI()
    app.router.routes.append(AskedTwice())
    instrument(app, service="shop", registry=registry, tracing=False)
    assert call(app, "GET", "/anything").text == "fine"
    assert counts() == {("unmatched", "GET", "200"): 1}
    assert errors(registry) == 1


def test_a_metric_that_raises_costs_only_the_count(
    call: Call, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the histogram itself can't count, the request is served, and no request stays in progress for ever."""
    app = shop(registry, TracerProvider())

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken histogram")

    monkeypatch.setattr("prometheus_client.Histogram.observe", broken)
    assert call(app, "GET", "/ok").status_code == 200
    assert errors(registry) == 1
    assert registry.get_sample_value("http_server_active_requests") == 0


def test_a_server_error_passes_the_guard(raw: Raw, registry: CollectorRegistry) -> None:
    """What the server's `send` raises is neither retried nor taken for a fault of tracing."""
    app = shop(registry, TracerProvider())
    with pytest.raises(BrokenPipeError):
        raw(app, path="/ok", send_fails=True)
    assert errors(registry) == 0


def test_trouble_is_logged_once_a_minute(
    call: Call, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug that hits every request fills the counter, not the log."""
    app = shop(registry, TracerProvider(sampler=BrokenSampler()))
    with caplog.at_level(logging.WARNING, logger="sereno_telemetry"):
        for _ in range(5):
            call(app, "GET", "/ok")
    assert errors(registry) == 5
    assert [record.getMessage() for record in caplog.records if record.name == "sereno_telemetry"] == [
        "telemetry failed while tracing a request; the work itself went on"
    ]


def test_a_service_starts_without_tracing_if_that_can_not_be_set_up(
    call: Call, registry: CollectorRegistry, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions that don't fit each other cost spans, not the service."""

    def refuse(*_: object, **__: object) -> None:
        raise TypeError("OpenTelemetry has changed")

    monkeypatch.setattr("opentelemetry.instrumentation.asgi.OpenTelemetryMiddleware.__init__", refuse)
    app = FastAPI()
    instrument(app, service="shop", registry=registry)
    assert call(app, "GET", "/openapi.json").status_code == 200
    assert errors(registry) == 1
    assert counts() == {("/openapi.json", "GET", "200"): 1}
