"""What is sent by OTLP/HTTP is taken once, by the standard's answers, and becomes ECS."""

import gzip
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any

import orjson
import pytest
from opentelemetry._logs import SeverityNumber as SdkSeverity
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource as SdkResource
from sereno_collectors.logs.inputs.otlp import OtlpInput
from sereno_collectors.logs.inputs.otlp import handler as otlp_handler
from sereno_collectors.logs.inputs.otlp.chunks import unpack
from support.taking_intake import TakingIntake

PROTOBUF, JSON = "application/x-protobuf", "application/json"
NOON_NS = 1_795_348_800_000_000_000
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Receiver:
    """An OTLP input on a free port of loopback."""

    stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.intake = TakingIntake(self.stop)
        self.input = OtlpInput("127.0.0.1", 0)
        self.thread = threading.Thread(target=self.input.run, args=(self.intake, self.stop))
        self.thread.start()

    def post(
        self, body: bytes | Iterator[bytes], content_type: str = PROTOBUF, path: str = "/v1/logs", **headers: str
    ) -> tuple[int, bytes, str | None]:
        """Status, body and `Retry-After` of an answer."""
        connection = http.client.HTTPConnection(*self.input.address, timeout=10)
        try:
            connection.request("POST", path, body, {"Content-Type": content_type, **headers})
            response = connection.getresponse()
            return response.status, response.read(), response.getheader("Retry-After")
        finally:
            connection.close()

    def documents(self) -> list[dict[str, Any]]:
        """What was taken."""
        return [orjson.loads(event) for event in self.intake.events]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A running input."""
    made = Receiver()
    yield made
    made.stop.set()
    made.thread.join(5)
    assert not made.thread.is_alive()


def attributes(**values: str | int) -> list[KeyValue]:
    """Attributes; `__` in a name is a dot."""
    return [
        KeyValue(
            key=name.replace("__", "."),
            value=AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value),
        )
        for name, value in values.items()
    ]


def request_of(*records: LogRecord, scope: str = "shop") -> ExportLogsServiceRequest:
    """An export request of one process."""
    resource = Resource(attributes=attributes(service__name="checkout", service__instance__id="node-1"))
    scope_logs = ScopeLogs(scope=InstrumentationScope(name=scope), log_records=records)
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope_logs])])


def record(text: str, time: int = NOON_NS, **values: str | int) -> LogRecord:
    """A record of an error."""
    body = AnyValue(string_value=text)
    level = SeverityNumber.SEVERITY_NUMBER_ERROR
    return LogRecord(time_unix_nano=time, severity_number=level, body=body, attributes=attributes(**values))


def places(request: ExportLogsServiceRequest) -> list[tuple[str, int, bytes]]:
    """What the ids of a request's records are made of."""
    chunks = unpack(request, NOON).chunks
    return [(chunk.origin.identity, chunk.offset, chunk.events[0]) for chunk in chunks]


def test_a_record_becomes_ecs(receiver: Receiver) -> None:
    """What ECS has a field for stands there, everything else is a flat label."""
    sent = record(
        "no stock", NOON_NS + 1_500_000, exception__type="OutOfStock", order__id=7, event__sequence=3, thread__id=9
    )
    sent.trace_id, sent.span_id = bytes(range(16)), bytes(range(8))
    status, body, _ = receiver.post(request_of(sent).SerializeToString())
    assert (status, ExportLogsServiceResponse.FromString(body)) == (200, ExportLogsServiceResponse())
    assert receiver.documents() == [
        {
            "@timestamp": "2026-11-22T12:00:00.001500000Z",
            "log.level": "error",
            "message": "no stock",
            "log.logger": "shop",
            "service.name": "checkout",
            "service.node.name": "node-1",
            "error.type": "OutOfStock",
            "event.sequence": 3,
            "process.thread.id": 9,
            "trace.id": bytes(range(16)).hex(),
            "span.id": bytes(range(8)).hex(),
            "labels": {"order.id": "7"},
        }
    ]


