"""Consumers of queues: how long messages take, how old they are, what came of them, and whose trace is theirs."""

import time
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, TypeVar, get_args

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, TracerProvider
from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.work.delivery import Delivered, Delivery, delivery_of_arguments
from sereno_telemetry.work.forms import Watch, watched
from sereno_telemetry.work.guarding import guarded
from sereno_telemetry.work.headers import age_seconds, context_of, span_context_of
from sereno_telemetry.work.message import Message, Outcome, with_message
from sereno_telemetry.work.metrics import ConsumerMetrics, consumer_metrics
from sereno_telemetry.work.spans import Attachment, Spans, is_traced_already, note_failed_work, trace_id_of

Function = TypeVar("Function", bound=Callable[..., Any])
ErrorTypes = tuple[type[BaseException], ...]

_LONGEST_REASON = 100
_NO_CONTEXT = Context()
_MOST_LINKS = 128  # what OpenTelemetry's SDK keeps of a span's links


class Consumer:
    """One consumer of a queue, for the life of the process; safe for threads and tasks.

        orders = Consumer("orders", system="rabbitmq")

        @orders                                          # pika's callback or aio-pika's
        def on_message(channel, method, properties, body): ...

        with orders.processing(Delivery(headers)) as message:    # or by hand, also as `async with`
            message.reject("malformed")

    Args:
        destination: the queue, topic or stream that it consumes from.
        system: OpenTelemetry's name of the broker: `rabbitmq`, `aws_sqs`, `redis`, …
        registry: where the metrics go; None is prometheus_client's global registry.
        tracer_provider: what makes spans; None is the process's own. Without any, logs still carry the trace ids that
            messages bring.
        buckets: upper bounds of the duration histogram in seconds, ascending; the first consumer of a registry
            decides.
        retried_on, rejected_on: exceptions that mean these outcomes; all others are `failed`.
        clock: seconds since the epoch.

    Raises:
        ValueError: a name is empty, bounds don't ascend, what should be exceptions are none, or the registry has a
            metric of one of our names.
    """

    def __init__(
        self,
        destination: str,
        *,
        system: str,
        registry: CollectorRegistry | None = None,
        tracer_provider: TracerProvider | None = None,
        buckets: Sequence[float] = DEFAULT_BUCKETS,
        retried_on: ErrorTypes = (),
        rejected_on: ErrorTypes = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not destination or not system:
            raise ValueError('a consumer needs a destination and a system: Consumer("orders", system="rabbitmq")')
        if not buckets or list(buckets) != sorted(set(buckets)):
            raise ValueError(f"buckets are upper bounds in seconds that ascend, not {list(buckets)}")
        try:
            isinstance(None, (retried_on, rejected_on))
        except TypeError:
            raise ValueError("retried_on and rejected_on are tuples of exception classes") from None
        self.destination = destination
        self.system = system
        self._metrics = consumer_metrics(registry or REGISTRY, tuple(buckets))
        self._health = self._metrics.health
        self._spans = Spans(tracer_provider, self._health)
        self._retried_on, self._rejected_on = retried_on, rejected_on
        self._clock = clock
        # From the start, so that one that never gets a message can be told from one that isn't there.
        self._metrics.in_progress.none_yet(system, destination)
        self._metrics.redeliveries.child(system, destination)
        for outcome in get_args(Outcome):  # zeros: increase() doesn't see a counter that begins with its first event
            self._metrics.messages.child(system, destination, outcome)
        self.polled()

    def processing(self, *deliveries: Delivery) -> "Processing":
        """Around the processing of one message, or of several as one batch; a context manager.

        A batch is one span and one duration. Its trace is that of its first sampled message, else of its first; the
        span links to all of them.
        """
        return Processing(self, deliveries or (Delivery(),))

    def polled(self) -> None:
        """Say that the consumer lives; call it whenever it asks for messages, also when none come."""
        with guarded(self._health, "noting a consumer's activity"):
            self._metrics.last_activity.child(self.system, self.destination).set(self._clock())

    def __call__(self, handler: Function) -> Function:
        """Decorate a handler: sync, async or generator, a function or a method.

        The delivery is found in its positional arguments: pika's (channel, method, properties, body), aio-pika's
        message, or a `Delivery` as the last. Within it, `current_message()` says the outcome.
        """

        def watch_for(arguments: tuple[Any, ...]) -> "Processing":
            delivery = Delivery()
            with guarded(self._health, "finding a delivery among a handler's arguments"):
                delivery = delivery_of_arguments(arguments)
            return Processing(self, (delivery,))

        return watched(handler, watch_for)


class Processing(Watch[Message]):
    """One message, or one batch, from the beginning of its processing to its end. Nothing in here raises."""

    def __init__(self, consumer: Consumer, deliveries: tuple[Delivery, ...]) -> None:
        self.subject = Message()
        self._consumer = consumer
        self._health = consumer._health  # noqa: SLF001 - of one piece with it
        self._metrics: ConsumerMetrics = consumer._metrics  # noqa: SLF001
        self._deliveries = deliveries
        self._destination = consumer.destination
        self._span: trace.Span = trace.INVALID_SPAN
        self._ours = False
        self._attachment: Attachment | None = None
        self._no_longer_in_progress: Callable[[], None] | None = None
        self._clock_started = 0.0

    def begin(self) -> None:
        """Read the deliveries, count them in, begin the span, start the clock."""
        delivered = self._read()
        with guarded(self._health, "starting to measure a message"):
            self._count_in(delivered)
        with guarded(self._health, "finding a message's trace"):
            self._begin_span(delivered)
        self._clock_started = perf_counter()

    def resume(self) -> None:
        """Make the message's context current."""
        if self._attachment is not None:
            self._attachment.attach()

    def suspend(self) -> None:
        """Bring back the context before."""
        if self._attachment is not None:
            self._attachment.detach()

    def end(self, error: BaseException | None) -> None:
        """Stop the clock, count what came of it, end the span."""
        seconds = perf_counter() - self._clock_started
        outcome, error_type = "failed", ""
        with guarded(self._health, "finding a message's outcome"):
            outcome, error_type = self._outcome(error)
        if error is not None:
            with guarded(self._health, "noting which message failed"):
                note_failed_work(error, self._span, "process", self._destination)
        with guarded(self._health, "counting a message out"):
            if self._no_longer_in_progress is not None:
                self._no_longer_in_progress()
        with guarded(self._health, "counting a message"):
            consumer = self._consumer
            where = (consumer.system, self._destination)
            self._metrics.messages.child(*where, outcome).inc(len(self._deliveries))
            trace_id = trace_id_of(self._span)
            self._metrics.duration.child(*where, outcome, error_type).observe(seconds, trace_id)
        self._consumer.polled()
        with guarded(self._health, "ending a message's span"):
            self._end_span(error, outcome, error_type)

    def _read(self) -> list[Delivered]:
        delivered = []
        for delivery in self._deliveries:
            known = Delivered()
            with guarded(self._health, "reading a delivery"):
                known = delivery.read()
            delivered.append(known)
        self._destination = delivered[0].destination or self._destination
        return delivered

    def _count_in(self, delivered: Sequence[Delivered]) -> None:
        consumer, metrics = self._consumer, self._metrics
        where, now = (consumer.system, self._destination), consumer._clock()  # noqa: SLF001
        self._no_longer_in_progress = metrics.in_progress.begin(*where, len(delivered), now)
        metrics.last_message.child(*where).set(now)
        metrics.last_activity.child(consumer.system, consumer.destination).set(now)
        again = sum(each.redelivered for each in delivered)
        if again:
            metrics.redeliveries.child(*where).inc(again)
        for each in delivered:
            age = age_seconds(each.enqueued_at_seconds, now)
            if age is not None:
                metrics.age.child(*where).observe(age)

    def _begin_span(self, delivered: Sequence[Delivered]) -> None:
        contexts = [self._context_of(each) for each in delivered]
        carried = [(sender, context) for context in contexts if (sender := span_context_of(context)).is_valid]
        sender, above = _parent(carried)
        # What the application had put into the context stays; trace and baggage are the message's, if it has any.
        current = otel_context.get_current()
        parent = Context({**current, **above})
        if is_traced_already(trace.get_current_span(current), sender):
            self._span, parent = trace.get_current_span(current), current
        elif sender.is_valid and not sender.trace_flags.sampled:
            self._span = trace.get_current_span(parent)  # the sender's ids alone
        else:
            self._ours = True
            self._span = self._begun(delivered, parent, [sender for sender, _ in carried[:_MOST_LINKS]])
            parent = trace.set_span_in_context(self._span, parent)
        self._attachment = Attachment(with_message(parent, self.subject), self._health)

    def _context_of(self, delivered: Delivered) -> Context:
        if delivered.headers:
            with guarded(self._health, "reading a message's trace context"):
                return context_of(delivered.headers)
        return _NO_CONTEXT

    def _begun(self, delivered: Sequence[Delivered], parent: Context, links: Sequence[SpanContext]) -> trace.Span:
        attributes: dict[str, str | int] = {
            "messaging.system": self._consumer.system,
            "messaging.destination.name": self._destination,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
        }
        if len(delivered) > 1:
            attributes["messaging.batch.message_count"] = len(delivered)
        elif delivered[0].message_id:
            attributes["messaging.message.id"] = delivered[0].message_id
        name = f"process {self._destination}"
        return self._consumer._spans.begin(  # noqa: SLF001
            name, SpanKind.CONSUMER, parent=parent, attributes=attributes, links=links
        )

    def _outcome(self, error: BaseException | None) -> tuple[Outcome, str]:
        said, consumer = self.subject, self._consumer
        error_type = "" if error is None else type(error).__qualname__[:_LONGEST_REASON]
        if said.outcome is not None:
            return said.outcome, str(said.error_type or error_type)[:_LONGEST_REASON]
        if error is None:
            return "ok", ""
        if isinstance(error, consumer._retried_on):  # noqa: SLF001
            return "retried", error_type
        return ("rejected" if isinstance(error, consumer._rejected_on) else "failed"), error_type  # noqa: SLF001

    def _end_span(self, error: BaseException | None, outcome: str, error_type: str) -> None:
        if not self._span.is_recording():
            return
        attributes = {"sereno.outcome": outcome} | ({"error.type": error_type} if error_type else {})
        if not self._ours:  # its owner ends it
            self._span.set_attributes(attributes)
            return
        failure = (error_type or outcome) if outcome == "failed" else None
        self._consumer._spans.end(self._span, error, attributes, failure)  # noqa: SLF001


def _parent(carried: Sequence[tuple[SpanContext, Context]]) -> tuple[SpanContext, Context]:
    """Of what messages carry that which their batch belongs to: the first that is sampled, else the first."""
    sampled = (pair for pair in carried if pair[0].trace_flags.sampled)
    return next(sampled, carried[0] if carried else (trace.INVALID_SPAN_CONTEXT, _NO_CONTEXT))
