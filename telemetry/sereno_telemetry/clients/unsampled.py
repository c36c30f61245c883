"""The short way for calls whose span nobody would see: measured, with the trace's context sent on, without a span.

What an instrumentation does for a span that isn't recorded is most of its cost. Within an unsampled trace the outcome
is known before, because the parent's decision is every child's; where no span leaves the process, always. What is sent
on is then the context of the parent, as OpenTelemetry's API does by itself where no SDK is installed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

from sereno_telemetry.clients.metrics import ClientMetrics
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.tracing.providers import exports_spans


class UnsampledCall:
    """One call without a span."""

    __slots__ = ("_error", "_health", "_metrics", "_started", "_trace_id", "call")

    def __init__(
        self, call: dict[str, Any], parent: trace.SpanContext, metrics: ClientMetrics, health: TelemetryHealth
    ) -> None:
        self.call = call
        """What the attributes of its span would mean; keys as in `clients.metrics.MEANINGS`."""
        self._metrics = metrics
        self._health = health
        # Sampled, yet without a span: nothing leaves this process, but its logs have the id.
        self._trace_id = trace.format_trace_id(parent.trace_id) if parent.trace_flags.sampled else None
        self._error = ""
        self._started = perf_counter()

    def record_failure(self, error: BaseException) -> None:
        """The call ended with `error`."""
        self._error = type(error).__qualname__

    def end(self) -> None:
        """Stop the clock and count the call."""
        try:
            self._metrics.observe(self.call, self._error, perf_counter() - self._started, self._trace_id)
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="counting a client call")


class UnsampledCalls:
    """Knows which calls need no span, and measures them."""

    def __init__(self, provider: trace.TracerProvider, metrics: ClientMetrics, health: TelemetryHealth) -> None:
        self._provider = provider
        self._metrics = metrics
        self.health = health
        self._follows_parent: bool | None = None

    def parent(self) -> trace.SpanContext | None:
        """The context that a call which begins now sends on without a span of its own; None: it may need one.

        Suppressed calls are left to the instrumentations, which know what to do with them.
        """
        parent = trace.get_current_span().get_span_context()
        if not is_http_instrumentation_enabled():
            return None
        provider = self._provider
        if isinstance(provider, trace.ProxyTracerProvider):  # the process's own, which may be set later
            provider = trace.get_tracer_provider()
        if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
            return parent
        if not parent.is_valid:  # a trace begins here, whose ids are sent on
            return None
        if not exports_spans(provider):
            return parent
        return parent if not parent.trace_flags.sampled and self._parent_decides(provider) else None

    def begin(self, call: dict[str, Any], parent: trace.SpanContext) -> UnsampledCall:
        """Start the clock."""
        return UnsampledCall(call, parent, self._metrics, self.health)

    def _parent_decides(self, provider: trace.TracerProvider) -> bool:
        if self._follows_parent is None:
            self._follows_parent = _follows_parent(provider)
        return self._follows_parent


def _follows_parent(provider: trace.TracerProvider) -> bool:
    """Whether the provider's sampler never samples the child of an unsampled parent, wherever that is."""
    sampler = getattr(provider, "sampler", None)
    return (
        isinstance(sampler, ParentBased)
        and type(sampler).should_sample is ParentBased.should_sample
        and getattr(sampler, "_local_parent_not_sampled", None) is ALWAYS_OFF
        and getattr(sampler, "_remote_parent_not_sampled", None) is ALWAYS_OFF
    )


@dataclass(frozen=True, slots=True)
class ShortWay:
    """How a library's call is measured without its instrumentation."""

    describe: Callable[[Any, tuple[Any, ...]], dict[str, Any]]
    """From the instance and the arguments: what the attributes of the span would mean. Sends the context on."""
    answered: Callable[[dict[str, Any], Any], None]
    """Adds what the answer says."""
    harmless: frozenset[str] = frozenset()
    """Types of exceptions that are no failure of the call."""


class ShortWayInto:
    """Puts the short way before the long one, for the calls that may take it."""

    def __init__(self, way: ShortWay, unsampled: UnsampledCalls) -> None:
        self._way = way
        self._unsampled = unsampled

    def shorten(self, original: Callable[..., Any], long: Callable[..., Any]) -> Callable[..., Any]:
        """`original` measured for unsampled calls, `long` for all others."""

        def shortened(instance: Any, *args: Any, **kwargs: Any) -> Any:
            call = self._begin(instance, args)
            if call is None:
                return long(instance, *args, **kwargs)
            try:
                answer = original(instance, *args, **kwargs)
            except BaseException as error:
                self._failed(call, error)
                raise
            self._answered(call, answer)
            return answer

        return shortened

    def shorten_async(self, original: Callable[..., Any], long: Callable[..., Any]) -> Callable[..., Any]:
        """The same for coroutine functions."""

        async def shortened(instance: Any, *args: Any, **kwargs: Any) -> Any:
            call = self._begin(instance, args)
            if call is None:
                return await long(instance, *args, **kwargs)
            try:
                answer = await original(instance, *args, **kwargs)
            except BaseException as error:
                self._failed(call, error)
                raise
            self._answered(call, answer)
            return answer

        return shortened

    def _begin(self, instance: Any, args: tuple[Any, ...]) -> UnsampledCall | None:
        try:
            parent = self._unsampled.parent()
            return None if parent is None else self._unsampled.begin(self._way.describe(instance, args), parent)
        except Exception as error:  # noqa: BLE001 - fail open: the long way is guarded, too
            self._unsampled.health.note(error, doing="starting to measure a client call")
            return None

    def _failed(self, call: UnsampledCall, error: BaseException) -> None:
        if type(error).__qualname__ not in self._way.harmless:
            call.record_failure(error)
        call.end()

    def _answered(self, call: UnsampledCall, answer: Any) -> None:
        try:
            self._way.answered(call.call, answer)
        except Exception as error:  # noqa: BLE001 - fail open
            self._unsampled.health.note(error, doing="reading the answer of a client call")
        call.end()


def _describe_httpx(_transport: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    (request,) = arguments
    propagate.inject(request.headers)
    return {"method": request.method, "server": request.url.host}


def _httpx_answered(call: dict[str, Any], response: Any) -> None:
    call["code"] = response.status_code


def _describe_redis_command(_client: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    return {"database_system": "redis", "database_operation": arguments[0]}


def _describe_redis_pipeline(_pipeline: Any, _arguments: tuple[Any, ...]) -> dict[str, Any]:
    return {"database_system": "redis", "pipeline": True}


def _nothing_to_add(_call: dict[str, Any], _answer: Any) -> None:
    """Redis' answers say nothing that is counted."""


HTTPX = ShortWay(_describe_httpx, _httpx_answered)
REDIS_COMMAND = ShortWay(_describe_redis_command, _nothing_to_add)
# A watched key changed: the transaction is to be tried again, as OpenTelemetry's instrumentation sees it, too.
REDIS_PIPELINE = ShortWay(_describe_redis_pipeline, _nothing_to_add, frozenset({"WatchError"}))
