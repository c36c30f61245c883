"""The request metric: a pure ASGI middleware around everything else that an app does."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from starlette.requests import ClientDisconnect

from sereno_telemetry.failed_requests import FailedRequest, note_failed_request
from sereno_telemetry.http.metrics import HttpMetrics
from sereno_telemetry.http.routes import UNMATCHED, path_in_app, route_template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# The methods of OpenTelemetry's semantic conventions; names are case-sensitive (RFC 9110).
KNOWN_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD = "_OTHER"

CLIENT_CLOSED_REQUEST = 499  # nginx's code: the client left before the answer began; nothing was sent
SERVER_ERROR = 500

_EXCHANGE = "sereno_telemetry.exchange"
_GONE = (OSError, ClientDisconnect, asyncio.CancelledError)


class RequestMetrics:
    """Measures every HTTP request of `app`, except those to `excluded_path`, and lets everything through unchanged."""

    def __init__(self, stack: AsgiApp, *, app: FastAPI, metrics: HttpMetrics, excluded_path: str | None) -> None:
        self.app = stack  # FastAPI follows `app` from layer to layer to see whether somebody traces already
        self._owner = app
        self._metrics = metrics
        self._excluded_path = excluded_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI calls it."""
        exchange = self._begin(scope, receive, send)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.end(error)
            raise
        exchange.end(None)

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> "Exchange | None":
        """Start the clock; None if this request isn't ours to measure, or can't be measured."""
        if scope["type"] != "http" or _EXCHANGE in scope:  # in scope: a parent app measures it already
            return None
        try:
            # FastAPI's own telemetry leaves a mounted app alone if its parent has said anything about this request;
            # without that, a mounted app begins a second server span as soon as global providers exist.
            scope.setdefault("fastapi.telemetry", None)
            if path_in_app(scope) == self._excluded_path:
                return None
            exchange = Exchange(self._owner, self._metrics, scope, receive, send)
            scope[_EXCHANGE] = exchange
            self._metrics.active.inc()
        except Exception as error:  # noqa: BLE001 - fail open
            self._metrics.health.note(error, doing="starting to measure a request")
            return None
        return exchange


def remember_span(span: trace.Span, scope: Scope) -> None:
    """Give the request its server span; called by the tracing middleware."""
    exchange = scope.get(_EXCHANGE)
    if isinstance(exchange, Exchange):
        exchange.span = span


class Exchange:
    """One request and its answer, from the first byte to the last chunk."""

    __slots__ = (
        "_app",
        "_clock_started",
        "_disconnected",
        "_ended",
        "_metrics",
        "_path",
        "_receive",
        "_root_path",
        "_scope",
        "_send",
        "_status_code",
        "_trailers",
        "span",
    )

    def __init__(self, app: FastAPI, metrics: HttpMetrics, scope: Scope, receive: Receive, send: Send) -> None:
        self.span: trace.Span | None = None
        self._app = app
        self._metrics = metrics
        self._scope = scope
        self._path: str = scope["path"]
        self._root_path: str = scope.get("root_path", "")
        self._receive = receive
        self._send = send
        self._status_code: int | None = None
        self._trailers = False
        self._disconnected = False
        self._ended = False
        self._clock_started = perf_counter()

    async def receive(self) -> Message:
        """The server's `receive`, watched for the client leaving."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """The server's `send`, watched for the answer's code and its last chunk."""
        try:
            await self._send(message)
        except OSError:  # what ASGI servers raise for a client that is gone
            self._disconnected = True
            raise
        try:
            self._sent(message)
        except Exception as error:  # noqa: BLE001 - fail open
            self._metrics.health.note(error, doing="watching an answer")

    def end(self, error: BaseException | None) -> None:
        """The app is through with the request, by returning or by `error`; never raises."""
        if error is not None:
            self._note_failure(error)
        if self._ended:
            return
        left = self._disconnected and (error is None or isinstance(error, _GONE))
        if left:  # the app gave up because the client did: the code that was sent stands, if any was
            self._finish(self._status_code or CLIENT_CLOSED_REQUEST)
        else:  # unhandled, cut off, or returned without a whole answer: the client sees a broken one
            self._finish(SERVER_ERROR)

    def _sent(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._status_code = CLIENT_CLOSED_REQUEST if self._disconnected else message["status"]
            self._trailers = message.get("trailers", False)
        elif (
            (kind == "http.response.body" and not message.get("more_body", False) and not self._trailers)
            or (kind == "http.response.trailers" and not message.get("more_trailers", False))
            or kind == "http.response.pathsend"
        ):
            self._finish(self._status_code or SERVER_ERROR)

    def _finish(self, status_code: int) -> None:
        """Stop the clock and count the request, once."""
        if self._ended:
            return
        self._ended = True
        seconds = perf_counter() - self._clock_started
        try:
            self._metrics.active.dec()
            method = self._method()
            route = self._route()
            span = self.span or trace.get_current_span()
            self._metrics.observe(
                route=route, method=method, status_code=status_code, seconds=seconds, trace_id=_ids(span)[0]
            )
            if self.span is not None and self.span.is_recording() and route != UNMATCHED:
                # The tracing middleware names spans before routing: right for plain routes, not for mounts.
                self.span.set_attribute("http.route", route)
                self.span.update_name(f"{'HTTP' if method == OTHER_METHOD else method} {route}")
        except Exception as error:  # noqa: BLE001 - fail open
            self._metrics.health.note(error, doing="counting a request")

    def _note_failure(self, error: BaseException) -> None:
        try:
            trace_id, span_id = _ids(self.span or trace.get_current_span())
            note_failed_request(error, FailedRequest(self._method(), self._route(), trace_id, span_id))
        except Exception as problem:  # noqa: BLE001 - fail open
            self._metrics.health.note(problem, doing="noting a failed request")

    def _method(self) -> str:
        method: str = self._scope["method"]
        return method if method in KNOWN_METHODS else OTHER_METHOD

    def _route(self) -> str:
        try:
            return route_template(self._scope, routes=self._app.routes, path=self._path, root_path=self._root_path)
        except Exception as error:  # noqa: BLE001 - fail open: a convertor that raises must not lose the count
            self._metrics.health.note(error, doing="finding the route of a request")
            return UNMATCHED


def _ids(span: trace.Span) -> tuple[str | None, str | None]:
    context = span.get_span_context()
    if not context.is_valid:
        return None, None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
