"""Consumers of queues: what is counted, and whose trace it is."""

import io
import json
import logging
from collections.abc import Callable, Mapping

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, current_message, ecs_handler
from sereno_telemetry.metrics.families import OVERFLOW
from support.work import (
    SAMPLED,
    SPAN,
    TRACE,
    UNSAMPLED,
    Clock,
    MalformedError,
    Tracing,
    TransientError,
    current_ids,
    trace_id,
)

Series = Callable[[str], Mapping[tuple[str, ...], float]]

DURATIONS = "messaging_process_duration_seconds_count"
ACTIVITY = "messaging_consumer_last_activity_timestamp_seconds"
HERE = ("rabbitmq", "orders")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(TransientError("t"), "retried"), (MalformedError("m"), "rejected"), (LookupError("l"), "failed"), (None, "ok")],
)
def test_an_exception_decides_the_outcome_and_passes(
    orders: Consumer, series: Series, tracing: Tracing, error: Exception | None, outcome: str
) -> None:
    """Each message is counted once with what came of it, and the application's exception comes out as it was."""
    assert series("messaging_processed_messages_total") == {
        (*HERE, each): 0 for each in ("ok", "retried", "rejected", "failed")
    }
    raised: BaseException | None = None
    try:
        with orders.processing():
            if error is not None:
                raise error  # noqa: TRY301 - it has to leave the block
    except Exception as caught:  # noqa: BLE001 - the very object is compared
        raised = caught
    assert raised is error
    kind = type(error).__qualname__ if error else ""
    assert series(DURATIONS) == {(*HERE, outcome, kind): 1}
    assert series("messaging_processed_messages_total")[(*HERE, outcome)] == 1
    failed = tracing.only().status.status_code is StatusCode.ERROR
    assert failed == (outcome == "failed")


def test_what_the_application_says_decides_over_the_exception(orders: Consumer, series: Series) -> None:
    """A consumer that rejects or retries without an exception, or before one, is believed."""
    with orders.processing() as message:
        message.reject("schema")
    with orders.processing() as message:
        message.retry()
    with pytest.raises(LookupError), orders.processing() as message:  # noqa: PT012
        message.retry("busy")
        raise LookupError
    with orders.processing() as message:
        message.fail("unknown customer")
    assert series(DURATIONS) == {
        (*HERE, "rejected", "schema"): 1,
        (*HERE, "retried", ""): 1,
        (*HERE, "retried", "busy"): 1,
        (*HERE, "failed", "unknown customer"): 1,
    }


def test_the_age_is_measured_and_never_negative(orders: Consumer, series: Series, clock: Clock) -> None:
    """From enqueueing to the start of processing; a sender whose clock is ahead has sent just now."""
    for enqueued in (clock.now - 7.0, clock.now + 3600.0):
        with orders.processing(Delivery(enqueued_at_seconds=enqueued)):
            pass
    assert series("messaging_message_age_seconds_sum") == {HERE: 7.0}
    assert series("messaging_message_age_seconds_count") == {HERE: 2}


@pytest.mark.parametrize(
    "told", ["nan", "inf", "-inf", "1e999", "0", "-5", "soon", "", "9" * 9000, 7, None, [1], b"\xff"]
)
def test_a_time_that_is_none_is_no_age(orders: Consumer, registry: CollectorRegistry, told: object) -> None:
    """Headers are written by anybody: what isn't a time of our days is not observed."""
    with orders.processing(Delivery({"sereno-enqueued-at": told})):
        pass
    assert not registry.get_sample_value("messaging_message_age_seconds_count", _labels())
    assert not registry.get_sample_value("sereno_telemetry_errors_total")


def test_redeliveries_are_counted(orders: Consumer, series: Series) -> None:
    """A message that the broker had delivered before counts once more."""
    assert series("messaging_redeliveries_total") == {HERE: 0}
    for redelivered in (False, True, True):
        with orders.processing(Delivery(redelivered=redelivered)):
            pass
    assert series("messaging_redeliveries_total") == {HERE: 2}


