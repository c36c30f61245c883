"""The form of a log line, and that no record is lost or breaks its caller."""

import io
import json
import logging
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from sereno_telemetry import ecs_handler, log_deed


class Log:
    """A logger whose only handler writes ECS to memory."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.logger = logging.Logger("shop.orders")  # noqa: LOG001 - outside the tree, so that nothing else hears it
        self.logger.addHandler(ecs_handler("shop", stream=self.stream, node="host-1"))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was written, parsed."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    """A log of this test alone."""
    return Log()


def test_a_record_has_the_agreed_keys(log: Log) -> None:
    """One JSON object a line with dotted keys, all that collectors rely on and nothing else."""
    log.logger.warning("stock of %s is %d", "apples", 3)
    (line,) = log.lines
    moment = datetime.strptime(line.pop("@timestamp"), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=5)
    assert re.fullmatch(rf"host-1-{os.getpid()}-[0-9a-f]+", line.pop("service.node.name"))
    assert line == {
        "log.level": "warning",
        "message": "stock of apples is 3",
        "ecs.version": "8.17.0",
        "service.name": "shop",
        "event.dataset": "app",
        "process.pid": os.getpid(),
        "event.sequence": 1,
        "log.logger": "shop.orders",
    }


def test_the_timestamp_has_milliseconds_of_the_record(log: Log) -> None:
    """RFC 3339, UTC, three digits, also right after the turn of a second."""
    for created in (1790000000.9994, 1790000001.0, 1790000001.0625):
        record = log.logger.makeRecord("shop", logging.INFO, "f", 1, "x", (), None)
        record.created = created
        log.logger.handle(record)
    assert [line["@timestamp"] for line in log.lines] == [
        "2026-09-21T14:13:20.999Z",
        "2026-09-21T14:13:21.000Z",
        "2026-09-21T14:13:21.062Z",
    ]


def test_lines_are_numbered_from_one(log: Log) -> None:
    """A gap in `event.sequence` is a lost line: numbers follow each other, whatever the record."""
    for number in range(5):
        log.logger.info("line %d", number)
    assert [line["event.sequence"] for line in log.lines] == [1, 2, 3, 4, 5]


def test_a_record_of_another_process_keeps_its_pid(log: Log) -> None:
    """What a queue brings from another process is a line of who writes it, with the pid of who said it."""
    log.logger.info("here")
    record = log.logger.makeRecord("shop", logging.INFO, "f", 1, "there", (), None)
    record.process = os.getpid() + 1
    log.logger.handle(record)
    here, there = log.lines
    assert there["event.sequence"] == 2
    assert there["service.node.name"] == here["service.node.name"]
    assert there["process.pid"] == os.getpid() + 1


def test_the_current_span_is_on_the_line(log: Log) -> None:
    """Within a span a line carries its ids in hex; outside there are none."""
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        log.logger.info("inside")
    log.logger.info("outside")
    inside, outside = log.lines
    assert inside["trace.id"] == f"{span.get_span_context().trace_id:032x}"
    assert inside["span.id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace.id" not in outside
    assert "span.id" not in outside


def test_an_exception_becomes_error_fields(log: Log) -> None:
    """Type with its module, message, and the stack trace as text."""
    try:
        int("many")
    except ValueError:
        log.logger.exception("can't count")
    try:
        json.loads("{")
    except json.JSONDecodeError:
        log.logger.exception("can't read")
    first, second = log.lines
    assert (first["log.level"], first["message"], first["error.type"]) == ("error", "can't count", "ValueError")
    assert first["error.message"] == "invalid literal for int() with base 10: 'many'"
    assert first["error.stack_trace"].startswith("Traceback (most recent call last):")
    assert "ValueError: invalid literal" in first["error.stack_trace"]
    assert second["error.type"] == "json.decoder.JSONDecodeError"


def test_extras_become_labels(log: Log) -> None:
    """What a caller adds to a record is kept as a flat map of strings; uvicorn's colours are not."""
    log.logger.info("sold", extra={"order": 7, "express": True, "no": None, "a.b": "c", "color_message": "\x1b[1m"})
    log.logger.info("sold", extra={"labels": {"ratio": 0.6}})
    assert [line["labels"] for line in log.lines] == [
        {"order": "7", "express": "true", "a_b": "c"},
        {"ratio": "0.6"},
    ]


def test_ecs_fields_can_be_added_but_not_overwritten(log: Log) -> None:
    """`extra={"ecs": …}` adds dotted fields; the identity of a line is not the caller's to change."""
    log.logger.info("x", extra={"ecs": {"url.path": "/a", "service.name": "other", "event.sequence": 99}})
    (line,) = log.lines
    assert (line["url.path"], line["service.name"], line["event.sequence"]) == ("/a", "shop", 1)


class Unprintable:
    """A value that can't even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


CYCLE: dict[str, Any] = {}
CYCLE["again"] = CYCLE


@pytest.mark.parametrize(
    ("message", "arguments", "extra", "expected"),
    [
        ("%d apples", ("many",), {}, "%d apples (its arguments could not be formatted:"),
        ("%s", (Unprintable(),), {}, "%s (its arguments could not be formatted: no words)"),
        ("half a character \udc80", (), {}, "half a character \\udc80"),
        ("two\nlines\n", (), {}, "two\nlines"),
        ("x", (), {"labels": {"value": Unprintable()}}, "x"),
        ("x", (), {"ecs": {"huge": 2**80}}, "x"),
        ("x", (), {"ecs": {"cycle": CYCLE}}, "x"),
        ("x", (), {"ecs": {"value": Unprintable()}}, "x"),
        ("x", (), {"ecs": {"when": datetime(2026, 1, 1, tzinfo=UTC), "set": {1}}}, "x"),
    ],
)
def test_what_can_not_be_said_is_said_as_well_as_possible(
    log: Log, message: str, arguments: tuple[Any, ...], extra: dict[str, Any], expected: str
) -> None:
    """A wrong log call is still one valid line, and never an exception for its caller."""
    log.logger.error(message, *arguments, extra=extra)
    (line,) = log.lines
    assert line["message"].startswith(expected)


def test_an_exception_without_words_is_named_by_its_type(log: Log) -> None:
    """`error.message` is never empty, so that messages can be counted."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no words")

    for error in (LookupError(), Mute()):
        log.logger.error("x", exc_info=error)
    assert [line["error.message"] for line in log.lines] == [
        "LookupError",
        "test_an_exception_without_words_is_named_by_its_type.<locals>.Mute",
    ]


def test_a_deed_is_an_event(log: Log) -> None:
    """Timelines find deeds by `event.kind` and `event.action`; labels are strings."""
    log_deed(log.logger, "fault_started", "Fault errors started", {"fault": "errors", "ratio": 0.6})
    (line,) = log.lines
    assert (line["event.kind"], line["event.action"]) == ("event", "fault_started")
    assert (line["log.level"], line["message"]) == ("info", "Fault errors started")
    assert line["labels"] == {"fault": "errors", "ratio": "0.6"}


def test_a_deed_is_written_at_any_level(log: Log) -> None:
    """A quiet log must not hide from a postmortem what was done; percent signs in the words are words."""
    log.logger.setLevel(logging.ERROR)
    log_deed(log.logger, "deployment", "Version 2 at 100% of traffic")
    assert [line["message"] for line in log.lines] == ["Version 2 at 100% of traffic"]
    assert "labels" not in log.lines[0]
