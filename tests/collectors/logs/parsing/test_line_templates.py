"""What a template knows becomes the document that reading would have made; what it doesn't know is read."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_collectors.logs.model import Chunk, Document, Origin, OriginKind
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.line_templates import LINES_TO_LEARN
from sereno_collectors.logs.parsing.parser import Parser

READ_AT = datetime(2026, 11, 22, 13, tzinfo=UTC)
FILE = Origin(OriginKind.FILE, "/logs/checkout.log", "f1")
ENRICHMENTS = (Enrichment(), Enrichment(host="web-1", labels={"team": "pay"}, tags=("blue",)))


def line(
    number: int, more: Mapping[str, Any] = MappingProxyType({}), *, worker: int = 0, numbered: bool = True
) -> bytes:
    """A line as Sereno's telemetry writes it."""
    fields: dict[str, Any] = {
        "@timestamp": f"2026-11-22T12:00:{number % 60:02d}.{number % 1000:03d}Z",
        "log.level": ("info", "error")[number % 7 == 0],
        "message": f"Order {number} of user_{number % 11} paid",
        "ecs.version": "8.17.0",
        "service.name": "checkout",
        "service.node.name": f"host-{worker}",
        "event.dataset": "app",
        "process.pid": 7 + worker,
        "event.sequence": number,
        "trace.id": f"{number:032x}",
        "labels": {"order": f"o{number}", "express": "true"},
        **more,
    }
    if not numbered:
        del fields["event.sequence"]
    return orjson.dumps(fields)


SHAPES: dict[str, Sequence[bytes]] = {
    "one process": [line(number) for number in range(1, 2 * LINES_TO_LEARN)],
    "three workers": [line(number, worker=number % 3) for number in range(1, 3 * LINES_TO_LEARN)],
    "two shapes": [
        line(number, {"error.type": "ValueError"} if number % 2 else {}) for number in range(1, 4 * LINES_TO_LEARN)
    ],
    "two services": [
        line(number, {"service.name": f"s{number % 2}", "event.dataset": f"d{number % 2}"})
        for number in range(1, 2 * LINES_TO_LEARN)
    ],
    "without numbers": [line(number, numbered=False) for number in range(1, 2 * LINES_TO_LEARN)],
    "without labels": [
        orjson.dumps({name: value for name, value in orjson.loads(line(number)).items() if name != "labels"})
        for number in range(1, 2 * LINES_TO_LEARN)
    ],
}


def read(parser: Parser, *lines: bytes) -> tuple[Document, ...]:
    """Their documents; the first line begins at byte 100."""
    return parser([Chunk(FILE, 100, lines, READ_AT)]).documents


def learned(shape: str, enrichment: Enrichment) -> Parser:
    """A parser that has seen enough of a shape."""
    parser = Parser(namespace="default", enrichment=enrichment)
    read(parser, *SHAPES[shape])
    return parser


