"""Which form a line has: the one that the user named, or the first that it unmistakably has."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from sereno_backends.logs.ecs import lookup, parse_timestamp

from sereno_collectors.logs.model import Format
from sereno_collectors.logs.parsing.formats.access import recognise_access
from sereno_collectors.logs.parsing.formats.containers import cri_event, docker_line
from sereno_collectors.logs.parsing.formats.json_lines import json_object, recognise_json
from sereno_collectors.logs.parsing.formats.logfmt import pairs_of
from sereno_collectors.logs.parsing.formats.plain import recognise_plain
from sereno_collectors.logs.parsing.formats.syslog import recognise_syslog
from sereno_collectors.logs.parsing.formats.traces import with_trace
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

ORIGINAL = "event.original"
STREAM = "log.iostream"
"""As OpenTelemetry's semantic conventions call stdout and stderr; ECS has no name for it."""


def recognise_object(found: Mapping[str, Any], format: Format, context: ReadingContext) -> Recognised | None:  # noqa: A002 - the model's own word
    """What a JSON object says in a form other than ECS; None where it is to be read as ECS."""
    match format:
        case Format.AUTO | Format.JSON | Format.DOCKER:
            docker = docker_line(found, context)
            return recognise_json(found, context) if docker is None else _unwrapped(docker, context)
        case Format.ECS | Format.LOGFMT | Format.PLAIN | Format.ACCESS | Format.CRI | Format.SYSLOG:
            return None
        case _:
            assert_never(format)


def recognise_text(text: str, format: Format, context: ReadingContext) -> Recognised | None:  # noqa: A002
    """What text says in the form that is asked for; None where it doesn't have it."""
    said = _in_format(text, format, context)
    if said is None or said.fields["message"] == text:
        return said
    return Recognised({**said.fields, ORIGINAL: text}, said.timestamp)


def _in_format(text: str, format: Format, context: ReadingContext) -> Recognised | None:  # noqa: A002, PLR0911 - each format
    match format:
        case Format.AUTO:
            return _cri(text, context) or _uncontained(text, context)
        case Format.LOGFMT:
            return _logfmt(text, context)
        case Format.PLAIN:
            return recognise_plain(text, context)
        case Format.ACCESS:
            return recognise_access(text, context)
        case Format.CRI:
            return _cri(text, context)
        case Format.SYSLOG:
            return _inside(recognise_syslog(text, context), context)
        case Format.ECS | Format.JSON | Format.DOCKER:
            return None
        case _:
            assert_never(format)


def _uncontained(text: str, context: ReadingContext) -> Recognised | None:
    """A program's own line."""
    return (
        recognise_access(text, context)
        or _inside(recognise_syslog(text, context, unmistakable=True), context)
        or recognise_plain(text, context)
        or _logfmt(text, context, unmistakable=True)
        or _trace(text)
    )


def _trace(text: str) -> Recognised | None:
    """Text without a time that holds a stack trace: what an uncaught exception prints; all of it is the message."""
    fields = with_trace(text)
    return Recognised({**fields, "message": text}) if len(fields) > 1 else None


def _cri(text: str, context: ReadingContext) -> Recognised | None:
    event = cri_event(text, context)
    return None if event is None else _unwrapped(event, context)


def _unwrapped(event: tuple[str, str, datetime | None], context: ReadingContext) -> Recognised:
    """What the program said, with the stream; the runtime's time where it named none."""
    line, stream, moment = event
    said = _said(line, context)
    return Recognised({**said.fields, STREAM: stream}, said.timestamp or moment)


def _inside(outer: Recognised | None, context: ReadingContext) -> Recognised | None:
    """A syslog message may be JSON or logfmt in its turn; what it says itself wins."""
    if outer is None:
        return None
    message = outer.fields["message"]
    if message[:1] != "{":
        return outer
    said = _said(message, context)
    return Recognised({**outer.fields, **said.fields}, said.timestamp or outer.timestamp)


def _said(line: str, context: ReadingContext) -> Recognised:
    """A program's own line, whatever it is: ECS, foreign JSON, text."""
    found = json_object(line.encode(errors="replace")) if line[:1] == "{" else None
    if found is not None:
        return _with_message(recognise_json(found, context) or _ecs(found), line)
    return _uncontained(line, context) or Recognised(with_trace(line))


def _logfmt(text: str, context: ReadingContext, *, unmistakable: bool = False) -> Recognised | None:
    pairs = pairs_of(text)
    if pairs is None:
        return None
    said = recognise_json(pairs, context) or _ecs(pairs)
    if not unmistakable:
        return _with_message(said, text)
    return said if "message" in said.fields and ("log.level" in said.fields or said.timestamp) else None


def _ecs(found: Mapping[str, Any]) -> Recognised:
    return Recognised(found, parse_timestamp(lookup(found, "@timestamp")))


def _with_message(said: Recognised, line: str) -> Recognised:
    return said if "message" in said.fields else Recognised({**said.fields, "message": line}, said.timestamp)
