"""Where spans are put into an app: around all of it, with OpenTelemetry's ASGI middleware.

`FastAPIInstrumentor` does the same with that middleware, but it also patches BackgroundTask for the whole process,
names spans by a search that knows no mounts, and leaves a layer in the way of requests that aren't sampled.
"""

import copy
import functools
import os
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode

from sereno_telemetry.http.middleware import AsgiApp, Receive, Scope, Send
from sereno_telemetry.http.naming import UNMATCHED, Naming, method_label, span_verb
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.tracing.sampling import decided_trace_id
from sereno_telemetry.tracing.server import ProviderSource, ServerTracing

_MOST_LAYERS = 100


def trace_app(app: AsgiApp, *, naming: Naming, provider: ProviderSource, health: TelemetryHealth) -> AsgiApp:
    """`app` with server spans; call it when the app starts.

    An app that OpenTelemetry has instrumented already (`opentelemetry-instrument`) keeps its tracer, and one that has
    OpenTelemetry among its own middlewares is left alone.
    """
    before = _middleware_of_opentelemetry(app)
    if before is not None:
        # FastAPIInstrumentor puts itself outermost, but for one more layer that would make answers of its own bugs.
        outermost = _is_error_layer(before.app) and getattr(app, "app", None) is before
        return ServerTracing(before, before.app, provider=None, health=health) if outermost else app
    # Without this the spans carry the attributes of before 2023 (http.method, http.target).
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    traced = OpenTelemetryMiddleware(
        _recording_exceptions(app, health),
        excluded_urls="",  # what isn't measured isn't traced either
        default_span_details=functools.partial(_describe, naming=naming, health=health),
        tracer=trace.NoOpTracer(),  # until the first request
        meter=NoOpMeter("sereno_telemetry"),  # requests are counted once, by us
        exclude_spans=["receive", "send"],
    )
    return ServerTracing(traced, app, provider=provider, health=health)


def _middleware_of_opentelemetry(layer: Any) -> Any:
    """OpenTelemetry's middleware in the stack that begins with `layer`, if it is there."""
    for _ in range(_MOST_LAYERS):
        if layer is None or isinstance(layer, OpenTelemetryMiddleware):
            return layer
        layer = getattr(layer, "app", None)
    return None


def _is_error_layer(layer: object) -> bool:
    return type(layer).__name__ == "ServerErrorMiddleware"  # of Starlette, which plain ASGI apps don't have


def _describe(scope: Scope, *, naming: Naming, health: TelemetryHealth) -> tuple[str, dict[str, Any]]:
    """The name and the first attributes of a span.

    Where the decision is taken already, the route is told when it is known. A sampler that is yet to be asked may want
    to know it, so the routes are searched beforehand.
    """
    verb = "WS" if scope["type"] == "websocket" else span_verb(method_label(scope))
    if decided_trace_id.get():
        return verb, {}
    try:
        route = naming(scope, scope["path"], scope.get("root_path", ""))
    except Exception as error:  # noqa: BLE001 - fail open
        health.note(error, doing="naming a span")
        return verb, {}
    return (verb, {}) if route == UNMATCHED else (f"{verb} {route}", {"http.route": route})


def _recording_exceptions(app: AsgiApp, health: TelemetryHealth) -> AsgiApp:
    """`app` with its unhandled exceptions noted in the span.

    Starlette's outermost layer answers them with code 500, and with the answer the span ends: so they are noted below
    that layer. Exceptions that leave `app` itself are noted by OpenTelemetry.
    """
    if not _is_error_layer(app):
        return app
    layer: Any = copy.copy(app)
    layer.app = _RecordedExceptions(layer.app, health)
    recording: AsgiApp = layer
    return recording


class _RecordedExceptions:
    """Notes the exceptions of `app` in the span, and lets them through."""

    def __init__(self, app: AsgiApp, health: TelemetryHealth) -> None:
        self.app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI calls it."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self._record(error)
            raise

    def _record(self, error: Exception) -> None:
        try:
            span = trace.get_current_span()
            if span.is_recording():
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        except Exception as problem:  # noqa: BLE001 - fail open
            self._health.note(problem, doing="noting an exception in a span")


def provider_source(service: str, given: trace.TracerProvider | None) -> ProviderSource:
    """What says who makes the request spans: who was given, else the process's own, else one that exports nowhere.

    The last is not made global: that stays the application's choice. Its ids still join logs and exemplars.
    """

    @functools.cache
    def exporting_nowhere() -> TracerProvider:
        return TracerProvider(resource=Resource.create({"service.name": service}))

    def provider() -> trace.TracerProvider:
        configured = given or trace.get_tracer_provider()
        return exporting_nowhere() if isinstance(configured, trace.ProxyTracerProvider) else configured

    return provider
