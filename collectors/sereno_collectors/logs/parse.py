"""From a line to a record; pure. Every line becomes one, however broken it is."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import orjson
from sereno_backends.logs import LogRecord
from sereno_backends.logs.ecs import format_timestamp, lookup, parse_timestamp

from sereno_collectors.logs.batch import Line
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.identity import record_id

DEFAULT_DATASET = "app"
DEFAULT_LEVEL = "info"

# What loggers of other languages call the five levels of ECS documents here.
_LEVELS = {
    "alert": "critical",
    "emerg": "critical",
    "emergency": "critical",
    "err": "error",
    "fatal": "critical",
    "information": "info",
    "notice": "info",
    "panic": "critical",
    "trace": "debug",
    "warn": "warning",
}


def parse(line: Line) -> tuple[LogRecord, tuple[Flaw, ...]]:
    """The record of a line, and what was wrong with the line.

    ECS keys may be dotted or nested. A document without flaws is kept exactly as it was read.
    """
    document = _json_object(line.content)
    if document is None:
        return _text_record(line), (Flaw.NOT_JSON,)
    timestamp = parse_timestamp(lookup(document, "@timestamp"))
    flaws = () if timestamp is not None else (Flaw.TIMESTAMP,)
    if flaws:
        document = {**document, "tags": [*_tags(document), *flaws]}
    record = LogRecord(
        record_id=record_id(line.source, line.offset, line.content, document),
        timestamp=timestamp or line.read_at,
        service=_text(document, "service.name") or _service_of(line.path),
        level=_level(document),
        message=_message(document, line),
        dataset=_text(document, "event.dataset") or DEFAULT_DATASET,
        trace_id=_text(document, "trace.id"),
        error_type=_text(document, "error.type"),
        action=_text(document, "event.action"),
        document=document,
    )
    return record, flaws


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _text_record(line: Line) -> LogRecord:
    message = line.content.decode(errors="replace")
    service = _service_of(line.path)
    document = {
        "@timestamp": format_timestamp(line.read_at),
        "log.level": DEFAULT_LEVEL,
        "message": message,
        "service.name": service,
        "event.dataset": DEFAULT_DATASET,
        "log.file.path": line.path.encode(errors="replace").decode(),
        "log.offset": line.offset,
        "tags": [Flaw.NOT_JSON.value],
    }
    return LogRecord(
        record_id=record_id(line.source, line.offset, line.content, None),
        timestamp=line.read_at,
        service=service,
        level=DEFAULT_LEVEL,
        message=message,
        dataset=DEFAULT_DATASET,
        document=document,
    )


def _service_of(path: str) -> str:
    """The name of the file up to its first dot: `logs/checkout.log.1` is of checkout."""
    return PurePath(path).name.encode(errors="replace").decode().partition(".")[0] or "unknown"


def _text(document: Mapping[str, Any], path: str) -> str | None:
    value = lookup(document, path)
    return value if isinstance(value, str) and value else None


def _level(document: Mapping[str, Any]) -> str:
    level = (_text(document, "log.level") or DEFAULT_LEVEL).lower()
    return _LEVELS.get(level, level)


def _message(document: Mapping[str, Any], line: Line) -> str:
    message = lookup(document, "message")
    if isinstance(message, str):
        return message
    return line.content.decode(errors="replace") if message is None else orjson.dumps(message).decode()


def _tags(document: Mapping[str, Any]) -> list[Any]:
    tags = document.get("tags")
    return tags if isinstance(tags, list) else [] if tags is None else [tags]
