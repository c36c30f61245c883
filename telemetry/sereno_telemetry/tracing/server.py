"""Server spans by OpenTelemetry's own instrumentation, built for sampled requests only, and unable to fail any."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import Tracer

from sereno_telemetry.http.exchange import Exchange
from sereno_telemetry.http.middleware import EXCHANGE, AsgiApp, Receive, Scope, Send
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.tracing.call import TracedCall
from sereno_telemetry.tracing.providers import exports_spans
from sereno_telemetry.tracing.sampling import HeadSampling, UnbuiltSpan, decided_trace_id, keeping_decisions

if TYPE_CHECKING:
    from contextvars import Token

_CALL = "sereno_telemetry.traced_call"
_SCOPE_NAME = "sereno_telemetry"

ProviderSource = Callable[[], trace.TracerProvider]
"""Says who makes the spans; asked when the first request comes, by when an app has set up what it uses."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the requests of an app are traced; made when the first one comes, when all providers are in place."""

    head: HeadSampling | None
    """What decides beforehand; None: OpenTelemetry's middleware is to ask its sampler."""
    builds_spans: bool


class ServerTracing:
    """Runs an app, with a span around each sampled request; when tracing itself raises, the request goes on without.

    Whether a request is sampled is decided here, before OpenTelemetry's middleware does anything; what it doesn't
    sample goes past that middleware. Providers whose samplers can't be asked beforehand are asked by the middleware.
    The exceptions of the application pass through untouched: they are told apart by identity.
    """

    def __init__(
        self,
        traced: OpenTelemetryMiddleware,
        untraced: AsgiApp,
        *,
        provider: ProviderSource | None,
        health: TelemetryHealth,
    ) -> None:
        """Run `traced`, whose spans are to be made by `provider` (None: as it is), or `untraced`, the same without."""
        self.app = traced  # FastAPI follows `app` from layer to layer to see whether somebody traces already
        self._untraced = untraced
        self._within_span: AsgiApp = traced.app
        self._provider = provider
        self._health = health
        self._plan: _Plan | None = None
        traced.app = self._enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI calls it."""
        if scope["type"] == "websocket":
            self._planned()
            await self._trace(scope, receive, send)
            return
        exchange = scope.get(EXCHANGE)
        if exchange is None or exchange.span is not None:  # not measured, or decided by an app around this one
            await self._untraced(scope, receive, send)
            return
        head = self._decide(scope, exchange)
        if head is None:
            await self._trace(scope, receive, send)
            return
        attached = self._attach(head)
        try:
            await self._untraced(scope, receive, send)
        finally:
            self._detach(attached)

    def _decide(self, scope: Scope, exchange: Exchange) -> UnbuiltSpan | None:
        """What is decided about this request; None leaves the rest to OpenTelemetry's middleware."""
        try:
            plan = self._plan or self._planned()
            if plan.head is None or trace.get_current_span() is not trace.INVALID_SPAN:
                return None  # a sampler that can't be asked; or somebody around us traces, and ours is a part of it
            head = plan.head.decide(scope)
            if head is None:
                return None
            if head.sampled and plan.builds_spans:
                decided_trace_id.set(head.get_span_context().trace_id)
                return None
            exchange.span, exchange.sampled = head, head.sampled
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="deciding whether a request is sampled")
            return None
        return head

    def _planned(self) -> _Plan:
        """The plan, made now if there is none; with failing parts there are no spans."""
        if self._plan is None:
            self._plan = _Plan(None, builds_spans=False)
            try:
                self._plan = self._make_plan(self.app)
            except Exception as error:  # noqa: BLE001 - fail open
                self._health.note(error, doing="setting up tracing")
        return self._plan

    def _make_plan(self, traced: OpenTelemetryMiddleware) -> _Plan:
        if self._provider is not None:
            traced.tracer = self._provider().get_tracer(_SCOPE_NAME)
        tracer = traced.tracer
        head = HeadSampling.of(tracer)
        if head is not None and isinstance(tracer, Tracer):
            traced.tracer = keeping_decisions(tracer)
        return _Plan(head, exports_spans(tracer))

    def _attach(self, head: UnbuiltSpan) -> "Token[context.Context] | None":
        try:
            return context.attach(trace.set_span_in_context(head, head.carried))
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="giving a request its trace")
            return None

    def _detach(self, attached: "Token[context.Context] | None") -> None:
        try:
            if attached is not None:
                context.detach(attached)
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="taking its trace from a request")

    async def _trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have OpenTelemetry's middleware serve the request; without it, if it fails before the app is reached."""
        call = scope[_CALL] = TracedCall(send, self._health)
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
        finally:
            decided_trace_id.set(0)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application as OpenTelemetry's middleware sees it."""
        call = scope[_CALL]
        call.entered = True
        call.traced_send = send
        self._remember_span(scope)
        try:
            await self._within_span(scope, receive, call.from_application)
        except BaseException as error:
            call.application_error = error
            raise

    def _remember_span(self, scope: Scope) -> None:
        """Give the request its server span, and let the decision about it go: whatever is traced within, asks anew."""
        try:
            decided_trace_id.set(0)
            exchange = scope.get(EXCHANGE)
            if exchange is not None:
                exchange.span = trace.get_current_span()
                exchange.sampled = exchange.span.get_span_context().trace_flags.sampled
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="giving a request its span")