@pytest.mark.parametrize("enrichment", ENRICHMENTS, ids=["bare", "enriched"])
@pytest.mark.parametrize("shape", SHAPES)
def test_lines_of_known_shapes_are_not_read(
    shape: str, enrichment: Enrichment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON is left alone, and the documents are the same."""
    expected = read(Parser(namespace="default", enrichment=enrichment), *SHAPES[shape][:50])
    parser = learned(shape, enrichment)
    monkeypatch.setattr(orjson, "loads", lambda _: pytest.fail("it was read"))
    assert read(parser, *SHAPES[shape][:50]) == expected
    for document in expected[:3]:
        assert document.body.startswith(b'{"@timestamp"')


_PARSERS = {
    (shape, place): learned(shape, enrichment) for shape in SHAPES for place, enrichment in enumerate(ENRICHMENTS)
}
_SPOILERS: tuple[bytes, ...] = (
    *(bytes([byte]) for byte in (0, 9, 10, 13, 31, 32, 34, 44, 45, 46, 48, 58, 92, 93, 123, 125, 127, 128, 195, 255)),
    *(
        b"",
        b"\\u0022",
        b"\\n",
        "é".encode(),
        b"e9",
        b"00",
        b"-1",
        b"true",
        b"null",
        b'"',
        b'","message":"x',
        b"x" * 200,
    ),
    *(b'"a":1,', b'"labels":{},', b',"tags":["t"]', b'"log.level":"info",', b"x" * 9_000, b"2026-02-30", b"fatal"),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1500)
@given(st.sampled_from(sorted(_PARSERS)), st.randoms(use_true_random=False), st.integers(0, 3))
def test_spoiled_lines_become_what_reading_makes_of_them(
    which: tuple[str, int], chance: random.Random, spoils: int
) -> None:
    """Bytes that are put in, taken away or exchanged anywhere: a parser that has learned makes no other document."""
    shape, place = which
    spoiled = bytearray(chance.choice(SHAPES[shape]))
    for _ in range(spoils):
        begin = chance.randrange(len(spoiled))
        spoiled[begin : begin + chance.choice((0, 0, 1, 1, 2, 10))] = chance.choice(_SPOILERS)
    fresh = Parser(namespace="default", enrichment=ENRICHMENTS[place])
    for event in bytes(spoiled).split(b"\n"):
        assert read(_PARSERS[which], event) == read(fresh, event)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2026-11-22T", b"2026-02-30T"),
        (b"2026-11-22T", b"0000-11-22T"),
        (b'"event.sequence":1,', b'"event.sequence":0,'),
        (b'"event.sequence":1,', b'"event.sequence":01,'),
        (b'"event.sequence":1,', b'"event.sequence":-1,'),
        (b'"process.pid":8,', b'"process.pid":08,'),
        (b'"process.pid":8,', b'"process.pid":99999999999999999999,'),
        (b'"service.node.name":"host-1"', b'"service.node.name":""'),
        (b"Order 1 ", b"Order " + b"x" * 129),
        (b"Order 1 ", b"Order " + b"x " * 300),
        (b"Order 1 ", b"Order " + b"x " * 700),
        (b"Order 1 ", b"Order \\u0031 "),
        (b"Order 1 ", "Ordré 1 ".encode()),
        (b"Order 1 ", b"Order \xff "),
        (b'"order":"o1"', b'"order":"' + b"x" * 8_001 + b'"'),
        (b'"order":"o1"', b'"order":"\x01"'),
    ],
)
def test_the_edges_of_a_shape(old: bytes, new: bytes) -> None:
    """What is just outside of what a template may take, or just within."""
    known = line(1, worker=1)
    assert old in known
    spoiled = known.replace(old, new)
    for place, enrichment in enumerate(ENRICHMENTS):
        fresh = Parser(namespace="default", enrichment=enrichment)
        assert read(_PARSERS["three workers", place], spoiled) == read(fresh, spoiled)


@pytest.mark.parametrize("name", ["service.name", "event.dataset"])
def test_names_that_vary_are_never_empty(name: str) -> None:
    """A service or a dataset without a name is not passed on."""
    spoiled = line(1, {"service.name": "s1", "event.dataset": "d1", name: ""})
    fresh = Parser(namespace="default", enrichment=ENRICHMENTS[0])
    assert read(_PARSERS["two services", 0], spoiled) == read(fresh, spoiled)


def test_shapes_without_a_template_are_read() -> None:
    """Tags are lists: lines with them are read, however many come."""
    lines = [line(number, {"tags": [f"t{number}"]}) for number in range(1, 2 * LINES_TO_LEARN)]
    for enrichment in ENRICHMENTS:
        parser = Parser(namespace="default", enrichment=enrichment)
        for event in lines:
            assert read(parser, event) == read(Parser(namespace="default", enrichment=enrichment), event)


def test_values_that_change_later_are_learned_then() -> None:
    """A restart gives the process a new name: its lines are read until that is known to change."""
    parser = learned("one process", ENRICHMENTS[0])
    restarted = [line(number, worker=5) for number in range(1, 3 * LINES_TO_LEARN)]
    expected = read(Parser(namespace="default", enrichment=ENRICHMENTS[0]), *restarted)
    assert read(parser, *restarted) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orjson, "loads", lambda _: pytest.fail("it was read"))
        assert read(parser, restarted[0]) == expected[:1]
        assert len(read(parser, *SHAPES["one process"])) == len(SHAPES["one process"])