def test_a_structured_body_is_readable_and_searchable(receiver: Receiver) -> None:
    """A body of fields is JSON in the message, and each of its fields a label."""
    values = KeyValueList(values=attributes(item="tea", count=2))
    receiver.post(request_of(LogRecord(body=AnyValue(kvlist_value=values))).SerializeToString())
    (document,) = receiver.documents()
    assert orjson.loads(document["message"]) == {"item": "tea", "count": 2}
    assert document["labels"] == {"body.item": "tea", "body.count": "2"}
    assert document["log.level"] == "info"


def test_json_is_the_same_as_protobuf_also_packed_and_chunked(receiver: Receiver) -> None:
    """JSON with its hex ids, gzip, and a body without a length told before give the same event."""
    sent = record("hello")
    sent.trace_id = b"\xab" * 16
    hand_made = {
        "resourceLogs": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "checkout"}},
                        {"key": "service.instance.id", "value": {"stringValue": "node-1"}},
                    ]
                },
                "scopeLogs": [
                    {
                        "scope": {"name": "shop"},
                        "logRecords": [
                            {
                                "timeUnixNano": str(NOON_NS),
                                "severityNumber": 17,
                                "body": {"stringValue": "hello"},
                                "traceId": "AB" * 16,
                                "aFieldOfTheFuture": 1,
                            }
                        ],
                    }
                ],
            }
        ]
    }
    packed = gzip.compress(request_of(sent).SerializeToString())
    assert receiver.post(packed, **{"Content-Encoding": "gzip"})[0] == 200
    assert receiver.post(iter([packed[:9], packed[9:]]), **{"Content-Encoding": "gzip"})[0] == 200
    status, body, _ = receiver.post(orjson.dumps(hand_made), JSON + "; charset=utf-8")
    assert (status, orjson.loads(body)) == (200, {})
    first, second, third = receiver.intake.chunks
    assert first.events == second.events == third.events
    assert first.origin == second.origin == third.origin


def test_a_repeated_record_is_the_same_event_and_equal_ones_are_several() -> None:
    """Records keep what their ids are made of however a sender cuts its requests; equal ones in one are told apart."""
    one, two = record("one"), record("two")
    together = places(request_of(one, two, one))
    assert len(set(together)) == 3
    assert set(places(request_of(two))) | set(places(request_of(one, one))) == set(together)
    assert not set(places(request_of(one, scope="other"))) & set(together)


def test_a_record_without_time_is_told_apart_by_its_request() -> None:
    """The same words without a time are one event in a repeated request, and another in another request."""
    timeless = record("started", time=0)
    assert places(request_of(timeless)) == places(request_of(timeless))
    assert not set(places(request_of(timeless))) & set(places(request_of(timeless, record("x"))))


