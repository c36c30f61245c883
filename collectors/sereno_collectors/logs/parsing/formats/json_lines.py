"""JSON of loggers that don't speak ECS: what is understood moves to its ECS name, all else stays as it is.

Known are pino, bunyan, zap, logrus, slog, structlog, python-json-logger, logback, Serilog (CLEF), .NET, GELF, MongoDB
and Google Cloud.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sereno_backends.logs.ecs import lookup, parse_timestamp

from sereno_collectors.logs.parsing.formats.json_errors import error_fields
from sereno_collectors.logs.parsing.formats.json_templates import rendered
from sereno_collectors.logs.parsing.formats.levels import NUMBERED_LEVELS, SYSLOG_LEVELS, level_of
from sereno_collectors.logs.parsing.formats.times import moment_in
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

# Names in lower case, the first that is there and fits counts.
_MESSAGES: Final = ("msg", "@m", "short_message", "renderedmessage", "event")
_TEMPLATES: Final = ("@mt", "messagetemplate")
_LEVELS: Final = ("level", "severity", "lvl", "levelname", "log_level", "loglevel", "severity_text", "@l")
_TIMES: Final = ("time", "ts", "timestamp", "@t", "t", "asctime", "datetime")
_TEXTS: Final = {
    "log.logger": ("logger", "logger_name", "loggername", "sourcecontext"),
    "service.name": ("service", "service_name"),
    "host.name": ("hostname",),
    "process.thread.name": ("thread", "thread_name", "threadname"),
    "trace.id": ("trace_id", "traceid", "@tr"),
    "span.id": ("span_id", "spanid", "@sp"),
}
_MONGODB_LEVELS: Final = {"F": "critical", "E": "error", "W": "warning", "I": "info", "D": "debug"}
_MOST_SOURCE_CHARACTERS: Final = 512


def json_object(content: bytes | str) -> dict[str, Any] | None:
    """The JSON object that a whole line is; None where it is none."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def json_text(value: object, *, otherwise: str) -> str:
    """A value as JSON; `otherwise` where it is nested deeper than can be written (254 levels; 1,024 can be read)."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return otherwise


def recognise_json(found: Mapping[str, Any], context: ReadingContext) -> Recognised | None:
    """What a JSON object says by the names of other loggers; None where it is ECS, or says nothing that is known."""
    timestamp = parse_timestamp(lookup(found, "@timestamp"))
    if timestamp is not None and isinstance(lookup(found, "log.level"), str) and lookup(found, "message") is not None:
        return None
    names = {name.lower(): name for name in found}
    moved = _Moved(found, names)
    if timestamp is None:
        timestamp = moved.first(_TIMES, lambda value: moment_in(_time_of(value), context))
    _move_message(moved)
    _move_level(moved)
    for field, candidates in _TEXTS.items():
        moved.to(field, candidates, _text)
    _move_by_shape(moved)
    moved.fields |= error_fields(found, names, moved.gone)
    if not moved.gone:
        return None
    return Recognised(
        {**{name: value for name, value in found.items() if name not in moved.gone}, **moved.fields}, timestamp
    )


class _Moved:
    """What has found its ECS name, and what it was called."""

    def __init__(self, found: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self.found = found
        self.names = names
        self.fields: dict[str, Any] = {}
        self.gone: set[str] = set()

    def first(self, candidates: tuple[str, ...], understand: Any) -> Any:
        """The first of the candidates that is understood; it is gone then."""
        for candidate in candidates:
            name = self.names.get(candidate)
            value = None if name is None else understand(self.found[name])
            if name is not None and value is not None:
                self.gone.add(name)
                return value
        return None

    def to(self, field: str, candidates: tuple[str, ...], understand: Any) -> None:
        """Move the first candidate that is understood, unless the field is there."""
        if lookup(self.found, field) is None:
            value = self.first(candidates, understand)
            if value is not None:
                self.fields[field] = value

    def value(self, candidate: str) -> Any:
        """What a name has, however it is spelled."""
        return self.found.get(self.names.get(candidate, ""))


def _move_message(moved: _Moved) -> None:
    if isinstance(moved.value("message"), str):
        if "message" not in moved.found:  # `Message` of .NET
            moved.to("message", ("message",), _text)
        return
    template = next((text for name in _TEMPLATES if (text := _text(moved.value(name))) is not None), None)
    moved.to("message", _MESSAGES, _text)
    if template is not None and "message" not in moved.fields:
        moved.fields["message"] = rendered(template, moved.found)
        moved.gone.update(moved.names[name] for name in _TEMPLATES if name in moved.names)


def _move_level(moved: _Moved) -> None:
    def understand(value: object) -> str | None:
        if isinstance(value, str):
            return level_of(value)
        if type(value) is not int:
            return None
        if isinstance(moved.value("short_message"), str):
            return SYSLOG_LEVELS[value] if 0 <= value < len(SYSLOG_LEVELS) else None
        # Without the other names of pino and bunyan a number may mean anything.
        has_names = isinstance(moved.value("msg"), str) and "time" in moved.names
        return NUMBERED_LEVELS.get(value) if has_names else None

    moved.to("log.level", _LEVELS, understand)
    if isinstance(moved.value("t"), Mapping) and isinstance(moved.value("s"), str):
        moved.to("log.level", ("s",), lambda value: _MONGODB_LEVELS.get(value[:1]))


def _move_by_shape(moved: _Moved) -> None:
    """Names that mean something only beside others."""
    names = moved.names
    if ("hostname" in names and "pid" in names) or "levelname" in names:
        moved.to("log.logger", ("name",), _text)
    if "loglevel" in names and "eventid" in names:
        moved.to("log.logger", ("category",), _text)
    if "short_message" in names:
        moved.to("host.name", ("host",), _text)
    moved.to("process.pid", ("pid",), lambda value: value if type(value) is int and 0 <= value < 2**31 else None)
    if lookup(moved.found, "log.origin") is None:
        place = moved.first(("caller",), _place)
        if place is not None:
            moved.fields["log.origin.file.name"], moved.fields["log.origin.file.line"] = place


def _time_of(value: object) -> object:
    """The time itself, where an object is around it: MongoDB's `{"$date": …}`."""
    return value.get("$date") if isinstance(value, Mapping) else value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _place(value: object) -> tuple[str, int] | None:
    """File and line of `pay/bank.go:17`."""
    if not isinstance(value, str) or len(value) > _MOST_SOURCE_CHARACTERS:
        return None
    file, _, line = value.rpartition(":")
    return (file, int(line)) if file and line.isascii() and line.isdigit() and len(line) < 10 else None  # noqa: PLR2004
