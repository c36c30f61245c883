"""Server spans by OpenTelemetry's own instrumentation, built for sampled requests only, and unable to fail any."""

import contextlib
import os
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from opentelemetry import context, trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Tracer, TracerProvider
from starlette.background import BackgroundTask
from starlette.middleware.errors import ServerErrorMiddleware

from sereno_telemetry.http.exchange import Exchange
from sereno_telemetry.http.middleware import EXCHANGE, AsgiApp, Message, Receive, Scope, Send
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.tracing.providers import exports_spans
from sereno_telemetry.tracing.sampling import Head, HeadSampling, decided_trace_id, keeping_decisions

_CALL = "sereno_telemetry.traced_call"


def tracer_provider_for(service: str, given: trace.TracerProvider | None) -> trace.TracerProvider:
    """The provider of the request spans: as given, else the process's own, else a new one that exports nowhere.

    A new one is not made global: that stays the application's choice. Its ids still join logs and exemplars.
    """
    if given is not None:
        return given
    configured = trace.get_tracer_provider()
    if not isinstance(configured, trace.ProxyTracerProvider):
        return configured
    return TracerProvider(resource=Resource.create({"service.name": service}))


def trace_requests(app: FastAPI, provider: trace.TracerProvider, *, excluded_path: str | None) -> None:
    """Begin a server span for each request, except those to `excluded_path`.

    An app that OpenTelemetry has instrumented already (`opentelemetry-instrument`) keeps that.
    """
    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        return
    # Without this the spans carry the attributes of before 2023 (http.method, http.target).
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    background_call = BackgroundTask.__call__
    FastAPIInstrumentor.instrument_app(
        app,
        server_request_hook=remember_span,
        tracer_provider=provider,
        meter_provider=NoOpMeterProvider(),  # requests are counted once, by us
        excluded_urls=rf"^[a-z]+://[^/]+{re.escape(excluded_path)}$" if excluded_path else "",
        exclude_spans=["receive", "send"],
    )
    _untrace_background_tasks(background_call)


def fail_open(stack: AsgiApp, health: TelemetryHealth) -> AsgiApp:
    """Guard the tracing layer of an app's middleware stack, if it has one; called when the app starts."""
    # The instrumentation wraps itself in one more ServerErrorMiddleware, which would turn its own bugs into
    # answers with code 500; the app's own ServerErrorMiddleware is inside.
    layer = stack.app if isinstance(stack, ServerErrorMiddleware) else stack
    return ServerTracing(layer, health) if isinstance(layer, OpenTelemetryMiddleware) else stack


def remember_span(span: trace.Span, scope: Scope) -> None:
    """Give the request its server span; called by OpenTelemetry's middleware."""
    exchange = scope.get(EXCHANGE)
    if isinstance(exchange, Exchange):
        exchange.span = span
        exchange.identity = None  # the span's own from here on


def _untrace_background_tasks(original: Callable[[BackgroundTask], Coroutine[Any, Any, None]]) -> None:
    """Take back the instrumentation's patch of BackgroundTask, if it has just made it.

    It is one for the whole process, made with the tracer of whichever app came first, and when that raises, the
    application's task doesn't run. Tasks still run in the context of their request, so their logs carry its ids.
    """
    if BackgroundTask.__call__ is not original:
        BackgroundTask.__call__ = original  # type: ignore[method-assign, assignment]
        with contextlib.suppress(AttributeError):
            del BackgroundTask._otel_original_call  # type: ignore[attr-defined]  # noqa: SLF001


class ServerTracing:
    """Runs an app, with a span around each sampled request; when tracing itself raises, the request goes on without.

    Whether a request is sampled is decided here, before OpenTelemetry's middleware does anything; what it doesn't
    sample goes past that middleware. Providers whose samplers can't be asked beforehand are asked by the middleware.
    The exceptions of the application pass through untouched: they are told apart by identity.
    """

    def __init__(self, traced: OpenTelemetryMiddleware, health: TelemetryHealth) -> None:
        self.app = traced  # FastAPI follows `app` from layer to layer to see whether somebody traces already
        self._head = HeadSampling.of(traced.tracer)
        self._builds_spans = exports_spans(traced.tracer)
        self._health = health
        self._untraced: AsgiApp = traced.app
        traced.app = self._inner
        if self._head is not None and isinstance(traced.tracer, Tracer):
            traced.tracer = keeping_decisions(traced.tracer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI calls it."""
        head = self._decide(scope)
        if head is None:
            await self._trace(scope, receive, send)
        elif head.sampled and self._builds_spans:
            deciding = decided_trace_id.set(head.identity.trace_id)
            try:
                await self._trace(scope, receive, send)
            finally:
                decided_trace_id.reset(deciding)
        else:
            attached = context.attach(head.context)
            try:
                await self._untraced(scope, receive, send)
            finally:
                context.detach(attached)

    def _decide(self, scope: Scope) -> Head | None:
        """What is decided about this request; None leaves that, and all else, to OpenTelemetry's middleware."""
        if self._head is None or scope["type"] != "http":
            return None
        try:
            if trace.get_current_span() is not trace.INVALID_SPAN:  # somebody around us traces: ours is one span of it
                return None
            head = self._head.decide(scope)
            exchange = scope.get(EXCHANGE)
            if isinstance(exchange, Exchange):
                exchange.identity = head.identity
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="deciding whether a request is sampled")
            return None
        return head

    async def _trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        call = scope[_CALL] = _TracedCall(send, self._health)
        try:
            await self.app(scope, receive, call.to_server)
        except Exception as error:
            if error is call.application_error:
                raise
            self._health.note(error, doing="tracing a request")
            if call.application_error is not None:
                raise call.application_error from None
            if not call.entered:
                await self._untraced(scope, receive, send)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application as the tracing layer sees it."""
        call = scope.get(_CALL)
        if not isinstance(call, _TracedCall):
            await self._untraced(scope, receive, send)
            return
        call.entered = True
        call.traced_send = send
        try:
            await self._untraced(scope, receive, call.from_application)
        except BaseException as error:
            call.application_error = error
            raise


class _TracedCall:
    """One request on its way through the tracing layer: who raised what, and which message got through."""

    def __init__(self, send: Send, health: TelemetryHealth) -> None:
        self.entered = False
        self.application_error: BaseException | None = None
        self.traced_send: Send = send
        self._send = send
        self._health = health
        self._server_error: BaseException | None = None
        self._delivered: Message | None = None

    async def to_server(self, message: Message) -> None:
        """`send` as the tracing layer calls it."""
        try:
            await self._send(message)
        except BaseException as error:
            self._server_error = error
            raise
        self._delivered = message

    async def from_application(self, message: Message) -> None:
        """`send` as the application calls it."""
        try:
            await self.traced_send(message)
        except Exception as error:
            if error is self._server_error:
                raise
            self._health.note(error, doing="tracing an answer")
            if self._delivered is not message:
                await self._send(message)
