"""Every line becomes a record, and what was wrong with it is said."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sereno_backends.logs import LogRecord
from sereno_backends.logs.storable import sort_out
from sereno_collectors.logs.delivery.parcels import documents_of
from sereno_collectors.logs.model import Chunk, Origin, OriginKind
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.parser import Parser
from sereno_collectors.logs.queue.packing import pack
from support.collecting import ecs_line

READ_AT = datetime(2026, 11, 22, 13, 0, 0, 500_000, tzinfo=UTC)


ADDED = ("log.file.path", "log.offset")
"""What every document of a file gets."""


def line(content: str | bytes, *, source: str = "f1", offset: int = 0, path: str = "/logs/checkout.log.1") -> Chunk:
    """A line as the reader hands it over."""
    event = content.encode() if isinstance(content, str) else content
    return Chunk(Origin(OriginKind.FILE, path, source), offset, (event,), READ_AT)


def parse(chunk: Chunk) -> tuple[LogRecord, tuple[Flaw, ...]]:
    """The record of a line as a store sees it, without what every document gets, and what was wrong with the line."""
    parsed = Parser(namespace="default", enrichment=Enrichment())([chunk])
    ((_, body, *_),) = pack(parsed.documents)
    ((_, _, record),) = documents_of(body)
    return record, tuple(parsed.flaws)


def without_added(record: LogRecord) -> LogRecord:
    """The record without what the collector adds to every document."""
    document = {key: value for key, value in record.document.items() if key not in ADDED}
    return replace(record, document=document)


def record_of(document: dict[str, Any]) -> LogRecord:
    """The record of a JSON line."""
    return parse(line(orjson.dumps(document)))[0]


def test_a_line_of_our_telemetry_is_taken_as_it_is() -> None:
    """An ECS line has no flaw, its fields are the record's, its document is unchanged."""
    content = ecs_line(
        "Payment failed",
        **{"log.level": "error", "trace.id": "t-1", "error.type": "TimeoutError", "labels": {"fault": "errors"}},
    )
    record, flaws = parse(line(content))
    assert flaws == ()
    assert without_added(record) == LogRecord(
        record_id=record.record_id,
        timestamp=datetime(2026, 11, 22, 12, tzinfo=UTC),
        service="checkout",
        level="error",
        message="Payment failed",
        dataset="app",
        trace_id="t-1",
        error_type="TimeoutError",
        document=orjson.loads(content),
    )


def test_nested_and_dotted_keys_mean_the_same() -> None:
    """ECS may be written dotted, nested or mixed."""
    nested = {
        "@timestamp": "2026-11-22T12:00:00Z",
        "message": "m",
        "log": {"level": "ERROR"},
        "service": {"name": "s"},
        "event": {"dataset": "d", "action": "fault_started", "kind": "event"},
        "trace": {"id": "t"},
        "error.type": "E",
    }
    record = record_of(nested)
    found = (record.level, record.service, record.dataset, record.action, record.trace_id, record.error_type)
    assert found == ("error", "s", "d", "fault_started", "t", "E")
    assert without_added(record).document == nested


@pytest.mark.parametrize("content", ["plain text", "[1, 2]", "7", '"text"', "{'single': 1}", '{"cut": "of', "null"])
def test_a_line_that_is_no_json_object_is_kept_as_text(content: str) -> None:
    """Text becomes the message of an info record at the time of reading, tagged, with the file's name as service."""
    record, flaws = parse(line(content, offset=17))
    assert flaws == (Flaw.NOT_JSON,)
    assert (record.message, record.level, record.service, record.dataset) == (content, "info", "checkout", "app")
    assert record.timestamp == READ_AT
    assert record.document["tags"] == ["_jsonparsefailure"]
    assert (record.document["log.file.path"], record.document["log.offset"]) == ("/logs/checkout.log.1", 17)


def test_bytes_that_are_no_text_are_kept_readable() -> None:
    """Invalid UTF-8 shows as replacement characters instead of stopping anything."""
    record, _ = parse(line(b"caf\xe9 \xff"))
    assert record.message == "caf\ufffd \ufffd"


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-22T12:00:00.123456789Z", datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-22T07:00:00-05:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        (1795348800000, datetime(2026, 11, 22, 12, tzinfo=UTC)),
    ],
)
def test_timestamps_of_every_spelling_are_utc(timestamp: object, expected: datetime) -> None:
    """Zones are converted; without one it is UTC; numbers are milliseconds."""
    assert record_of({"@timestamp": timestamp, "message": "m"}).timestamp == expected