def test_a_worker_that_hangs_shows(orders: Consumer, registry: CollectorRegistry, clock: Clock) -> None:
    """One that polls is alive; one that hangs in a message has it in progress since then, and no activity."""
    began = clock.now
    assert registry.get_sample_value(ACTIVITY, _labels()) == began
    assert registry.get_sample_value("messaging_messages_in_progress", _labels()) == 0
    assert registry.get_sample_value("messaging_last_message_timestamp_seconds", _labels()) is None
    clock.now += 10
    orders.polled()
    assert registry.get_sample_value(ACTIVITY, _labels()) == began + 10
    with orders.processing():
        clock.now += 500
        with orders.processing():
            oldest = registry.get_sample_value("messaging_oldest_in_progress_start_timestamp_seconds", _labels())
            assert oldest == began + 10
            assert registry.get_sample_value("messaging_messages_in_progress", _labels()) == 2
        assert registry.get_sample_value("messaging_oldest_in_progress_start_timestamp_seconds", _labels()) == oldest
        clock.now += 500
        assert registry.get_sample_value(ACTIVITY, _labels()) == began + 510
    assert registry.get_sample_value(ACTIVITY, _labels()) == began + 1010
    assert registry.get_sample_value("messaging_oldest_in_progress_start_timestamp_seconds", _labels()) == 0
    assert registry.get_sample_value("messaging_messages_in_progress", _labels()) == 0
    assert registry.get_sample_value("messaging_last_message_timestamp_seconds", _labels()) == began + 510


def test_hostile_destinations_and_errors_are_limited(orders: Consumer, series: Series) -> None:
    """A thousand invented queues and error types make the series of a hundred, and nothing is lost."""
    for number in range(1000):
        with orders.processing(Delivery(destination=f"queue-{number}")) as message:
            message.reject(f"error {number}")
    counted = series(DURATIONS)
    assert sum(counted.values()) == 1000
    assert len({labels[1] for labels in counted}) == 101
    assert len({labels[3] for labels in counted}) == 31
    assert ("rabbitmq", OVERFLOW, "rejected", OVERFLOW) in counted
    assert len(series("messaging_messages_in_progress")) <= 101


def test_a_span_belongs_to_the_trace_of_the_message(orders: Consumer, tracing: Tracing) -> None:
    """A CONSUMER span below the sender's, linked to it, and current while the message is processed."""
    with orders.processing(Delivery(SAMPLED, message_id="m-1")):
        inside = current_ids()
    span = tracing.only()
    assert span.kind is SpanKind.CONSUMER
    assert span.name == "process orders"
    assert trace_id(span) == TRACE == inside[0]
    assert span.parent is not None
    assert trace.format_span_id(span.parent.span_id) == SPAN
    assert [trace.format_span_id(link.context.span_id) for link in span.links] == [SPAN]
    assert dict(span.attributes or {}) == {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": "orders",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": "m-1",
        "sereno.outcome": "ok",
    }
    assert not trace.get_current_span().get_span_context().is_valid


def test_an_unsampled_message_has_its_ids_and_no_span(orders: Consumer, tracing: Tracing) -> None:
    """The sender's decision comes first: nothing is recorded, and logs still carry the trace."""
    with orders.processing(Delivery(UNSAMPLED)):
        assert current_ids() == (TRACE, SPAN)
        assert not trace.get_current_span().is_recording()
    assert tracing.spans() == ()


def test_without_a_provider_logs_carry_ids_all_the_same(registry: CollectorRegistry) -> None:
    """A worker that traces nothing keeps the message's ids, and gives those without any a trace of their own."""
    orders = Consumer("orders", system="redis", registry=registry)
    with orders.processing(Delivery(SAMPLED)):
        assert current_ids() == (TRACE, SPAN)
    with orders.processing():
        assert trace.get_current_span().get_span_context().is_valid


def test_a_batch_links_to_all_its_messages(orders: Consumer, tracing: Tracing, series: Series) -> None:
    """One span and one duration; it belongs to the first message that is sampled, each message is counted."""
    other = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    with orders.processing(Delivery(other), Delivery(SAMPLED), Delivery()):
        assert current_ids()[0] == TRACE
        assert series("messaging_messages_in_progress") == {HERE: 3}
    span = tracing.only()
    assert trace_id(span) == TRACE
    assert [trace.format_trace_id(link.context.trace_id) for link in span.links] == ["a" * 32, TRACE]
    assert (span.attributes or {})["messaging.batch.message_count"] == 3
    assert series("messaging_processed_messages_total")[(*HERE, "ok")] == 3
    assert sum(series(DURATIONS).values()) == 1


