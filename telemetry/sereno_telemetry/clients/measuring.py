"""A tracer provider whose client spans are measured from start to end, sampled or not, and can't fail a call.

It is handed to OpenTelemetry's instrumentations in place of the real provider. Their spans say that they record even
if they don't, because instrumentations set the attributes that become labels only on spans that record; unsampled
ones keep those few until the call ends and drop all else.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from time import perf_counter
from types import TracebackType
from typing import Any, cast

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import Attributes, AttributeValue

from sereno_telemetry.clients.metrics import MEANINGS, OTHER, ClientMetrics
from sereno_telemetry.metrics.health import TelemetryHealth

_MEASURED = (SpanKind.CLIENT, SpanKind.PRODUCER)


class MeasuringTracerProvider(trace.TracerProvider):
    """Spans of `provider`, measured into `metrics`; where `covered` is true, a layer above has the call already."""

    def __init__(
        self,
        provider: trace.TracerProvider,
        metrics: ClientMetrics,
        health: TelemetryHealth,
        covered: ContextVar[bool] | None = None,
    ) -> None:
        self._provider = provider
        self._metrics = metrics
        self._health = health
        self._covered = covered

    def get_tracer(self, *args: Any, **kwargs: Any) -> "MeasuringTracer":
        """A tracer of the provider, measured."""
        return MeasuringTracer(self._provider.get_tracer(*args, **kwargs), self._metrics, self._health, self._covered)


class MeasuringTracer(trace.Tracer):
    """Begins spans that are measured if they are of a client or a producer."""

    def __init__(
        self,
        tracer: trace.Tracer,
        metrics: ClientMetrics,
        health: TelemetryHealth,
        covered: ContextVar[bool] | None = None,
    ) -> None:
        self._tracer = tracer
        self._covered = covered
        self.metrics = metrics
        self.health = health

    def start_span(  # noqa: PLR0917 - the signature is OpenTelemetry's
        self,
        name: str,
        context: context_api.Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> "MeasuredSpan":
        """Begin a span; one that can't be begun is replaced by its parent's context."""
        if (self._covered is not None and self._covered.get()) or self._publishes_already(kind, context):
            parent = trace.NonRecordingSpan(trace.get_current_span(context).get_span_context())
            return MeasuredSpan(self, parent, name, measured=False, attributes=None)
        try:
            span = self._tracer.start_span(
                name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
            )
        except Exception as error:  # noqa: BLE001 - fail open: a sampler or a processor with a bug
            self.health.note(error, doing="starting a client span")
            span = trace.NonRecordingSpan(trace.get_current_span(context).get_span_context())
        measured = MeasuredSpan(self, span, name, measured=kind in _MEASURED, attributes=attributes)
        measured.publishes = kind is SpanKind.PRODUCER
        return measured

    def _publishes_already(self, kind: SpanKind, context: context_api.Context | None) -> bool:
        """Whether the same publication has its span: pika's blocking channel hands it to the channel below it."""
        if kind is not SpanKind.PRODUCER:
            return False
        current = trace.get_current_span(context)
        return isinstance(current, MeasuredSpan) and current.publishes

    def start_as_current_span(  # type: ignore[override]  # noqa: PLR0917 - no generator: that costs 2 µs more
        self,
        name: str,
        context: context_api.Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> "_CurrentSpan":
        """Begin a span that is current within the block."""
        span = self.start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        return _CurrentSpan(span, record_exception, set_status_on_exception, end_on_exit)


class MeasuredSpan(trace.Span):
    """A span of the real tracer, and the clock beside it."""

    __slots__ = ("_call", "_ended", "_error", "_recording", "_started", "inner", "name", "publishes", "tracer")

    def __init__(
        self, tracer: MeasuringTracer, inner: trace.Span, name: str, measured: bool, attributes: Attributes
    ) -> None:
        self.inner = inner
        self.name = name
        self.tracer = tracer
        self.publishes = False
        self._recording = inner.is_recording()
        self._call: dict[str, Any] | None = {} if measured else None
        self._error = ""
        self._ended = False
        if attributes and measured:
            self._keep(attributes)
        self._started = perf_counter()

    def get_span_context(self) -> trace.SpanContext:
        """The ids of the real span."""
        return self.inner.get_span_context()

    def is_recording(self) -> bool:
        """Whether attributes are wanted: by the real span, or for the labels."""
        return self._recording or self._call is not None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Keep what becomes a label, and hand on to a span that records."""
        try:
            if self._call is not None:
                meaning = MEANINGS.get(key)
                if meaning is not None:
                    self._call[meaning] = value
            if self._recording:
                self.inner.set_attribute(key, value)
        except Exception as error:  # noqa: BLE001 - fail open
            self.tracer.health.note(error, doing="describing a client span")

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Keep what becomes labels, and hand on to a span that records."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Remember whether the call failed."""
        try:
            code = status.status_code if isinstance(status, Status) else status
            if code is StatusCode.ERROR:
                self._error = self._error or OTHER
            elif code is StatusCode.OK:
                self._error = ""
            if self._recording:
                self.inner.set_status(status, description)
        except Exception as error:  # noqa: BLE001 - fail open
            self.tracer.health.note(error, doing="describing a client span")

    def record_exception(self, exception: BaseException, *args: Any, **kwargs: Any) -> None:
        """Remember the type of what went wrong."""
        self.failed(exception)
        if self._recording:
            self._hand_on("record_exception", exception, *args, **kwargs)

    def failed(self, exception: BaseException) -> None:
        """The call ended with `exception`; its type becomes the label `error_type`."""
        self._error = type(exception).__qualname__

    def record_failure(self, error: BaseException, *, as_event: bool = True, as_status: bool = True) -> None:
        """The call ended with `error`: as a block of `use_span` would say it to the real span."""
        self.failed(error)
        if not self._recording or not isinstance(error, Exception):
            return
        if as_event:
            self._hand_on("record_exception", error)
        if as_status:
            try:
                description = f"{type(error).__name__}: {error}"
            except Exception:  # noqa: BLE001 - an exception that can't be printed
                description = type(error).__name__
            self._hand_on("set_status", Status(StatusCode.ERROR, description))

    def update_name(self, name: str) -> None:
        """Rename the span."""
        self.name = name
        self._hand_on("update_name", name)

    def add_event(self, *args: Any, **kwargs: Any) -> None:
        """Add an event to a span that records."""
        if self._recording:
            self._hand_on("add_event", *args, **kwargs)

    def add_link(self, *args: Any, **kwargs: Any) -> None:
        """Add a link to a span that records."""
        if self._recording:
            self._hand_on("add_link", *args, **kwargs)

    def end(self, end_time: int | None = None) -> None:
        """Stop the clock, count the call once, end the real span."""
        seconds = perf_counter() - self._started
        if not self._ended:
            self._ended = True
            if self._call is not None:
                self._count(seconds, self._call)
        if self._recording:
            self._hand_on("end", end_time)

    def _count(self, seconds: float, call: dict[str, Any]) -> None:
        try:
            error = str(call.get("error", "")) if self._error in ("", OTHER) else self._error
            context = self.inner.get_span_context()
            trace_id = trace.format_trace_id(context.trace_id) if context.trace_flags.sampled else None
            self.tracer.metrics.observe(call, error or self._error, seconds, trace_id)
        except Exception as problem:  # noqa: BLE001 - fail open
            self.tracer.health.note(problem, doing="counting a client call")

    def _keep(self, attributes: Mapping[str, Any]) -> None:
        try:
            call = cast("dict[str, Any]", self._call)
            for key, value in attributes.items():
                meaning = MEANINGS.get(key)
                if meaning is not None:
                    call[meaning] = value
        except Exception as error:  # noqa: BLE001 - fail open
            self.tracer.health.note(error, doing="describing a client span")

    def _hand_on(self, method: str, *args: Any, **kwargs: Any) -> None:
        try:
            getattr(self.inner, method)(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - fail open: a span processor with a bug
            self.tracer.health.note(error, doing="describing a client span")


class _CurrentSpan:
    """Makes a span the current one within a `with` block; the real one, so that its children find what they know."""

    __slots__ = ("_end", "_record", "_set_status", "_span", "_token")

    def __init__(self, span: MeasuredSpan, record: bool, set_status: bool, end: bool) -> None:
        self._span = span
        self._record = record
        self._set_status = set_status
        self._end = end

    def __enter__(self) -> MeasuredSpan:
        self._token = context_api.attach(trace.set_span_in_context(self._span.inner))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        context_api.detach(self._token)
        span = self._span
        if error is not None:
            span.record_failure(error, as_event=self._record, as_status=self._set_status)
        if self._end:
            span.end()
