"""Messages that are sent: headers with the trace context and the time, below a producer span."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.metrics.health import TelemetryHealth, health_of
from sereno_telemetry.work.guarding import guarded
from sereno_telemetry.work.headers import ENQUEUED_AT, Headers, carries_context
from sereno_telemetry.work.spans import Attachment, Spans

_NO_INSTRUMENTATION = "suppress_instrumentation"  # the key that OpenTelemetry's instrumentations ask for


class publishing:  # noqa: N801 - reads as a statement: `with publishing("orders", system="rabbitmq") as headers:`
    """Around the sending of one message; gives the headers to send with it.

        with publishing("orders", system="rabbitmq") as headers:
            channel.basic_publish("", "orders", body, pika.BasicProperties(headers=headers))

    Also as `async with`. The message is one PRODUCER span, below the request or message whose work this is. While the
    block runs OpenTelemetry's instrumentations are quiet: one of the client library would make a second span and
    write its own ids over ours. So do nothing else in it.

    Args:
        destination: the queue, topic, exchange or stream.
        system: OpenTelemetry's name of the broker.
        headers: the application's own, which are kept. A trace context among them stays, and then there is no span.
        registry: where failures of the instrumentation are counted; None is prometheus_client's global registry.
        tracer_provider: what makes spans; None is the process's own.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        destination: str,
        *,
        system: str,
        headers: Mapping[str, Any] | None = None,
        registry: CollectorRegistry | None = None,
        tracer_provider: TracerProvider | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._destination = destination
        self._system = system
        self._own = headers
        self._health = _health(registry or REGISTRY)
        self._spans = Spans(tracer_provider, self._health)
        self._clock = clock
        self._span: trace.Span | None = None
        self._attachment: Attachment | None = None

    def __enter__(self) -> Headers:
        """Begin the span; the headers."""
        headers = Headers(self._own or {})
        with guarded(self._health, "noting when a message is enqueued"):
            headers.setdefault(ENQUEUED_AT, f"{self._clock():.3f}")
        with guarded(self._health, "giving a message its trace context"):
            if not carries_context(headers):
                self._begin_span(headers)
        return headers

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span; an exception goes on."""
        if self._attachment is not None:
            self._attachment.detach()
        if self._span is not None:
            failure = None if error is None else type(error).__qualname__
            attributes = {} if failure is None else {"error.type": failure}
            self._spans.end(self._span, error, attributes, failure)

    async def __aenter__(self) -> Headers:
        """Begin the span; the headers."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span."""
        self.__exit__(kind, error, traceback)

    def _begin_span(self, headers: Headers) -> None:
        current = otel_context.get_current()
        self._span = self._spans.begin(
            f"send {self._destination}",
            SpanKind.PRODUCER,
            parent=current,
            attributes={
                "messaging.system": self._system,
                "messaging.destination.name": self._destination,
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
            },
        )
        context = trace.set_span_in_context(self._span, current)
        propagate.inject(headers, context=context)
        self._attachment = Attachment(
            otel_context.set_value(_NO_INSTRUMENTATION, value=True, context=context), self._health
        )
        self._attachment.attach()


def _health(registry: CollectorRegistry) -> TelemetryHealth:
    """That of the registry; where its name is taken one that nobody sees, for a message is sent in any case."""
    try:
        return health_of(registry)
    except ValueError:
        return health_of(CollectorRegistry())
