"""One request and its answer: the clock, the code, and how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, TraceFlags, format_span_id, format_trace_id

from sereno_telemetry.failed_requests import FailedRequest, note_failed_request
from sereno_telemetry.http.metrics import OTHER_STATUS_CODE, HttpMetrics
from sereno_telemetry.http.naming import UNMATCHED, Naming, method_label, span_verb

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

CLIENT_CLOSED_REQUEST = 499  # nginx's code: the client left before the answer began; nothing was sent
SERVER_ERROR = 500


class Exchange:
    """One request and its answer, from the first byte to the last chunk.

    It stands in the hottest path of every service, so it is written for few calls: what most requests never change is
    an attribute of the class, and what is needed only at the end is found only then.
    """

    span: Span | None = None
    """The request's server span, or what stands for it where none is recorded; None if nobody traces here."""
    sampled = False
    """Whether that span's trace is sampled: one that isn't can't be looked up, so exemplars don't name it."""

    _status_code = 0
    _trailers = False
    _disconnected = False
    _ended = False
    _received_bytes = 0
    _sent_bytes = 0
    _first_byte_seconds: float | None = None

    def __init__(
        self,
        naming: Naming,
        metrics: HttpMetrics,
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._naming = naming
        self._metrics = metrics
        self._scope = scope
        self._path: str = scope["path"]  # mounts change these two
        self._root_path: str = scope.get("root_path", "")
        self._receive = receive
        self._send = send
        self._begun_seconds = metrics.clock()

    async def receive(self) -> Message:
        """The server's `receive`, watched for the client leaving."""
        message = await self._receive()
        try:
            self._received(message)
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
        if error is not None:
            try:
                self._note_failure(error)
            except Exception as problem:  # noqa: BLE001 - fail open
                self._metrics.health.note(problem, doing="noting a failed request")
        if not self._ended:
            self._finish(self._code_of_end(error))

    def _code_of_end(self, error: BaseException | None) -> int:
        """The code of an answer that didn't come to its end."""
        try:
            if self._disconnected and (error is None or _gives_up(error)):
                # The app gave up because the client did: the code that was sent stands, if any was.
                return self._status_code or CLIENT_CLOSED_REQUEST
        except Exception as problem:  # noqa: BLE001 - fail open
            self._metrics.health.note(problem, doing="ending a request")
        return SERVER_ERROR  # unhandled, cut off, or returned without a whole answer: the client sees a broken one

    def _received(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._disconnected = True
        elif self._metrics.sizes is not None:
            self._received_bytes += len(message.get("body", b""))

    def _sent(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body":
            metrics = self._metrics
            if metrics.sizes is not None:
                self._sent_bytes += len(message.get("body", b""))
            if metrics.first_byte is not None and self._first_byte_seconds is None and message.get("body"):
                self._first_byte_seconds = metrics.clock() - self._begun_seconds
            if not (message.get("more_body", False) or self._trailers):
                self._finish(self._status_code or SERVER_ERROR)
        elif kind == "http.response.start":
            self._status_code = CLIENT_CLOSED_REQUEST if self._disconnected else _countable(message["status"])
            if "trailers" in message:
                self._trailers = message["trailers"]
        elif kind == "http.response.pathsend" or (
            kind == "http.response.trailers" and not message.get("more_trailers", False)
        ):
            self._finish(self._status_code or SERVER_ERROR)

    def _finish(self, status_code: int) -> None:
        """Stop the clock and count the request, once; never raises."""
        if self._ended:
            return
        self._ended = True
        metrics = self._metrics
        try:
            metrics.leave()
        except Exception as error:  # noqa: BLE001 - fail open
            metrics.health.note(error, doing="counting a request as done")
        try:
            seconds = metrics.clock() - self._begun_seconds
            method = method_label(self._scope)
            route = self._route()
            key = route, method, status_code
            trace_id = self._trace_id if self.sampled or self.span is None else None
            metrics.durations.child(key).observe(seconds, trace_id)
            if metrics.sizes is not None:
                metrics.sizes.observe(key, self._received_bytes, self._sent_bytes)
            if metrics.first_byte is not None and self._first_byte_seconds is not None:
                metrics.first_byte.child(key).observe(self._first_byte_seconds, trace_id)
            if self.span is not None:
                self._name_span(self.span, route, method)
        except Exception as error:  # noqa: BLE001 - fail open
            metrics.health.note(error, doing="counting a request")

    def _name_span(self, span: Span, route: str, method: str) -> None:
        # The tracing middleware names spans before routing: right for plain routes, not for mounts.
        if route != UNMATCHED and span.is_recording():
            span.set_attribute("http.route", route)
            span.update_name(f"{span_verb(method)} {route}")

    def _note_failure(self, error: BaseException) -> None:
        identity = self._identity()
        ids = (
            (None, None) if identity is None else (format_trace_id(identity.trace_id), format_span_id(identity.span_id))
        )
        note_failed_request(error, FailedRequest(method_label(self._scope), self._route(), *ids))

    def _trace_id(self) -> int | None:
        """The trace to name in an exemplar, if there is one that is sampled; asked only when an exemplar is due."""
        identity = self._identity()
        return identity.trace_id if identity is not None and identity.trace_flags & TraceFlags.SAMPLED else None

    def _identity(self) -> SpanContext | None:
        """The trace of this request, if it has one; without a span of ours, that of somebody who traces around us."""
        identity = (self.span or trace.get_current_span()).get_span_context()
        return identity if identity.is_valid else None

    def _route(self) -> str:
        try:
            return self._naming(self._scope, self._path, self._root_path)
        except Exception as error:  # noqa: BLE001 - fail open: a convertor that raises must not lose the count
            self._metrics.health.note(error, doing="finding the route of a request")
            return UNMATCHED


def _countable(status_code: int) -> int:
    """A code that HTTP defines (RFC 9110: 100 to 599) as it is; all others are one."""
    return status_code if 100 <= status_code <= 599 else OTHER_STATUS_CODE  # noqa: PLR2004 - the range of RFC 9110


def _gives_up(error: BaseException) -> bool:
    """Whether an app that ends with `error` may do so because its client has left."""
    # Starlette's is known by its name: plain ASGI apps have no Starlette.
    return isinstance(error, (OSError, asyncio.CancelledError)) or type(error).__name__ == "ClientDisconnect"