BAD: list[tuple[str, int, bytes, str, dict[str, str]]] = [
    ("no protobuf", 400, b"\xff\xff", PROTOBUF, {}),
    ("no JSON", 400, b"{", JSON, {}),
    ("JSON of another shape", 400, b'{"resourceLogs": 1}', JSON, {}),
    ("an id that is no hex", 400, b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz"}]}]}]}', JSON, {}),
    ("no gzip", 400, b"abc", PROTOBUF, {"Content-Encoding": "gzip"}),
    ("half a gzip", 400, gzip.compress(b"abc" * 99)[:-9], PROTOBUF, {"Content-Encoding": "gzip"}),
    ("a gzip bomb", 413, gzip.compress(bytes(9_000_000)), PROTOBUF, {"Content-Encoding": "gzip"}),
    ("too long", 413, b"", PROTOBUF, {"Content-Length": "9000000"}),
    ("another packing", 415, b"", PROTOBUF, {"Content-Encoding": "zstd"}),
    ("another type", 415, b"", "text/plain", {}),
    ("two lengths", 400, b"", PROTOBUF, {"Content-Length": "0", "Transfer-Encoding": "chunked"}),
]


@pytest.mark.parametrize(("status", "body", "content_type", "headers"), [case[1:] for case in BAD], ids=lambda _: "")
def test_bad_requests_are_answered(
    receiver: Receiver, status: int, body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    """What can't be taken is refused with the standard's status, and nothing of it is queued."""
    assert receiver.post(body, content_type, **headers)[0] == status
    assert receiver.intake.chunks == []


def test_too_long_records_are_refused_alone(receiver: Receiver) -> None:
    """The others of their request are taken, and the sender is told how many were not."""
    status, body, _ = receiver.post(request_of(record("x" * 1_100_000), record("ok")).SerializeToString())
    partial = ExportLogsServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_log_records) == (200, 1)
    assert "bytes" in partial.error_message
    assert [document["message"] for document in receiver.documents()] == ["ok"]


def test_a_full_queue_is_told_and_a_retry_succeeds(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the queue is full the sender is asked to come again, and nothing is acknowledged."""
    monkeypatch.setattr(otlp_handler, "PATIENCE_SECONDS", 0.1)
    receiver.intake.room.clear()
    status, _, retry_after = receiver.post(request_of(record("one")).SerializeToString())
    assert (status, retry_after) == (503, "5")
    receiver.intake.room.set()
    assert receiver.post(request_of(record("one")).SerializeToString())[0] == 200
    assert len(receiver.intake.events) == 1


def test_a_broken_intake_ends_the_input_and_the_sender_keeps_its_records(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw, as a damaged queue, is answered like a full one, ends the input, and prints no traceback."""

    class Broken:
        is_ending = False

        def accept(self, *_: object, **__: object) -> None:
            raise LookupError("the queue was damaged")

    stop, bugs = Event(), list[Exception]()
    broken = OtlpInput("127.0.0.1", 0)

    def work() -> None:
        try:
            broken.run(Broken(), stop)
        except LookupError as bug:
            bugs.append(bug)

    thread = threading.Thread(target=work)
    thread.start()
    connection = http.client.HTTPConnection(*broken.address, timeout=10)
    try:
        connection.request("POST", "/v1/logs", b"", {"Content-Type": PROTOBUF})
        assert connection.getresponse().status == 503
    finally:
        connection.close()
        thread.join(5)
        stop.set()
    assert [str(bug) for bug in bugs] == ["the queue was damaged"]
    assert "Traceback" not in capsys.readouterr().err


def test_a_slow_client_is_sent_away(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends its body too slowly is answered 408 or cut off, and others are served meanwhile."""
    monkeypatch.setattr(otlp_handler, "REQUEST_SECONDS", 0.3)
    head = b"POST /v1/logs HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(receiver.input.address, timeout=5) as slow:
        slow.sendall(head + b"a")
        assert receiver.post(request_of(record("quick")).SerializeToString())[0] == 200
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


def test_its_health_is_asked_for(receiver: Receiver) -> None:
    """`/health` answers 200, and other paths 404."""
    connection = http.client.HTTPConnection(*receiver.input.address, timeout=5)
    statuses: list[int] = []
    for path in ("/health", "/"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [200, 404]
    assert receiver.post(b"", path="/v1/traces")[0] == 404


def test_the_real_sdk_sends_here(receiver: Receiver, exporter_of: Callable[[str], OTLPLogExporter]) -> None:
    """Records of OpenTelemetry's own SDK and exporter arrive with level, logger and service."""
    host, port = receiver.input.address
    provider = LoggerProvider(resource=SdkResource({"service.name": "pay", "service.instance.id": "n"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter_of(f"http://{host}:{port}/v1/logs")))
    provider.get_logger("pay.cards").emit(
        timestamp=NOON_NS, severity_number=SdkSeverity.WARN, body="slow", attributes={"try": 2}
    )
    provider.shutdown()
    (document,) = receiver.documents()
    assert (document["message"], document["log.logger"], document["service.name"]) == ("slow", "pay.cards", "pay")
    assert (document["log.level"], document["labels"]["try"]) == ("warning", "2")


@pytest.fixture
def exporter_of() -> Callable[[str], OTLPLogExporter]:
    """Makes an exporter to an address."""
    return lambda address: OTLPLogExporter(endpoint=address, timeout=5)
