"""One request and its answer: the clock, the code, and how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, TraceFlags, format_span_id, format_trace_id

from sereno_telemetry.failed_requests import FailedRequest, note_failed_request
from sereno_telemetry.http.metrics import HttpMetrics
from sereno_telemetry.http.routes import UNMATCHED

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

Naming = Callable[[Scope, str, str], str]
"""Scope as the app left it, path and root path as they came → the template of the route."""

# The methods of OpenTelemetry's semantic conventions; names are case-sensitive (RFC 9110).
KNOWN_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD = "_OTHER"

CLIENT_CLOSED_REQUEST = 499  # nginx's code: the client left before the answer began; nothing was sent
SERVER_ERROR = 500


class Exchange:
    """One request and its answer, from the first byte to the last chunk.

    It stands in the hottest path of every service, so it is written for few calls: no helper objects, and what is
    needed only at the end is found only then.
    """

    __slots__ = (
        "_begun_seconds",
        "_disconnected",
        "_ended",
        "_first_byte_seconds",
        "_metrics",
        "_naming",
        "_path",
        "_receive",
        "_received_bytes",
        "_root_path",
        "_scope",
        "_send",
        "_sent_bytes",
        "_status_code",
        "_trailers",
        "identity",
        "span",
    )

    def __init__(
        self,
        naming: Naming,
        metrics: HttpMetrics,
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self.span: Span | None = None
        """The request's server span, if it has one that is recorded."""
        self.identity: SpanContext | None = None
        """Its trace, if the request is known to belong to one without having a span here."""
        self._naming = naming
        self._metrics = metrics
        self._scope = scope
        self._path: str = scope["path"]  # mounts change these two
        self._root_path: str = scope.get("root_path", "")
        self._receive = receive
        self._send = send
        self._status_code = 0
        self._trailers = False
        self._disconnected = False
        self._ended = False
        self._received_bytes = 0
        self._sent_bytes = 0
        self._first_byte_seconds = 0.0
        self._begun_seconds = perf_counter()

    async def receive(self) -> Message:
        """The server's `receive`, watched for the client leaving."""
        message = await self._receive()
        try:
            if message["type"] == "http.disconnect":
                self._disconnected = True
            elif self._metrics.sizes:
                self._received_bytes += len(message.get("body", b""))
        except Exception as error:  # noqa: BLE001 - fail open
            self._metrics.health.note(error, doing="watching a request")
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
        if error is None and self._ended:
            return
        try:
            if error is not None:
                self._note_failure(error)
            if self._ended:
                return
            if self._disconnected and (error is None or _gives_up(error)):
                # The app gave up because the client did: the code that was sent stands, if any was.
                self._finish(self._status_code or CLIENT_CLOSED_REQUEST)
            else:  # unhandled, cut off, or returned without a whole answer: the client sees a broken one
                self._finish(SERVER_ERROR)
        except Exception as problem:  # noqa: BLE001 - fail open
            self._metrics.health.note(problem, doing="ending a request")

    def _sent(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body":
            if self._metrics.sizes:
                self._sent_bytes += len(message.get("body", b""))
            if self._metrics.time_to_first_byte and not self._first_byte_seconds and message.get("body"):
                self._first_byte_seconds = perf_counter() - self._begun_seconds
            if not (self._trailers or message.get("more_body", False)):
                self._finish(self._status_code or SERVER_ERROR)
        elif kind == "http.response.start":
            self._status_code = CLIENT_CLOSED_REQUEST if self._disconnected else message["status"]
            self._trailers = message.get("trailers", False)
        elif kind == "http.response.pathsend" or (
            kind == "http.response.trailers" and not message.get("more_trailers", False)
        ):
            self._finish(self._status_code or SERVER_ERROR)

    def _finish(self, status_code: int) -> None:
        """Stop the clock and count the request, once."""
        if self._ended:
            return
        self._ended = True
        seconds = perf_counter() - self._begun_seconds
        metrics = self._metrics
        try:
            metrics.end()
        except Exception as error:  # noqa: BLE001 - fail open
            metrics.health.note(error, doing="ending a request")
        try:
            method = self._method()
            route = self._route()
            identity = self._identity()
            trace_id = None
            if identity is not None and identity.trace_flags & TraceFlags.SAMPLED:
                trace_id = format_trace_id(identity.trace_id)
            metrics.observe(route, method, status_code, seconds, trace_id)
            if metrics.sizes:
                metrics.observe_sizes(route, method, status_code, self._received_bytes, self._sent_bytes)
            if self._first_byte_seconds:
                metrics.observe_first_byte(route, method, status_code, self._first_byte_seconds, trace_id)
            if self.span is not None:
                self._name_span(self.span, route, method)
        except Exception as error:  # noqa: BLE001 - fail open
            metrics.health.note(error, doing="counting a request")

    def _name_span(self, span: Span, route: str, method: str) -> None:
        # The tracing middleware names spans before routing: right for plain routes, not for mounts.
        if route != UNMATCHED and span.is_recording():
            span.set_attribute("http.route", route)
            span.update_name(f"{'HTTP' if method == OTHER_METHOD else method} {route}")

    def _note_failure(self, error: BaseException) -> None:
        identity = self._identity()
        ids = (
            (None, None) if identity is None else (format_trace_id(identity.trace_id), format_span_id(identity.span_id))
        )
        note_failed_request(error, FailedRequest(self._method(), self._route(), *ids))

    def _identity(self) -> SpanContext | None:
        """The trace of this request, if it has one."""
        if self.identity is not None:
            return self.identity
        identity = (self.span or trace.get_current_span()).get_span_context()
        return identity if identity.is_valid else None

    def _method(self) -> str:
        method: str = self._scope["method"]
        return method if method in KNOWN_METHODS else OTHER_METHOD

    def _route(self) -> str:
        try:
            return self._naming(self._scope, self._path, self._root_path)
        except Exception as error:  # noqa: BLE001 - fail open: a convertor that raises must not lose the count
            self._metrics.health.note(error, doing="finding the route of a request")
            return UNMATCHED


def _gives_up(error: BaseException) -> bool:
    """Whether an app that ends with `error` may do so because its client has left."""
    # Starlette's is known by its name: plain ASGI apps have no Starlette.
    return isinstance(error, (OSError, asyncio.CancelledError)) or type(error).__name__ == "ClientDisconnect"
