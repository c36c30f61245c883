"""From a span's attributes, old names and new, to the labels of a call: bounded, and free of what is private."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.semconv._incubating.attributes import db_attributes, messaging_attributes
from opentelemetry.semconv._incubating.metrics import db_metrics, messaging_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from opentelemetry.semconv.metrics import http_metrics
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    use_span,
)
from prometheus_client import CollectorRegistry
from sereno_telemetry.clients.measuring import MeasuredSpan, MeasuringTracer
from sereno_telemetry.clients.metrics import MEANINGS, client_metrics, operation_of
from sereno_telemetry.metrics.health import health_of

Counted = Callable[[str], Mapping[tuple[str, ...], float]]
End = Callable[..., None]

HTTP = "http_client_request_duration_seconds"
DATABASE = "db_client_operation_duration_seconds"
MESSAGING = "messaging_client_operation_duration_seconds"


@pytest.fixture
def tracer(registry: CollectorRegistry) -> MeasuringTracer:
    """A tracer that samples nothing."""

    class Unsampled:
        def start_span(self, *_arguments: object) -> NonRecordingSpan:
            return NonRecordingSpan(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(0)))

    return MeasuringTracer(Unsampled(), client_metrics(registry), health_of(registry))  # type: ignore[arg-type]


@pytest.fixture
def end(tracer: MeasuringTracer) -> End:
    """Measure one call whose span has these attributes."""

    def finish(
        attributes: dict[str, Any], kind: SpanKind = SpanKind.CLIENT, do: Callable[[MeasuredSpan], None] | None = None
    ) -> None:
        span = tracer.start_span("call", kind=kind, attributes=attributes)
        if do is not None:
            do(span)
        span.end()
        span.end()  # some instrumentations end twice

    return finish


@pytest.mark.parametrize(
    ("attributes", "metric", "labels"),
    [
        (
            {"http.method": "GET", "http.url": "https://user:pass@api.test:8443/a?b=c", "http.status_code": 500},
            HTTP,
            ("GET", "api.test", "500", "500"),
        ),
        ({"http.method": "GET", "http.host": "a.test", "http.status_code": 404}, HTTP, ("GET", "a.test", "404", "404")),
        ({"http.request.method": "PUT", "server.address": "api.test"}, HTTP, ("PUT", "api.test", "", "")),
        (
            {"db.system": "postgresql", "db.name": "shop", "db.statement": "select secret from t"},
            DATABASE,
            ("postgresql", "shop", "SELECT", ""),
        ),
        (
            {"db.system.name": "mysql", "db.namespace": "shop", "db.operation.name": "insert"},
            DATABASE,
            ("mysql", "shop", "INSERT", ""),
        ),
        ({"db.system": "redis", "db.statement": "", "error.type": "x"}, DATABASE, ("redis", "", "_OTHER", "x")),
        (
            {"messaging.system": "rabbitmq", "messaging.destination": ",orders", "messaging.temp_destination": True},
            MESSAGING,
            ("rabbitmq", "publish", "orders", ""),
        ),
        (
            {"messaging.system": "rabbitmq", "messaging.destination.name": "amq.gen-JzTY20BRgKO"},
            MESSAGING,
            ("rabbitmq", "publish", "_TEMPORARY", ""),
        ),
        (
            {"messaging.system": "kafka", "messaging.destination.name": "q7", "messaging.operation.name": "send"}
            | {"messaging.destination.temporary": True},
            MESSAGING,
            ("kafka", "send", "_TEMPORARY", ""),
        ),
    ],
)
def test_labels_follow_from_attributes(
    attributes: dict[str, Any], metric: str, labels: tuple[str, ...], end: End, counted: Counted
) -> None:
    """Names of before and after the conventions' change give the same labels, given at the start or later."""
    end(attributes)
    end({}, do=lambda span: span.set_attributes(attributes))
    assert counted(metric) == {labels: 2}


def test_only_calls_to_others_are_counted(end: End, counted: Counted, registry: CollectorRegistry) -> None:
    """Consumers' and internal spans, and client spans of no known kind, are nobody's call."""
    call = {"messaging.system": "rabbitmq", "messaging.destination": "orders"}
    end(call, kind=SpanKind.CONSUMER)
    end(call, kind=SpanKind.INTERNAL)
    end({"rpc.system": "grpc"})
    assert counted(MESSAGING) == {}
    end(call, kind=SpanKind.PRODUCER)
    assert counted(MESSAGING) == {("rabbitmq", "publish", "orders", ""): 1}
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 0


def test_a_status_code_tells_more_than_a_status(end: End, counted: Counted) -> None:
    """Old conventions have no error.type: where the code says what is wrong, that is the error."""
    end({"http.method": "GET", "http.status_code": 503}, do=lambda span: span.set_status(StatusCode.ERROR))
    assert counted(HTTP) == {("GET", "", "503", "503"): 1}


def test_what_a_layer_above_counts_is_not_counted_again(
    tracer: MeasuringTracer, counted: Counted, registry: CollectorRegistry
) -> None:
    """A driver below SQLAlchemy makes neither figures nor spans while a statement of SQLAlchemy's runs."""
    covered: ContextVar[bool] = ContextVar("covered", default=True)
    driver = MeasuringTracer(tracer._tracer, client_metrics(registry), health_of(registry), covered)
    call = {"db.system": "postgresql", "db.operation": "SELECT"}
    driver.start_span("statement", kind=SpanKind.CLIENT, attributes=call).end()
    assert counted(DATABASE) == {}
    covered.set(False)
    driver.start_span("statement", kind=SpanKind.CLIENT, attributes=call).end()
    assert counted(DATABASE) == {("postgresql", "", "SELECT", ""): 1}


