"""What tests of the telemetry share: apps driven as ASGI, and what a registry holds afterwards."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]


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
    """Put the process's logging back as it was."""
    names = ("", "uvicorn", "uvicorn.error", "uvicorn.access")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
