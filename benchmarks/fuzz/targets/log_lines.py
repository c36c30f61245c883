"""Lines of logs: every event becomes one document that stores take, whatever bytes it holds."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import yaml
from sereno_collectors.logs.inputs.otlp.chunks import unpack
from sereno_collectors.logs.inputs.otlp.messages import Encoding, Malformed, TooLarge, decompress, parse_request
from sereno_collectors.logs.inputs.stdin.event_buffer import EventBuffer
from sereno_collectors.logs.model import Chunk, Format, Origin, OriginKind
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.multiline import begins_event
from sereno_collectors.logs.parsing.parser import Parser

from benchmarks.fuzz.target import Target, files, require

_READ_AT = datetime(2026, 11, 26, 13, tzinfo=UTC)
_ENRICHMENT = Enrichment(host="web-1", labels={"team": "pay"}, tags=("blue",))
_PARSERS = tuple(
    (form, Parser(namespace="default", enrichment=_ENRICHMENT, zone=ZoneInfo("America/Bogota"))) for form in Format
)
_TELEMETRY = {
    "@timestamp": "2026-11-25T12:00:00.007Z",
    "log.level": "info",
    "message": "paid",
    "ecs.version": "8.17.0",
    "service.name": "checkout",
    "service.node.name": "vm-1-2",
    "event.dataset": "app",
    "process.pid": 7,
    "event.sequence": 3,
    "log.logger": "pay",
    "trace.id": "17" * 16,
    "span.id": "41" * 8,
    "labels": {"a": "b"},
}


def _lines() -> tuple[bytes, ...]:
    tables = [yaml.safe_load(text) for text in files("tests/collectors/logs/parsing/formats/samples/*.yaml")]
    return tuple(sample["line"].encode() for table in tables for sample in table.values())


_SEEDS = (orjson.dumps(_TELEMETRY), *_lines())
_WORDS = (
    *(
        b'"@timestamp":',
        b'"message":',
        b'"event.sequence":',
        b'"log.level":',
        b'"labels":{',
        b'"error":{',
        b'"a.b":',
        b'"a":{"b":',
    ),
    *(
        b"level=warn",
        b'msg="',
        b"ts=",
        b"<34>1 ",
        b"<999>",
        b"Nov 31 12:00:00 ",
        b"2026-11-25T12:00:00,123 ",
        b" stdout P ",
        b" stderr F ",
    ),
    *(
        b"Traceback (most recent call last):\n",
        b"Caused by: ",
        b"\tat a.b(c:1)\n",
        b"goroutine 1 [",
        b'"log":"',
        b"1e400",
        b'"\\ud800"',
    ),
)


def check(data: bytes) -> None:
    """As many documents as events that aren't blank, each one line of JSON, the same when read again."""
    lines = data.split(b"\n")
    previous = b""
    for line in lines:
        begins_event(line, Format.AUTO, previous)
        begins_event(line, Format.CRI, previous)
        previous = line
    for form, parser in _PARSERS:
        origin = Origin(OriginKind.FILE, "/logs/app.log", "f1", form)
        _parsed(parser, Chunk(origin, 0, tuple(lines), _READ_AT))
        _parsed(parser, Chunk(origin, 0, (data,), _READ_AT))


def _parsed(parser: Parser, chunk: Chunk) -> None:
    found = parser([chunk]).documents
    expected = sum(1 for event in chunk.events if event.strip())
    require(len(found) == expected, f"{expected} events became {len(found)} documents")
    for document in found:
        require(b"\n" not in document.body, "a document of several lines")
        _without_repetition(document.body)
        require(document.stream.startswith("logs-") and document.stream.islower(), f"the stream {document.stream!r}")
    require(parser([chunk]).documents == found, "read again, the same events are others")


def _without_repetition(body: bytes) -> None:
    """One object that strict readers take, without a name that stands there twice."""
    read = orjson.loads(body)
    require(isinstance(read, dict), "a document that is no object")
    require(isinstance(read.get("@timestamp"), str | int | float), "a document without a time")


def check_framing(data: bytes) -> None:
    """Whatever the pieces are in which a stream comes, no byte of it is lost or read twice."""
    whole = data.removesuffix(b"\n")
    for size in (len(data) or 1, max(7, len(data) // 100)):
        events = _streamed(data, size)
        require(
            b"\n".join(events) == whole, f"in pieces of {size} bytes, the stream's events are others than its bytes"
        )


def _streamed(data: bytes, size: int) -> list[bytes]:
    buffer = EventBuffer(Origin(OriginKind.STDIN, "-", "s1"))
    chunks: list[Chunk] = []
    for start in range(0, len(data), size):
        buffer.feed(data[start : start + size])
        chunks += buffer.take(_READ_AT)
    chunks += buffer.take(_READ_AT, settled=True, ended=True)
    return [event for chunk in chunks for event in chunk.events]


def check_otlp(data: bytes) -> None:
    """A request is refused with words, or its records become documents."""
    try:
        decompress(data, 1 << 20)
    except (Malformed, TooLarge) as error:
        str(error)
    for encoding in Encoding:
        try:
            request = parse_request(data, encoding)
        except Malformed as error:
            str(error)
            continue
        unpacked: Any = unpack(request, _READ_AT)
        for chunk in unpacked.chunks:
            _PARSERS[0][1]([chunk])


_OTLP = orjson.dumps(
    {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "pay"},
                        "logRecords": [
                            {
                                "timeUnixNano": "1795348800000000000",
                                "severityNumber": 9,
                                "body": {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 1.5}}]}},
                                "attributes": [{"key": "b", "value": {"arrayValue": {"values": [{"intValue": "7"}]}}}],
                                "traceId": "17" * 16,
                                "spanId": "41" * 8,
                            }
                        ],
                    }
                ],
            }
        ]
    }
)
_OTLP_WORDS = (b'"NaN"', b'"Infinity"', b'"bytesValue":', b'"boolValue":', b'"18446744073709551615"', b'"intValue":')
TARGETS = (
    Target("log-lines", "each event one document, the same when read again", _SEEDS, _WORDS, check),
    Target(
        "log-framing", "pieces of a stream are its events", (*_SEEDS, b"\n".join(_SEEDS[:9])), _WORDS, check_framing
    ),
    Target("otlp-logs", "refused with words, or documents", (_OTLP,), _OTLP_WORDS, check_otlp),
)
