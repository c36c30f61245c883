"""Every line keeps the published specification of ECS loggers, whatever a caller logs."""

import json
import logging
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sereno_telemetry import log_deed
from sereno_telemetry.logs.document import CUT_LABEL, HEAD_FIELDS
from support.ecs_specification import violations
from support.memory_log import MemoryLog

_QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Hostile:
    """A value whose every word raises."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


_NAMES = (
    "service service.name event log.level labels labels.a error error.type trace.id a.b @timestamp message ecs tags"
)
_names = st.one_of(
    st.sampled_from([*_NAMES.split(), "url", "url.path", "http.request", "process.pid.x", "*", "\\", ""]),
    st.text(max_size=12),
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.binary(max_size=9),
    st.dates(),
    st.datetimes(),
    st.builds(Hostile),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_names, inner, max_size=4)),
    max_leaves=8,
)
_mappings = st.dictionaries(_names, _values, max_size=6)


@_QUICK
@given(
    message=_values,
    arguments=st.lists(_scalars, max_size=2),
    level=st.integers(0, 120),
    name=st.text(max_size=20),
    ecs=st.one_of(_mappings, _values),
    labels=st.one_of(_mappings, _values),
    extra=_mappings,
    error=st.one_of(st.none(), st.text(max_size=20)),
)
def test_any_record_is_one_line_of_the_specification(  # noqa: PLR0917
    message: object,
    arguments: list[object],
    level: int,
    name: str,
    ecs: object,
    labels: object,
    extra: dict[str, object],
    error: str | None,
) -> None:
    """Hostile names, values, levels and messages give one whole line each, numbered without a gap."""
    log = MemoryLog()
    record = logging.LogRecord(name, level, "f", 1, message, tuple(arguments), None)
    if error is not None:
        record.exc_info = (ValueError, ValueError(error), None)
    record.__dict__.update({key: value for key, value in extra.items() if key not in record.__dict__})
    record.ecs, record.labels = ecs, labels
    log.logger.handle(record)
    (line,) = log.lines
    assert tuple(line)[: len(HEAD_FIELDS)] == HEAD_FIELDS
    assert line["event.sequence"] == 1
    assert line["service.name"] == "shop"


@pytest.mark.parametrize(
    "damage",
    [
        {"created": float("nan")},
        {"created": "yesterday"},
        {"created": 1e30},
        {"levelname": None},
        {"levelname": ["list"]},
        {"name": None},
        {"name": {"not": "hashable"}},
        {"args": {"a": 1}},
        {"args": 5},
        {"msg": None},
        {"process": None},
        {"process": "12"},
        {"process": "many"},
        {"exc_info": True},
        {"exc_info": (None, None, None)},
        {"exc_info": ("type", "value", "trace")},
        {"exc_text": 7},
        {"stack_info": 7},
        {"_sereno_bound": 7},
    ],
    ids=str,
)
def test_damaged_records_are_lines(log: MemoryLog, damage: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Records that other code has broken are written as well as possible, and stderr stays silent."""
    log.logger.handle(logging.makeLogRecord({"msg": "x", "levelname": "INFO", "levelno": 20, **damage}))
    assert [line["event.sequence"] for line in log.lines] == [1]
    assert capsys.readouterr().err == ""


def test_a_record_of_another_class_is_a_line(log: MemoryLog) -> None:
    """Subclasses of LogRecord say their own message, and may raise."""

    class Loud(logging.LogRecord):
        def getMessage(self) -> str:  # noqa: N802
            return f"{super().getMessage()}!"

    class Broken(logging.LogRecord):
        def getMessage(self) -> str:  # noqa: N802
            raise LookupError("no message")

    for kind in (Loud, Broken):
        log.logger.handle(kind("n", 20, "f", 1, "hello %s", ("you",), None))
    assert [line["message"] for line in log.lines] == [
        "hello you!",
        "hello %s (its arguments could not be formatted: no message)",
    ]


def test_levels_have_names(log: MemoryLog) -> None:
    """Own levels keep their names in small letters; a number without a name is the level that it has reached."""
    logging.addLevelName(25, "NOTICE")
    for level in (10, 15, 20, 25, 30, 35, 41, 50, 77):
        log.logger.log(level, "x")
    names = [line["log.level"] for line in log.lines]
    assert names == ["debug", "debug", "info", "notice", "warning", "warning", "error", "critical", "critical"]


