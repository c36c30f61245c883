"""Every event becomes a document, clean lines byte by byte, and its id is always the same."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_backends.logs.ecs import lookup
from sereno_backends.logs.words import words
from sereno_collectors.logs.model import Chunk, Origin, OriginKind
from sereno_collectors.logs.parsing.caches import Streams
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.other_lines import OtherLines
from sereno_collectors.logs.parsing.parser import Parsed, Parser

READ_AT = datetime(2026, 11, 22, 13, 0, 0, 500_000, tzinfo=UTC)
PATH = "/logs/checkout.log"
ORIGIN = Origin(OriginKind.FILE, PATH, "f1")
CLEAN: dict[str, Any] = {
    "@timestamp": "2026-11-22T12:00:00.000Z",
    "log.level": "info",
    "message": "Payment_17 of user=Bob",
    "ecs.version": "8.17.0",
    "service.name": "checkout",
    "service.node.name": "host-7-1",
    "event.dataset": "app",
    "process.pid": 7,
    "event.sequence": 3,
    "log.logger": "pay",
}


def parsed(*events: bytes, enrichment: Enrichment | None = None) -> Parsed:
    """What a parser makes of events that begin at byte 100."""
    parser = Parser(namespace="default", enrichment=enrichment or Enrichment())
    return parser([Chunk(ORIGIN, 100, events, READ_AT)])


def body_of(event: bytes, enrichment: Enrichment | None = None) -> dict[str, Any]:
    """The document that an event becomes."""
    body: dict[str, Any] = orjson.loads(parsed(event, enrichment=enrichment).documents[0].body)
    return body


def test_a_clean_line_is_passed_on_byte_by_byte() -> None:
    """A line of Sereno's telemetry keeps its bytes; file, offset, enrichment and words are put behind them."""
    line = orjson.dumps(CLEAN)
    enrichment = Enrichment(host="web-1", labels={"team": "pay"}, tags=("blue",))
    (document,) = parsed(line, enrichment=enrichment).documents
    assert document.body.startswith(line[:-1] + b",")
    own = {"words": "payment 17 of user bob"}
    added = {"host.name": "web-1", "labels": {"team": "pay"}, "tags": ["blue"]}
    found = orjson.loads(document.body)
    found["sereno"]["words"] = " ".join(found["sereno"]["words"].split())
    assert found == {**CLEAN, **added, "log.file.path": PATH, "log.offset": 100, "sereno": own}
    assert document[1:2] + document[3:] == ("logs-app-default", "checkout", "host-7-1", 3, "2026-11-22T12")


def test_a_numbered_line_has_the_id_of_other_collectors() -> None:
    """The fast and the careful path make SHA-256 of the line between bars, wherever the line was read."""
    nested = {**CLEAN, "service": {"node": {"name": "n"}}, "event": {"sequence": 3}}
    for name in ("service.node.name", "event.sequence"):
        del nested[name]
    for line in (orjson.dumps(CLEAN), orjson.dumps(nested)):
        (document,) = parsed(line).documents
        assert document.record_id == hashlib.sha256(b"|message|" + line + b"|").hexdigest()


def test_ids_of_other_lines_never_change() -> None:
    """They are the ones that they were when this was written: of file, offset and line."""
    documents = parsed(b"text", orjson.dumps({**CLEAN, "event.sequence": "3"})).documents
    assert [one.record_id for one in documents] == [
        "62a19915a171fa86738cdbf0ce202057",
        "4c319c1f9183e866b8745e5337542e3b",
    ]


def test_labels_and_tags_of_a_clean_line_are_kept() -> None:
    """The collector's labels stand among the line's own, which win; tags are put together; quotes do not matter."""
    own: dict[str, Any] = {"message": 'a "b" \\" {c}', "labels": {"team": "x", "shop": "north"}, "tags": ["green"]}
    for labels, tags in ({}, ()), ({"team": "pay"}, ()), ({"site": "a"}, ()), ({"site": "a"}, ("blue",)):
        body = body_of(orjson.dumps({**CLEAN, **own}), Enrichment(labels=labels, tags=tags))
        assert body["labels"] == {**labels, **own["labels"]}
        assert body["tags"] == ["green", *tags]
        assert "document" not in body["sereno"]
        assert body["message"] == own["message"]


def test_a_line_without_a_number_is_passed_on_byte_by_byte() -> None:
    """It has no source and no sequence, and its id is of its place."""
    line = orjson.dumps({name: value for name, value in CLEAN.items() if name != "event.sequence"})
    first, second = parsed(line, line).documents
    assert first.body.startswith(line[:-1] + b",")
    assert (first.source, first.sequence) == ("", 0)
    assert first.record_id != second.record_id


