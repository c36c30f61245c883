"""Text with a time and a level at its beginning, as the loggers of Python, Java, Go and others write it by default."""

import re
from datetime import datetime
from typing import Any

from sereno_collectors.logs.parsing.formats.levels import WORDS, level_of
from sereno_collectors.logs.parsing.formats.servers import SERVER_LAYOUTS
from sereno_collectors.logs.parsing.formats.times import ISO, moment_of
from sereno_collectors.logs.parsing.formats.traces import with_trace
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

_TIMED = re.compile(rf"\[?{ISO}\]?(?=[\s|\[]|$)", re.ASCII)

_NAME = r"[\w.$/<>\-]{1,200}"
_THREAD = r"\[ {0,64}(?P<thread>[^\[\]]{1,200})\]"
_LEVEL = rf"(?P<level>{WORDS}|(?i:\[(?:{WORDS}) *\]|\((?:{WORDS})\)))"

# What stands behind the time, each with the logger that writes so by default.
_LAYOUTS = tuple(
    re.compile(layout, re.ASCII)
    for layout in (
        # Spring Boot: `INFO 12345 --- [app] [main] c.e.Shop : message`
        (
            rf" {{1,4}}{_LEVEL} {{1,4}}(?P<pid>\d{{1,10}}) --- (?:\[[^\[\]]{{0,200}}\] )?{_THREAD} "
            rf"(?P<logger>{_NAME}) {{1,64}}: "
        ),
        # logback, log4j: `[main] INFO  c.e.Shop - message`
        rf" {_THREAD} {_LEVEL} {{1,4}}(?P<logger>{_NAME}) {{0,40}}[-:] ",
        # log4j, Kafka's with brackets: `INFO [main] c.e.Shop - message`, `INFO  c.e.Shop - message`
        rf" {_LEVEL} {{1,4}}(?:{_THREAD} )?(?P<logger>{_NAME}) {{0,40}}- ",
        # Elasticsearch: `[2026-11-25T12:00:00,123][INFO ][o.e.n.Node] [node] message`
        rf" ?{_LEVEL} ?\[(?P<logger>{_NAME}) {{0,64}}\] ",
        # Python, with the separator of its documentation: ` - checkout.pay - ERROR - message`
        rf" - (?P<logger>{_NAME}) - {_LEVEL} - ",
        # loguru: ` | INFO     | checkout.pay:charge:12 - message`
        rf" \| {_LEVEL} {{0,8}}\| (?P<logger>{_NAME}):[^\s:]{{1,200}}:(?P<line>\d{{1,9}}) - ",
        # gunicorn, structlog's console and everybody: `[123] [INFO] message`, `ERROR: message`, `| WARN | message`
        rf"(?: [-|])? {{0,4}}(?:\[(?P<pid>\d{{1,10}})\] )?{_LEVEL} {{0,8}}(?:[:|-] {{0,8}}| )",
        rf"(?: [-|])? {{0,4}}(?P<level>(?i:{WORDS})) {{0,8}}[:|] {{0,8}}",
    )
)
_UNTIMED = re.compile(
    # logging.basicConfig: `WARNING:checkout.pay:message`; uvicorn: `INFO:     message`
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?:(?P<logger>[A-Za-z_][\w.]{0,199}):(?! )| {4,8})",
    re.ASCII,
)
_GO_SOURCE = re.compile(r" (?P<file>[\w./\-]{1,200}\.go):(?P<line>\d{1,9}): ", re.ASCII)


def recognise_plain(text: str, context: ReadingContext) -> Recognised | None:
    """Text that begins with a time; or with a level where Python's `logging` and uvicorn write so.

    The first line's rest is the message, with the lines below; a stack trace below becomes `error.*` instead.
    """
    for recognise in SERVER_LAYOUTS:
        found = recognise(text, context)
        if found is not None:
            return found
    timed = _TIMED.match(text)
    if timed is None:
        return _untimed(text)
    moment = moment_of(timed, context)
    return None if moment is None else _behind_time(text, timed.end(), moment)


def _untimed(text: str) -> Recognised | None:
    match = _UNTIMED.match(text)
    return None if match is None else _recognised(text, match, None)


def _behind_time(text: str, end: int, moment: datetime) -> Recognised:
    source = _GO_SOURCE.match(text, end)
    if source is not None:
        origin = {"log.origin.file.name": source["file"], "log.origin.file.line": int(source["line"])}
        return Recognised(with_trace(text[source.end() :]) | origin, moment)
    for layout in _LAYOUTS:
        match = layout.match(text, end)
        if match is not None:
            return _recognised(text, match, moment)
    return Recognised(with_trace(text[end:].lstrip(" -|")), moment)


def _recognised(text: str, match: re.Match[str], moment: datetime | None) -> Recognised:
    said = match.groupdict()
    fields: dict[str, Any] = with_trace(text[match.end() :])
    level = level_of(said["level"].strip("[]() "))
    if level is not None:
        fields["log.level"] = level
    if said.get("logger"):
        fields["log.logger"] = said["logger"]
    if said.get("thread"):
        fields["process.thread.name"] = said["thread"].strip()
    if said.get("pid"):
        fields["process.pid"] = int(said["pid"])
    if said.get("line"):
        fields["log.origin.file.line"] = int(said["line"])
    return Recognised(fields, moment)