def test_names_of_ecs_collide_with_nothing(log: MemoryLog) -> None:
    """Extras named like fields of the line are labels or are refused; a line keeps its identity and types."""
    log.logger.info(
        "x",
        extra={
            "service": "other",
            "event": {"kind": "state"},
            "url.path": "/a",
            "service.name": "other",
            "trace.id": 7,
            "ecs": {"service": {"name": "x", "version": "2"}, "log": "text", "http": {"request": {"method": "GET"}}},
        },
    )
    (line,) = log.lines
    assert line["service.name"] == "shop"
    assert line["labels"] == {"service": "other", "event": '{"kind":"state"}', "log": "text"}
    assert line["trace.id"] == "7"
    assert (line["url.path"], line["service.version"], line["http.request.method"]) == ("/a", "2", "GET")


def test_what_is_too_much_is_cut_and_said(log: MemoryLog) -> None:
    """A line has a bound in bytes, labels and depth: it keeps who, when and what, and says what it left out."""
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep] * 40
    log.logger.error(
        "ü" * 10**6, exc_info=ValueError("\0" * 10**6), extra={"labels": {f"k{n}": "\1" * 5000 for n in range(500)}}
    )
    log.logger.info("x", extra={"ecs": {f"f{n}": n for n in range(500)}})
    log.logger.info("x", extra={"ecs": {"deep": deep}, "labels": {"deep": deep}})
    first, second, third = log.lines
    assert first["message"].startswith("üüü")
    assert first["error.type"] == "ValueError"
    assert "message" in first["labels"][CUT_LABEL]
    assert "labels.k" in first["labels"][CUT_LABEL]
    assert len(second) < 90
    assert "labels or fields" in second["labels"][CUT_LABEL]
    assert "… [list of 40]" in json.dumps(third, ensure_ascii=False)


def test_messages_keep_their_beginning_and_traces_their_end(log: MemoryLog) -> None:
    """The end of a stack trace says what happened; both say how much is missing."""
    log.logger.error("m" * 100_000)
    log.logger.error("x", exc_info=ValueError("y" * 100_000 + "end"))
    message, error = log.lines
    assert message["message"] == "m" * 32_768 + "… [67232 characters cut] …"
    assert error["error.stack_trace"].startswith("… [")
    assert error["error.stack_trace"].endswith("yyyend")


def test_a_log_call_within_a_log_call_is_a_line(log: MemoryLog) -> None:
    """Arguments whose own words log are written after what they logged; one that never ends is stopped."""

    class Chatty:
        def __str__(self) -> str:
            log.logger.info("inner")
            return "chatty"

    class Endless:
        def __str__(self) -> str:
            log.logger.info("again %s", self)
            return "endless"

    log.logger.info("outer %s", Chatty())
    assert [line["message"] for line in log.lines] == ["inner", "outer chatty"]
    log.logger.info("outer %s", Endless())
    assert len(log.lines) == 2 + 5
    assert [line["event.sequence"] for line in log.lines] == list(range(1, 8))


def test_raising_exceptions_or_not_makes_no_difference(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """`logging.raiseExceptions` is about handlers that fail; these don't."""
    for raising in (True, False):
        monkeypatch.setattr(logging, "raiseExceptions", raising)
        log.logger.error("%d", "many")
    for line in log.lines:
        assert line["message"].startswith("%d (its arguments could not be formatted")


def test_deeds_keep_the_specification(log: MemoryLog) -> None:
    """What postmortems read is a line as all others."""
    log_deed(log.logger, "deployment", "out", {"version": "2", "service.name": "x"})
    (line,) = log.lines
    assert line["event.action"] == "deployment"
    assert line["labels"] == {"version": "2", "service_name": "x"}


def test_the_oracle_sees_what_is_wrong() -> None:
    """A line that breaks a rule of the specification is found out."""
    good = {"@timestamp": "2026-01-01T00:00:00.000Z", "log.level": "info", "message": "x", "ecs.version": "8"}
    assert violations(json.dumps(good)) == []
    assert violations(json.dumps({"message": "x"} | good)) != []
    for key, value in [
        ("message", 1),
        ("labels", {"a.b": "c"}),
        ("labels", {"a": 1}),
        ("message.x", "y"),
        ("trace.id", 5),
    ]:
        assert violations(json.dumps(good | {key: value})) != [], key
