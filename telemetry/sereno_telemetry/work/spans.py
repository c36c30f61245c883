"""Spans of work. The decision of whoever sent the work comes first; what isn't recorded still has its ids.

A message whose trace isn't sampled, and work in a process without a tracer provider, build no span: a span context
alone is made current, so that logs and further messages carry the ids.
"""

import random
from collections.abc import Mapping, Sequence

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TracerProvider

from sereno_telemetry.failed_requests import FailedRequest, note_failed_request
from sereno_telemetry.metrics.health import TelemetryHealth
from sereno_telemetry.work.guarding import guarded
from sereno_telemetry.work.headers import span_context_of

Attributes = Mapping[str, str | int]

_RANDOM = random.SystemRandom()  # forked processes must not repeat each other's ids
_SCOPE = "sereno_telemetry.work"


class Spans:
    """Begins spans by the given provider, else by the process's own."""

    def __init__(self, provider: TracerProvider | None, health: TelemetryHealth) -> None:
        self._provider = provider
        self._health = health
        self._tracer: tuple[TracerProvider, trace.Tracer] | None = None

    def begin(
        self,
        name: str,
        kind: SpanKind,
        *,
        parent: Context,
        attributes: Attributes,
        links: Sequence[SpanContext] = (),
    ) -> Span:
        """A span below `parent`, by the sampling decision that is there; never raises, never invalid."""
        above = span_context_of(parent)
        if above.is_valid and not above.trace_flags.sampled:
            return NonRecordingSpan(above)
        span: Span | None = None
        with guarded(self._health, "starting a span of work"):
            span = self._started(name, kind, parent, attributes, links)
        if span is not None and span.get_span_context().is_valid:
            return span
        return NonRecordingSpan(above if above.is_valid else _new_ids())

    def _started(
        self, name: str, kind: SpanKind, parent: Context, attributes: Attributes, links: Sequence[SpanContext]
    ) -> Span | None:
        provider = self._provider or trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            return None
        if self._tracer is None or self._tracer[0] is not provider:
            self._tracer = (provider, provider.get_tracer(_SCOPE))
        return self._tracer[1].start_span(
            name,
            context=parent,
            kind=kind,
            attributes=attributes,
            links=[trace.Link(each) for each in links],
            record_exception=False,
            set_status_on_exception=False,
        )

    def end(self, span: Span, error: BaseException | None, attributes: Attributes, failure: str | None) -> None:
        """End `span`; `failure` is what it failed with, None if it didn't. Never raises."""
        with guarded(self._health, "ending a span of work"):
            if span.is_recording():
                span.set_attributes(attributes)
                if failure is not None:
                    span.set_status(Status(StatusCode.ERROR, failure))
                if error is not None:
                    span.record_exception(error)
        with guarded(self._health, "ending a span of work"):
            span.end()


class Attachment:
    """A context that is made current, and the one before it brought back; neither raises."""

    __slots__ = ("_context", "_health", "_token")

    def __init__(self, context: Context, health: TelemetryHealth) -> None:
        self._context = context
        self._health = health
        self._token: object | None = None

    def attach(self) -> None:
        """Make it current."""
        with guarded(self._health, "making a context current"):
            self._token = otel_context.attach(self._context)

    def detach(self) -> None:
        """Bring back the one before."""
        token, self._token = self._token, None
        if token is not None:
            with guarded(self._health, "leaving a context"):
                otel_context.detach(token)  # type: ignore[arg-type]


def trace_id_of(span: Span) -> str | None:
    """The trace id in the form of logs and exemplars; None if there is none."""
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def note_failed_work(error: BaseException, span: Span, kind: str, name: str) -> None:
    """Leave the trace on an exception: whoever logs it does so when the span is over."""
    context = span.get_span_context()
    if context.is_valid:
        ids = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
        note_failed_request(error, FailedRequest(kind, name, *ids))


def is_traced_already(current: Span, message: SpanContext) -> bool:
    """Whether an instrumentation of the client library has begun the span of this message already."""
    if not (message.is_valid and current.is_recording()):
        return False
    span = getattr(current, "inner", current)  # spans of instrument_clients() hold those of the SDK
    # Only the SDK's spans have these; importing it would cost processes that trace nothing.
    kind, parent = getattr(span, "kind", None), getattr(span, "parent", None)
    return (
        kind is SpanKind.CONSUMER
        and isinstance(parent, SpanContext)
        and (parent.trace_id, parent.span_id) == (message.trace_id, message.span_id)
    )


def _new_ids() -> SpanContext:
    return SpanContext(_RANDOM.getrandbits(128) or 1, _RANDOM.getrandbits(64) or 1, is_remote=False)
