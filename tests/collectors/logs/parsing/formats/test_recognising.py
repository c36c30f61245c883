"""Lines of many programs become the documents that the tables beside this file say."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_backends.logs.storable import sort_out
from sereno_collectors.logs.delivery.parcels import documents_of
from sereno_collectors.logs.inputs.files.events import events_of
from sereno_collectors.logs.model import Chunk, Format, Origin, OriginKind
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.formats import Formats, ReadingContext
from sereno_collectors.logs.parsing.formats.times import moment_in
from sereno_collectors.logs.parsing.parser import Parsed, Parser
from sereno_collectors.logs.queue.packing import pack

READ_AT = datetime(2026, 11, 26, 13, tzinfo=UTC)
# What every document of these tests has, and what can be told from the line.
USUAL = {"log.file.path": "/logs/app.log", "log.offset": 0, "service.name": "app", "event.dataset": "app"}

TABLES: dict[str, dict[str, Any]] = {
    f"{file.stem}-{name}": sample
    for file in sorted((Path(__file__).parent / "samples").glob("*.yaml"))
    for name, sample in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}
LINES = [sample["line"].encode() for sample in TABLES.values()]


def parsed(event: bytes, form: Format = Format.AUTO, zone: str = "UTC") -> Parsed:
    """What becomes of an event at the beginning of a file."""
    parser = Parser(namespace="default", enrichment=Enrichment(), zone=ZoneInfo(zone))
    return parser([Chunk(Origin(OriginKind.FILE, "/logs/app.log", "f1", form), 0, (event,), READ_AT)])


def body_of(line: str, form: Format = Format.AUTO, zone: str = "UTC") -> dict[str, Any]:
    """The document of a line."""
    body: dict[str, Any] = orjson.loads(parsed(line.encode(), form, zone).documents[0].body)
    return body


@pytest.mark.parametrize("sample", TABLES.values(), ids=TABLES.keys())
def test_a_line_becomes_the_document_of_its_table(sample: dict[str, Any]) -> None:
    """Without being told the format, every sample line becomes the document that is written beside it."""
    line, expected = sample["line"], sample["document"]
    body = body_of(line)
    own = body.pop("sereno")
    assert ({"fields": own["fields"]} if "fields" in own else {}) == expected.get("sereno", {})
    original = body.pop("event.original", None)
    assert body == {**USUAL, **{name: value for name, value in expected.items() if name != "sereno"}}
    # The line is kept as it was read, in one of three places.
    kept = original or own.get("document") or body["message"]
    assert kept == line or orjson.loads(kept) == orjson.loads(line)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("line", LINES)
def test_an_id_is_of_the_original_line_in_every_format(line: bytes, form: Format) -> None:
    """What is recognised in a line never changes its id: that of file, offset and line, as it was always."""
    (document,) = parsed(line, form).documents
    assert document.record_id == hashlib.blake2b(b"f1\0000\0" + line, digest_size=16).hexdigest()


@pytest.mark.parametrize(
    ("form", "line", "message"),
    [
        (Format.LOGFMT, "order=7 shop=north", "order=7 shop=north"),
        (Format.LOGFMT, "msg=hi order=7", "hi"),
        (Format.SYSLOG, "2026-11-25T12:00:00.123456+01:00 web-1 shop: hi", "hi"),
        (Format.PLAIN, 'level=info msg="hi" ts=2026-11-25T12:00:00Z', 'level=info msg="hi" ts=2026-11-25T12:00:00Z'),
        (Format.ECS, "2026-11-25 12:00:00 INFO hi", "2026-11-25 12:00:00 INFO hi"),
        (Format.ECS, '{"msg":"hi"}', '{"msg":"hi"}'),
        (Format.JSON, "2026-11-25 12:00:00 INFO hi", "2026-11-25 12:00:00 INFO hi"),
        (Format.JSON, '{"msg":"hi"}', "hi"),
        (Format.ACCESS, "2026-11-25 12:00:00 INFO hi", "2026-11-25 12:00:00 INFO hi"),
        (Format.CRI, "2026-11-25T12:00:00Z stdout F hi", "hi"),
        (Format.DOCKER, '{"log":"hi\\n","stream":"stdout","time":"2026-11-25T12:00:00Z"}', "hi"),
    ],
)
def test_a_format_that_is_asked_for_is_the_only_one(form: Format, line: str, message: str) -> None:
    """A forced format recognises more of its own, and nothing of others."""
    assert body_of(line, form)["message"] == message


def test_times_without_a_zone_are_of_the_zone_that_is_named() -> None:
    """`--time-zone` moves them, summer time included; a time with a zone is its own."""
    assert body_of("2026-07-01 12:00:00 INFO hi", zone="Europe/Berlin")["@timestamp"] == "2026-07-01T10:00:00.000Z"
    assert body_of("2026-11-01 12:00:00 INFO hi", zone="Europe/Berlin")["@timestamp"] == "2026-11-01T11:00:00.000Z"
    assert body_of("2026-11-01 12:00:00Z INFO hi", zone="Europe/Berlin")["@timestamp"] == "2026-11-01T12:00:00.000Z"
    assert body_of("Nov  1 12:00:00 web-1 su: hi", zone="Europe/Berlin")["@timestamp"] == "2026-11-01T11:00:00.000Z"


def test_the_lines_of_a_container_are_put_together_by_what_the_program_wrote() -> None:
    """With `cri` partial lines are joined and traces held together, on each stream alone; without it ids stay."""
    lines = [
        b"2026-11-25T12:00:00.1Z stdout P one ",
        b"2026-11-25T12:00:00.2Z stdout F two",
        b"2026-11-25T12:00:00.3Z stdout F three",
        b"2026-11-25T12:00:00.4Z stderr F Traceback (most recent call last):",
        b"2026-11-25T12:00:00.4Z stderr F   File x",
        b"2026-11-25T12:00:00.4Z stderr F ValueError: no",
        b"2026-11-25T12:00:00.5Z stdout F   indented",
    ]
    events, _ = events_of(lines, Format.CRI)
    assert [event.count(b"\n") + 1 for event in events] == [2, 1, 3, 1]
    assert body_of(events[0].decode(), Format.CRI)["message"] == "one two"
    assert len(events_of(lines, Format.AUTO)[0]) == len(lines)


def test_each_file_has_the_format_of_the_last_pattern_that_fits() -> None:
    """A pattern with a slash is of paths, one without of names; all other files have the one for everything."""
    formats = Formats(Format.JSON, (("*.log", Format.PLAIN), ("/logs/a*", Format.ACCESS)))
    paths = ("/logs/app.log", "/other/app.log", "/other/app.txt")
    assert [formats.of(path) for path in paths] == [Format.ACCESS, Format.PLAIN, Format.JSON]


@given(
    st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["9" * 4_000, "9" * 19, "2026-02-30T00:00:00Z", "2026-01-01T00:00:00+99:99", "0001-01-01 00:00:00"]
    )
)
def test_whatever_a_time_is_it_is_an_instant_or_none(value: object) -> None:
    """Numbers of hundreds of digits, dates that are none, zones that are none: no exception."""
    moment = moment_in(value, ReadingContext(READ_AT))
    assert moment is None or moment.tzinfo is UTC


def _spoiled(line: bytes, place: int, what: bytes) -> bytes:
    place %= len(line) + 1
    return line[:place] + what + line[place + len(what) % 7 :]


_HOSTILE = st.builds(
    _spoiled,
    st.sampled_from(LINES),
    st.integers(0, 2_000),
    st.binary(max_size=12)
    | st.sampled_from([b"\0", b"\xed\xa0\x80", b"9" * 10_000, b'"', b"\\", b"\n", b"[", b"{" * 600]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(_HOSTILE, st.sampled_from(Format))
def test_a_spoiled_line_is_a_document_that_stores_take(line: bytes, form: Format) -> None:
    """Sample lines with NUL, lone surrogates, endless numbers and brackets in any place, in any format."""
    found = parsed(line, form)
    assert len(found.documents) == (1 if line.strip() else 0)
    for document in found.documents:
        assert b"\n" not in document.body
        assert document.record_id == hashlib.blake2b(b"f1\0000\0" + line.rstrip(b"\r\n"), digest_size=16).hexdigest()
    if found.documents:
        (packed,) = pack(found.documents)
        (queued,) = documents_of(packed.body)
        assert sort_out([queued.record])[1] == ()


MIBI = 1024 * 1024
_TIME = b"2026-11-25 12:00:00 "
_ACCESS = b'10.0.0.7 - - [25/Nov/2026:12:00:00 +0000] "'
PATTERNS = {
    "digits": b"9" * MIBI,
    "blanks behind a time": _TIME + b" " * MIBI + b"x",
    "brackets behind a time": _TIME + b"[" * MIBI,
    "brackets of a level": _TIME + b"[INFO " * (MIBI // 6),
    "names": _TIME + b"INFO " + b"a." * (MIBI // 2) + b" x",
    "escapes in a request": _ACCESS + b"\\" * MIBI,
    "quotes in a request": _ACCESS + b'\\"a' * (MIBI // 3),
    "client of an access line": b"a" * MIBI + b" - - [",
    "pairs": b"a=b " * (MIBI // 4) + b"=",
    "quoted pairs": b'a="\\"' * (MIBI // 5),
    "structured data": b"<34>1 - - - - - [" + b"a\\" * (MIBI // 2),
    "structured data with quotes": b"<34>1 - - - - - " + b'[a b="c"' * (MIBI // 8),
    "structured data without end": b"<34>1 - - - - - " + b"[a]" * (MIBI // 3),
    "hosts of syslog": b"Nov 25 12:00:00 " + b"a:" * (MIBI // 2),
    "partial lines": b"2026-11-25T12:00:00Z stdout P a\n" * (MIBI // 32),
    "traces": b"x\n" + b"Traceback (most recent call last):\n" * (MIBI // 36),
    "panics": b"x\n" + b"panic: \n" * (MIBI // 8),
    "exceptions": _TIME + b"INFO x\n" + b"a.b.C: d\n" * (MIBI // 9),
    "dots": b"x\n" + b"a." * (MIBI // 2) + b"\n\tat x",
    "nginx": b"2026/11/25 12:00:00 [error] 1#1: " + b', request: "' * (MIBI // 12),
    "docker": b'{"log":"' + b"a=b " * (MIBI // 4) + b'","stream":"stdout","time":"2026-11-25T12:00:00Z"}',
    "template": b'{"@mt":"' + b"{a}" * (MIBI // 6) + b'","a":"' + b"b" * (MIBI // 2) + b'"}',
    "template with much in it": b'{"@mt":"' + b"{a}" * 1_300 + b'","a":"' + b"b" * MIBI + b'"}',
    "names of json": b'{"msg":"x"' + b"".join(b',"n%d":1' % number for number in range(MIBI // 12)) + b"}",
    "deep json": b'{"msg":' * 1_000 + b"1" + b"}" * 1_000,
    "deep message": b'{"message":' * 1_000 + b"1" + b"}" * 1_000,
    "deep property": b'{"@mt":"{a}","a":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "stack of json": b'{"msg":"x","stack":"' + b"a: b\\n" * (MIBI // 6) + b'"}',
}
MOST_SECONDS = 8.0
"""Of processor time for 1 MiB: far more than a linear pass takes, a small part of what a quadratic one does."""


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_a_line_of_a_mebibyte_is_read_in_linear_time(pattern: bytes) -> None:
    """No pattern of a mebibyte makes a format slow, and a document of it is no larger than the line allows."""
    for form in Format:
        begun = time.process_time()
        documents = parsed(pattern, form).documents
        assert time.process_time() - begun < MOST_SECONDS, form
        assert sum(len(document.body) for document in documents) < 8 * MIBI