@pytest.mark.parametrize(
    "line",
    [
        orjson.dumps(CLEAN).replace(b'"log.logger":"pay"', b'"log.logger" :1,"log.logger":"pay"'),
        orjson.dumps(CLEAN).replace(
            b'"log.logger":"pay"', b'"log.logger":"\\u0022\\u0022","log.logger":"\\u0022\\u0022"'
        ),
        orjson.dumps({**CLEAN, "labels": {"a": "b"}})[:-2] + b',"a":"c"}}',
    ],
)
def test_no_spelling_hides_a_name_that_is_there_twice(line: bytes) -> None:
    """Blanks, escapes and labels can't make the fast path pass on what Elasticsearch refuses."""
    (document,) = parsed(line).documents
    assert not document.body.startswith(line[:-1])
    json.loads(document.body, object_pairs_hook=_without_repetition)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_types_that_change_from_line_to_line() -> None:
    """What was learned of lines with the same names is not held against a line with other types."""
    lines = [orjson.dumps({**CLEAN, "process.pid": pid}) for pid in (7, {"x": 1}, 8, "9")]
    bodies = [orjson.loads(one.body) for one in parsed(*lines).documents]
    assert [body.get("process.pid") for body in bodies] == [7, None, 8, "9"]


def test_offsets_and_blank_events() -> None:
    """Each event stands one byte behind the one before it, its carriage return counted; blank ones vanish."""
    offsets = [orjson.loads(one.body)["log.offset"] for one in parsed(b"a\r", b" ", b"", b"b").documents]
    assert offsets == [100, 106]


@pytest.mark.parametrize(
    "change",
    [
        {"error": "refused"},
        {"service": "x"},
        {"event.sequence": {}},
        {"labels": "x"},
        {"labels": {"k": "v" * 40_000}},
        {"log.level.deep": 1},
        {"": 1},
        {"a..b": 1},
        {"order": {"id": 7}},
    ],
)
def test_what_does_not_fit_is_among_the_other_fields(change: dict[str, Any]) -> None:
    """A field without a place in ECS, or with a type that its mapping refuses, goes to sereno.fields."""
    line = orjson.dumps({**CLEAN, **change})
    body = body_of(line)
    assert body["sereno"]["fields"]
    assert orjson.loads(body["sereno"]["document"]) == {**CLEAN, **change}


def test_a_name_that_is_there_twice_is_written_once() -> None:
    """Elasticsearch refuses such a document, so that its last value alone goes on."""
    (document,) = parsed(orjson.dumps(CLEAN)[:-1] + b',"log.logger":"x"}').documents
    assert document.body.count(b'"log.logger"') == 1


@pytest.mark.parametrize(
    ("event", "flaws"),
    [
        (b"text", {Flaw.NOT_JSON: 1}),
        (orjson.dumps({"message": "m"}), {Flaw.TIMESTAMP: 1}),
        (orjson.dumps(CLEAN), {}),
        (orjson.dumps({**CLEAN, "@timestamp": "2026-13-22T12:00:00.000Z"}), {Flaw.TIMESTAMP: 1}),
        (orjson.dumps({**CLEAN, "@timestamp": "2262-01-22T12:00:00.000Z"}), {Flaw.TIMESTAMP: 1}),
    ],
)
def test_flaws_are_counted_and_tagged(event: bytes, flaws: dict[Flaw, int]) -> None:
    """What was wrong is in the tags and in the count."""
    assert parsed(event).flaws == flaws
    assert body_of(event).get("tags", []) == [flaw.value for flaw in flaws]


_CHANGES = st.dictionaries(
    st.sampled_from([*CLEAN, "labels", "error", "x", "log", "process.start", "http"]),
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.dictionaries(st.text(), st.text(), max_size=2),
    max_size=3,
)


@given(st.one_of(st.binary(), _CHANGES.map(lambda change: orjson.dumps({**CLEAN, **change}))))
def test_every_event_is_one_document_with_one_id(event: bytes) -> None:
    """Whatever an event holds, its body is one line of JSON; id and words do not depend on the way it is parsed."""
    documents = parsed(event).documents
    content = event.rstrip(b"\r\n")
    assert len(documents) == (1 if content.strip() else 0)
    for document in documents:
        carefully, _ = OtherLines(ORIGIN, Enrichment(), Streams("default")).document(content, 100, READ_AT)
        assert (document.record_id, document.service) == (carefully.record_id, carefully.service)
        assert b"\n" not in document.body
        body = orjson.loads(document.body)
        assert body["sereno"]["words"].split() == list(words(lookup(body, "message")))


def test_long_words_and_long_messages_are_cut_as_everywhere() -> None:
    """A run of more than 128 signs has the word that searching asks for; a long message has its head beside it."""
    message = "A" * 300 + " end" + " x" * 600
    own = body_of(orjson.dumps({**CLEAN, "message": message}))["sereno"]
    assert own == {"words": " ".join(words(message)), "message_head": message[:1024]}