def test_a_tracer_that_breaks_gives_a_span_all_the_same(counted: Counted, registry: CollectorRegistry) -> None:
    """Libraries that are guarded at the tracer alone go on, within their parent's trace, and are counted."""

    class Broken:
        def start_span(self, *_arguments: object) -> NonRecordingSpan:
            raise RuntimeError("broken tracer")

    tracer = MeasuringTracer(Broken(), client_metrics(registry), health_of(registry))  # type: ignore[arg-type]
    parent = NonRecordingSpan(SpanContext(7, 7, is_remote=False, trace_flags=TraceFlags(1)))
    call = {"db.system": "redis", "db.operation": "GET"}
    with use_span(parent), tracer.start_as_current_span("command", kind=SpanKind.CLIENT, attributes=call):
        assert get_current_span().get_span_context() == parent.get_span_context()
    assert counted(DATABASE) == {("redis", "", "GET", ""): 1}
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1


def test_a_publication_within_a_publication_is_one(tracer: MeasuringTracer, counted: Counted) -> None:
    """Pika's blocking channel and the channel below are both instrumented; what is published once counts once."""
    call = {"messaging.system": "rabbitmq", "messaging.destination": "orders"}
    below = MeasuringTracer(tracer._tracer, tracer.metrics, tracer.health)  # each channel has a tracer of its own
    for _ in range(2):
        outer = tracer.start_span("outer", kind=SpanKind.PRODUCER, attributes=call)
        with use_span(outer, end_on_exit=True), below.start_as_current_span("inner", None, SpanKind.PRODUCER, call):
            assert get_current_span().get_span_context() == outer.get_span_context()
    assert counted(MESSAGING) == {("rabbitmq", "publish", "orders", ""): 2}


@pytest.mark.parametrize(
    ("do", "error"),
    [
        (lambda span: span.record_exception(LookupError("secret")), "LookupError"),
        (lambda span: span.set_status(Status(StatusCode.ERROR, "secret")), "_OTHER"),
        (lambda span: span.set_status(StatusCode.ERROR), "_OTHER"),
        (lambda span: span.set_attribute("error.type", "timeout"), "timeout"),
        (lambda span: (span.set_status(StatusCode.ERROR), span.set_status(StatusCode.OK)), ""),
    ],
)
def test_errors_are_told_by_type(do: Callable[[MeasuredSpan], None], error: str, end: End, counted: Counted) -> None:
    """An exception's type, a status or the attribute; never a text."""
    end({"db.system": "redis", "db.operation": "GET"}, do=do)
    assert counted(DATABASE) == {("redis", "", "GET", error): 1}


def test_hostile_values_are_bounded(end: End, counted: Counted, registry: CollectorRegistry) -> None:
    """Ten thousand hosts, queues, errors and verbs make a bounded number of series; the surplus is counted as such."""
    for number in range(2_000):
        end({"http.method": f"M{number}", "server.address": f"host{number}", "error.type": f"E{number}"})
        end({"db.system": f"s{number}", "db.namespace": f"n{number}", "db.statement": f"op{number} x"})
        end({"messaging.system": "m", "messaging.destination": f"queue{number}", "messaging.operation": f"o{number}"})
    assert sum(counted(HTTP).values()) == sum(counted(DATABASE).values()) == 2_000
    assert len(counted(HTTP)) <= 52
    assert len(counted(DATABASE)) <= 102
    assert len(counted(MESSAGING)) <= 102
    overflows = registry.get_sample_value(
        "sereno_telemetry_overflows_total", {"metric": HTTP, "label": "server_address"}
    )
    assert overflows == 1_950


@given(st.text())
def test_an_operation_is_one_word(statement: str) -> None:
    """Whatever a statement holds, its label is a word in capitals of bounded length."""
    operation = operation_of(statement)
    assert 0 < len(operation) <= 40
    assert not operation.strip().startswith(("'", '"'))
    assert " " not in operation


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ("  select 1", "SELECT"),
        ("-- who asks\n(select 1) union (select 2)", "SELECT"),
        ("/* a * b **/ /* c */ DELETE FROM t", "DELETE"),
        ("WITH t AS (SELECT 1) SELECT 2", "WITH"),
        ("FT.SEARCH ? ?", "FT.SEARCH"),
        ("'secret'", "_OTHER"),
        ("/* never ends", "_OTHER"),
        ("/*" + "*" * 100_000, "_OTHER"),
        ("(" * 100_000, "_OTHER"),
        ("a" * 41, "_OTHER"),
    ],
)
def test_operations_of_statements(statement: str, operation: str) -> None:
    """The first word after comments and brackets."""
    assert operation_of(statement) == operation


def test_names_are_those_of_the_conventions() -> None:
    """The installed semantic conventions know our metrics, and the attributes that our labels come from."""
    for metric, name in (
        (http_metrics.HTTP_CLIENT_REQUEST_DURATION, HTTP),
        (db_metrics.DB_CLIENT_OPERATION_DURATION, DATABASE),
        (messaging_metrics.MESSAGING_CLIENT_OPERATION_DURATION, MESSAGING),
    ):
        assert f"{metric.replace('.', '_')}_seconds" == name
    for attribute in (
        http_attributes.HTTP_REQUEST_METHOD,
        http_attributes.HTTP_RESPONSE_STATUS_CODE,
        server_attributes.SERVER_ADDRESS,
        db_attributes.DB_SYSTEM_NAME,
        db_attributes.DB_OPERATION_NAME,
        db_attributes.DB_NAMESPACE,
        messaging_attributes.MESSAGING_SYSTEM,
        messaging_attributes.MESSAGING_OPERATION_NAME,
        messaging_attributes.MESSAGING_DESTINATION_NAME,
        error_attributes.ERROR_TYPE,
    ):
        assert attribute in MEANINGS
