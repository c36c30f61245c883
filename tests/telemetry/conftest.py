"""What tests of the telemetry share: apps driven as ASGI, and what a registry holds afterwards."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]
Raw = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def call() -> Call:
    """Send one request to an app in this process; an unhandled exception comes back as its answer, code 500."""

    def send(app: FastAPI, method: str, path: str, root_path: str = "", **more: object) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, root_path=root_path)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                return await client.request(method, path, **more)  # type: ignore[arg-type]

        return asyncio.run(exchange())

    return send


@pytest.fixture
def raw() -> Raw:
    """Play server for one request: what the app sent; `leaves` is when the client goes away, `send_fails` how it shows.

    An exception of the app, or one that `send` raises, comes out as it does at a server.
    """

    def exchange(
        app: Any, method: str = "GET", path: str = "/", *, leaves: asyncio.Event | None = None, send_fails: bool = False
    ) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        asked = 0

        async def receive() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            if asked == 1 and not (leaves and leaves.is_set()):
                return {"type": "http.request", "body": b"", "more_body": False}
            if leaves is not None:
                await leaves.wait()
            else:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if send_fails:
                raise BrokenPipeError("the client is gone")
            sent.append(dict(message))

        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
        asyncio.run(app(scope, receive, send))
        return sent

    return exchange


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of this test alone."""
    return CollectorRegistry()


@pytest.fixture
def counts(registry: CollectorRegistry) -> Counts:
    """Requests counted so far: (route, method, code) → how many."""

    def read() -> Mapping[tuple[str, str, str], float]:
        return {
            (
                sample.labels["http_route"],
                sample.labels["http_request_method"],
                sample.labels["http_response_status_code"],
            ): sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == "http_server_request_duration_seconds_count"
        }

    return read


@pytest.fixture
def root_logging() -> Iterator[None]:
    """Logging as a fresh process has it, and put back as it was afterwards."""
    names = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "gunicorn.error", "gunicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    before = [(each, each.handlers[:], each.filters[:], each.level, each.propagate) for each in loggers]
    for logger in loggers[1:]:
        logger.setLevel(logging.NOTSET)  # servers that other tests ran in this process leave their levels behind
    yield
    for logger, handlers, filters, level, propagate in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.filters[:] = filters
        logger.setLevel(level)
        logger.propagate = propagate
