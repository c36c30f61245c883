"""The least that request metrics can cost with prometheus_client: what a careful service would write by hand.

It knows nothing of mounts, disconnects or failures, and guards nothing: a floor to measure against, no example.
"""

import random
from time import monotonic, perf_counter
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, Histogram

from benchmarks.telemetry.driving import AsgiApp

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_EXEMPLAR_INTERVAL_SECONDS = 1.0
_IDS_END = 55
"""Where trace id and span id of a traceparent end."""


def install_floor(
    app: FastAPI, registry: CollectorRegistry, provider: TracerProvider | None, sampled_ratio: float
) -> None:
    """Put the middleware around the app; with a provider it begins a span for the sampled share of requests."""
    histogram = Histogram(
        "http_server_request_duration_seconds",
        "Duration of HTTP server requests.",
        labelnames=("http_route", "http_request_method", "http_response_status_code"),
        registry=registry,
        buckets=BOUNDS,
    )
    tracer = provider.get_tracer("floor") if provider is not None else None
    app.add_middleware(_Floor, histogram=histogram, tracer=tracer, sampled_ratio=sampled_ratio)


class _Floor:
    def __init__(self, app: AsgiApp, histogram: Histogram, tracer: trace.Tracer | None, sampled_ratio: float) -> None:
        self._app = app
        self._histogram = histogram
        self._tracer = tracer
        self._sampled_ratio = sampled_ratio
        self._children: dict[tuple[str, str, int], Histogram] = {}
        self._exemplar_due = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._tracer is not None and random.random() < self._sampled_ratio:
            with self._tracer.start_as_current_span(scope["method"], kind=trace.SpanKind.SERVER) as span:
                await self._measure(scope, receive, send, trace.format_trace_id(span.get_span_context().trace_id))
        else:
            await self._measure(scope, receive, send, _sampled_trace_id(scope))

    async def _measure(self, scope: Any, receive: Any, send: Any, trace_id: str | None) -> None:
        started = perf_counter()
        code = 500

        async def watched(message: Any) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        await self._app(scope, receive, watched)
        key = (scope["route"].path, scope["method"], code)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._histogram.labels(key[0], key[1], str(code))
        now = monotonic()
        if trace_id is not None and now >= self._exemplar_due:
            self._exemplar_due = now + _EXEMPLAR_INTERVAL_SECONDS
            child.observe(perf_counter() - started, {"trace_id": trace_id})
        else:
            child.observe(perf_counter() - started)


def _sampled_trace_id(scope: Any) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return value[3:35].decode() if value[_IDS_END - 1 :] == b"1" else None
    return None
