"""What travels with messages, and what comes in from strangers."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from sereno_telemetry import Delivery, publishing
from sereno_telemetry.work.delivery import Delivered
from sereno_telemetry.work.headers import Headers, context_of, header, opened, span_context_of
from support.work import SAMPLED, TRACE, UNSAMPLED, Clock, Tracing, trace_id

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.just("é" * 9000))
NAMES = st.one_of(SCALARS, st.sampled_from(["traceparent", b"traceparent", "tracestate", "baggage"]))


@given(st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(st.integers()))))
def test_no_header_raises(headers: Mapping[Any, Any]) -> None:
    """Whatever a stranger puts into headers, reading the trace from them gives a context."""
    context_of(headers)


@pytest.mark.parametrize(
    "value",
    [
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-01",
        SAMPLED["traceparent"] + "-" + "x" * 9000,
        SAMPLED["traceparent"].upper(),
        [SAMPLED["traceparent"]],
        12,
        b"\xff\xfe",
    ],
)
def test_a_malformed_trace_is_none(value: object) -> None:
    """Ids that W3C forbids, long values and wrong types are no trace."""
    assert not span_context_of(context_of({"traceparent": value})).is_valid


def test_long_headers_are_not_read() -> None:
    """What is longer than W3C allows a baggage to be is as good as absent."""
    assert header({"baggage": "x" * 8192}, "baggage") == "x" * 8192
    assert header({"baggage": "x" * 8193}, "baggage") is None
    assert header({b"baggage": b"x" * 8193}, "baggage") is None


@pytest.mark.parametrize("headers", [SAMPLED, {b"traceparent": SAMPLED["traceparent"].encode()}])
def test_text_and_bytes_are_read_alike(headers: Mapping[Any, Any]) -> None:
    """Redis answers in bytes, AMQP in text."""
    assert trace.format_trace_id(span_context_of(context_of(headers)).trace_id) == TRACE


@given(st.one_of(st.binary(), st.text()))
def test_an_envelope_gives_back_what_was_put_in(body: bytes | str) -> None:
    """Any bytes and any text, with the headers; the form that the client library reads is the form that comes out."""
    payload = Headers(SAMPLED).envelope(body)
    headers, got = opened(payload)
    assert headers == SAMPLED
    raw = body.encode() if isinstance(body, str) else body
    assert got == raw
    assert json.loads(payload)["sereno-envelope"] == 1


def test_a_decoding_client_gets_text() -> None:
    """With decode_responses=True Redis answers text, and the body of an envelope is text as well."""
    assert opened(Headers(SAMPLED).envelope("grüß").decode()) == (SAMPLED, "grüß")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"plain",
        b'{"order": 1}',
        b"\x00\xff",
        "text",
        b'{"sereno-envelope":1,',
        b'{"sereno-envelope":1,"headers":{}}',
        b'{"sereno-envelope":1,"headers":{},"text":7}',
        b'{"sereno-envelope":1,"headers":{},"base64":"%%%"}',
    ],
)
def test_a_foreign_payload_is_its_own_body(payload: bytes | str) -> None:
    """What isn't exactly an envelope comes back as it is, without headers."""
    delivery, body = Delivery.from_redis_list(payload)
    assert body is payload
    assert delivery.read() == Delivered()


def test_publishing_gives_headers_below_a_producer_span(
    registry: CollectorRegistry, tracing: Tracing, clock: Clock
) -> None:
    """The message's trace is that of the work that sends it; the sender's own headers are kept."""
    tracer = tracing.provider.get_tracer("test")
    with (
        tracer.start_as_current_span("request") as request,
        publishing(
            "orders",
            system="rabbitmq",
            headers={"x-tenant": 7},
            registry=registry,
            tracer_provider=tracing.provider,
            clock=clock,
        ) as headers,
    ):
        assert not is_instrumentation_enabled()  # the client library's instrumentation makes no second span
    assert is_instrumentation_enabled()
    sent = tracing.spans()[0]
    assert (sent.kind, sent.name) == (SpanKind.PRODUCER, "send orders")
    assert sent.parent == request.get_span_context()
    assert headers["x-tenant"] == 7
    assert headers["sereno-enqueued-at"] == "1795374000.000"
    assert headers["traceparent"].split("-")[1:3] == [trace_id(sent), trace.format_span_id(sent.context.span_id)]


def test_an_unsampled_request_sends_its_decision(registry: CollectorRegistry, tracing: Tracing) -> None:
    """No span is recorded, and the consumer learns that there is none above it."""
    token = trace.use_span(trace.get_current_span(context_of(UNSAMPLED)))
    with token, publishing("q", system="redis", registry=registry, tracer_provider=tracing.provider) as headers:
        pass
    assert headers["traceparent"] == UNSAMPLED["traceparent"]
    assert tracing.spans() == ()


def test_a_trace_that_is_in_the_headers_stays(registry: CollectorRegistry, tracing: Tracing) -> None:
    """Forwarding a message keeps the trace of whoever made it."""
    with publishing(
        "q", system="redis", headers=SAMPLED, registry=registry, tracer_provider=tracing.provider
    ) as headers:
        pass
    assert headers["traceparent"] == SAMPLED["traceparent"]
    assert tracing.spans() == ()


def test_a_failed_send_passes_and_marks_the_span(registry: CollectorRegistry, tracing: Tracing) -> None:
    """The exception is the application's."""
    error = ConnectionError("gone")
    with (
        pytest.raises(ConnectionError) as caught,
        publishing("q", system="redis", registry=registry, tracer_provider=tracing.provider),
    ):
        raise error
    assert caught.value is error
    assert (tracing.only().attributes or {})["error.type"] == "ConnectionError"


def test_sqs_and_sns_messages_are_read() -> None:
    """Directly, as Lambda gives them, and wrapped by SNS: trace, age and receive count."""
    attributes = Headers(SAMPLED).sqs_attributes()
    direct = {
        "MessageId": "m-1",
        "MessageAttributes": attributes,
        "Attributes": {"SentTimestamp": "1795374000500", "ApproximateReceiveCount": "2"},
    }
    in_lambda = {
        "messageId": "m-1",
        "messageAttributes": {"traceparent": {"stringValue": SAMPLED["traceparent"], "dataType": "String"}},
        "attributes": {"SentTimestamp": "1795374000500", "ApproximateReceiveCount": "2"},
    }
    wrapped = {
        "MessageId": "m-1",
        "Body": json.dumps(
            {"Type": "Notification", "MessageAttributes": {"traceparent": {"Value": SAMPLED["traceparent"]}}}
        ),
        "Attributes": {"SentTimestamp": "1795374000500", "ApproximateReceiveCount": "2"},
    }
    for message in (direct, in_lambda, wrapped):
        assert Delivery.from_sqs(message).read() == Delivered(
            SAMPLED, 1_795_374_000.5, redelivered=True, message_id="m-1"
        )
    assert len(Headers({str(number): "x" for number in range(20)}).sqs_attributes()) == 10


def test_a_stream_entry_tells_when_redis_got_it() -> None:
    """Its id is a time by the server's clock, which counts where the sender says nothing."""
    read = Delivery.from_redis_stream(b"1795374000250-0", {b"body": b"x"}, attempt=3).read()
    assert (read.enqueued_at_seconds, read.redelivered) == (1_795_374_000.25, True)
    told = Delivery.from_redis_stream("7-0", {b"sereno-enqueued-at": b"1795374000.5"}).read()
    assert told.enqueued_at_seconds == 1_795_374_000.5