@pytest.mark.parametrize(
    "timestamp", ["yesterday", "", None, True, [], {}, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", 1e300, -5]
)
def test_an_unusable_timestamp_falls_back_to_the_time_of_reading_and_says_so(timestamp: object) -> None:
    """The record is kept, its document says that the time is not its own, and what was there stays readable."""
    record, flaws = parse(line(orjson.dumps({"@timestamp": timestamp, "message": "m", "tags": ["mine"]})))
    assert flaws == (Flaw.TIMESTAMP,)
    assert record.timestamp == READ_AT
    assert without_added(record).document == {
        "@timestamp": timestamp,
        "message": "m",
        "tags": ["mine", "_dateparsefailure"],
    }


@pytest.mark.parametrize(
    ("written", "level"),
    [("WARN", "warning"), ("Fatal", "critical"), ("notice", "info"), ("trace", "debug"), ("odd", "odd"), (30, "info")],
)
def test_levels_of_other_loggers_are_translated(written: object, level: str) -> None:
    """The five levels are the same whoever wrote the line; the document keeps what was written."""
    record = record_of({"log.level": written, "message": "m"})
    assert (record.level, record.document["log.level"]) == (level, written)


def test_a_document_without_a_message_shows_itself() -> None:
    """Without a message the line stands in for it; a message that is no text is shown as JSON."""
    assert record_of({"a": 1}).message == '{"a":1}'
    assert record_of({"message": {"a": 1}}).message == '{"a":1}'


@pytest.mark.parametrize("other", ["text", ecs_line("without a place in a sequence")])
@pytest.mark.parametrize("content", ["text", ecs_line("without a place in a sequence")])
def test_an_id_is_the_same_for_the_same_line_only(content: str, other: str) -> None:
    """File, offset and content make the id of a line that does not name its own place."""

    def identity(content: str, source: str, offset: int) -> str:
        return parse(line(content, source=source, offset=offset))[0].record_id

    same = identity(content, "f1", 0)
    assert identity(content, "f1", 0) == same
    assert same not in {identity(content, "f1", 2), identity(content, "f2", 0), identity(f" {other}", "f1", 0)}


def test_a_line_that_names_its_place_in_a_process_is_one_wherever_it_is_read() -> None:
    """With node and sequence a copied file adds nothing; another process, number or content is another record."""

    def identity(message: str = "m", more: dict[str, object] | None = None) -> str:
        content = ecs_line(message, **{"event.sequence": 1, "service.node.name": "host-1-17", **(more or {})})
        return parse(line(content))[0].record_id

    numbered = ecs_line("m", **{"event.sequence": 1, "service.node.name": "host-1-17"})
    assert parse(line(numbered, source="f1"))[0].record_id == parse(line(numbered, source="f2", offset=9))[0].record_id
    others = {
        identity(),
        identity(more={"event.sequence": 2}),
        identity(more={"service.node.name": "host-2-18"}),
        identity("other"),
        identity(more={"process.start": "2026-11-22T00:00:00Z"}),
    }
    assert len(others) == 5


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode(errors="replace"))))
def test_no_line_is_lost_or_unstorable(content: bytes) -> None:
    """Whatever bytes a line has, it becomes a record that a store can take."""
    assume(content.strip())
    record, flaws = parse(line(content))
    assert flaws or "event.original" in record.document  # the line is no ECS: said, or recognised as other text
    assert sort_out([record])[1] == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["@timestamp", "message", "log.level", "log", "service.name", "service", "event.dataset", "event", "trace.id"],
) | st.sampled_from(["event.sequence", "service.node.name", "tags", "error", "process.start", "level", "name", "x"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a clean clone makes a table first
@given(st.dictionaries(_FIELDS, _JSON))
def test_no_document_is_lost_or_unstorable(document: dict[str, Any]) -> None:
    """Whatever stands in ECS's places, the line becomes a record that a store can take."""
    content = orjson.dumps(document)
    record, flaws = parse(line(content))
    assert sort_out([record])[1] == ()
    read = orjson.loads(content)
    own = without_added(record).document
    assert {**own, "tags": None} == {**read, "tags": None}
    assert flaws or own == read