def test_the_span_of_a_library_is_not_doubled(orders: Consumer, tracing: Tracing) -> None:
    """Where OpenTelemetry's instrumentation has begun this message's span already, it is the one."""
    tracer = tracing.provider.get_tracer("opentelemetry.instrumentation.pika")
    parent = trace.set_span_in_context(trace.NonRecordingSpan(_sender()))
    with tracer.start_as_current_span("orders receive", context=parent, kind=SpanKind.CONSUMER) as theirs:
        with orders.processing(Delivery(SAMPLED)) as message:
            assert trace.get_current_span() is theirs
            current_message().reject()
            assert message.outcome == "rejected"
        assert trace.get_current_span() is theirs
    assert tracing.only().name == "orders receive"
    assert (tracing.only().attributes or {})["sereno.outcome"] == "rejected"


def test_a_span_inside_another_is_not_doubled_either(orders: Consumer, tracing: Tracing) -> None:
    """`instrument_clients` wraps the spans of instrumentations; the one within is the message's."""
    tracer = tracing.provider.get_tracer("opentelemetry.instrumentation.pika")
    parent = trace.set_span_in_context(trace.NonRecordingSpan(_sender()))
    inner = tracer.start_span("orders receive", context=parent, kind=SpanKind.CONSUMER)
    with trace.use_span(_Wrapping(inner), end_on_exit=False), orders.processing(Delivery(SAMPLED)):
        pass
    assert tracing.spans() == ()


class _Wrapping(trace.NonRecordingSpan):
    """A span that holds another."""

    def __init__(self, inner: trace.Span) -> None:
        super().__init__(inner.get_span_context())
        self.inner = inner

    def is_recording(self) -> bool:
        """As the one within."""
        return True


def test_what_the_application_put_into_the_context_stays(orders: Consumer) -> None:
    """The message brings its trace and baggage; values of the application's own are still there."""
    token = otel_context.attach(otel_context.set_value("tenant", "t-1"))
    try:
        with orders.processing(Delivery({**SAMPLED, "baggage": "customer=c-1"})):
            assert otel_context.get_value("tenant") == "t-1"
            assert current_ids()[0] == TRACE
    finally:
        otel_context.detach(token)


def test_logs_of_a_failure_carry_its_trace(orders: Consumer) -> None:
    """Within the block by the context, and after it, where a worker's loop logs what came out, by the exception."""
    stream = io.StringIO()
    logger = logging.Logger("worker")  # noqa: LOG001 - of this test alone
    logger.addHandler(ecs_handler("orders", stream=stream))
    try:
        with orders.processing(Delivery(UNSAMPLED)):
            logger.info("inside")
            raise LookupError("no customer")  # noqa: TRY301 - it has to leave the block
    except LookupError:
        logger.exception("outside")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["trace.id"] for line in lines] == [TRACE, TRACE]


def test_names_without_end_are_cut(orders: Consumer, series: Series) -> None:
    """A key of Redis may have millions of characters; a label has not."""
    with orders.processing(Delivery(destination="q" * 10_000)) as message:
        message.fail("x" * 10_000)
    ((_, destination, _, error_type),) = series(DURATIONS)
    assert (len(destination), len(error_type)) == (255, 100)


def test_wrong_set_up_is_told_at_once(registry: CollectorRegistry) -> None:
    """A developer's mistake is a ValueError at the start, never at a message."""
    with pytest.raises(ValueError, match="destination and a system"):
        Consumer("", system="redis", registry=registry)
    with pytest.raises(ValueError, match="exception classes"):
        Consumer("orders", system="redis", registry=registry, retried_on="Timeout")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ascend"):
        Consumer("orders", system="redis", registry=registry, buckets=(1, 1))


def test_outside_of_a_message_nothing_happens() -> None:
    """Code that is shared with other entries may say an outcome anywhere."""
    current_message().reject()


def test_consumers_share_the_metrics_of_a_registry(registry: CollectorRegistry, series: Series) -> None:
    """Several queues in one process are label values of the same metrics."""
    provider = TracerProvider()
    for name in ("orders", "refunds"):
        with Consumer(name, system="redis", registry=registry, tracer_provider=provider).processing():
            pass
    assert set(series(DURATIONS)) == {("redis", "orders", "ok", ""), ("redis", "refunds", "ok", "")}


def _sender() -> trace.SpanContext:
    return trace.SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=True, trace_flags=trace.TraceFlags(1))


def _labels() -> dict[str, str]:
    return {"messaging_system": "rabbitmq", "messaging_destination_name": "orders"}
