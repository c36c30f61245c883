"""One instrumented app in a process of its own, driven request by request as uvicorn does it."""

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import REGISTRY

from benchmarks.telemetry.driving import USUAL_HEADERS, Headers, http_scope, traceparent
from benchmarks.telemetry.instruments import INSTRUMENTS, Setting

_DIFFERENT_HEADERS = 500
"""How many sets of headers take turns; a multiple of 100, so that one in a hundred can be sampled by its parent."""


class DroppingExporter(SpanExporter):
    """A backend that takes everything at once: what is measured is the making of spans, not their journey."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - OpenTelemetry's signature
        """Take `spans` and forget them."""
        return SpanExportResult.SUCCESS


class Overhead:
    """Answers {"requests": n} with the CPU seconds that n requests took."""

    def __init__(self, *, instrument: str, routes: int, sampled_ratio: float | None, parents: str) -> None:
        """Make the app.

        Args:
            instrument: what watches it, by its name.
            routes: how many it has; the requests go to each in turn.
            sampled_ratio: how many of the requests without a parent are traced; None: no traces are made.
            parents: what trace contexts the requests bring: "none", "sampled", or "1 %" of them sampled.
        """
        self._app = app_with_routes(routes)
        provider = None if sampled_ratio is None else dropping_provider(sampled_ratio)
        INSTRUMENTS[instrument].install(self._app, Setting(provider, sampled_ratio or 0.0, REGISTRY))
        self._paths = [f"/things-{number}/4711" for number in range(routes)]
        self._headers = [_headers(parents, number) for number in range(1, _DIFFERENT_HEADERS + 1)]
        self._sent = 0
        self._loop = asyncio.new_event_loop()

    def __call__(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send that many requests; with "settle": true they are the warm-up."""
        seconds = self._loop.run_until_complete(self._run(question["requests"]))
        if question.get("settle"):
            gc.collect()
            gc.freeze()  # modules and routes: else a collection of them all falls into one batch or another
        return {"cpu_seconds": seconds, "has_exemplars": _has_exemplars() if question.get("look") else None}

    async def _run(self, requests: int) -> float:
        loop, app = self._loop, self._app
        started = time.process_time()
        for number in range(self._sent, self._sent + requests):
            over = False

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Mapping[str, Any]) -> None:
                nonlocal over
                over = message["type"] == "http.response.body"

            path, headers = self._paths[number % len(self._paths)], self._headers[number % _DIFFERENT_HEADERS]
            await loop.create_task(app(http_scope("GET", path, headers), receive, send))
            assert over
        seconds = time.process_time() - started
        self._sent += requests
        return seconds


def app_with_routes(count: int) -> FastAPI:
    """An app with so many routes of one parameter, as cheap as routes can be."""
    app = FastAPI()

    def add(number: int) -> None:
        @app.get(f"/things-{number}/{{thing}}")
        async def read(thing: str) -> dict[str, str]:
            return {"thing": thing}

    for number in range(count):
        add(number)
    return app


def dropping_provider(sampled_ratio: float) -> TracerProvider:
    """Samples that share of the requests without a parent, in batches, for a backend that drops them."""
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(sampled_ratio)))
    provider.add_span_processor(BatchSpanProcessor(DroppingExporter()))
    return provider


def _headers(parents: str, number: int) -> Headers:
    match parents:
        case "none":
            return list(USUAL_HEADERS)
        case "sampled":
            return [*USUAL_HEADERS, (b"traceparent", traceparent(number, sampled=True))]
        case "1 %":
            return [*USUAL_HEADERS, (b"traceparent", traceparent(number, sampled=number % 100 == 0))]
        case _:
            raise ValueError(f"no kind of parents is called {parents}")


def _has_exemplars() -> bool:
    return any(sample.exemplar is not None for family in REGISTRY.collect() for sample in family.samples)
