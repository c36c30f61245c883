"""Text of servers that have a form of their own: nginx's errors, Apache's errors, PostgreSQL, Redis."""

import re
from collections.abc import Callable
from typing import Any, Final

from sereno_collectors.logs.parsing.formats.access import client_fields, request_fields
from sereno_collectors.logs.parsing.formats.levels import level_of
from sereno_collectors.logs.parsing.formats.times import ISO, MONTH, moment_of
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?"

_NGINX = re.compile(
    rf"{ISO} \[(?P<level>debug|info|notice|warn|error|crit|alert|emerg)\] (?P<pid>\d{{1,10}})#(?P<thread>\d{{1,10}}): "
    r"(?:\*\d{1,19} )?",
    re.ASCII,
)
_NGINX_CLIENT = re.compile(r", client: ([^\s,]{1,64})")
_NGINX_REQUEST = re.compile(r', request: "([^"]*)"')

_APACHE = re.compile(
    rf"\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {MONTH} (?P<day>[ \d]\d) {_CLOCK} (?P<year>\d{{4}})\] "
    r"\[(?:(?P<logger>[\w\-]{1,64}):)?(?P<level>[a-z]{1,8}\d?)\] "
    r"(?:\[pid (?P<pid>\d{1,10})(?::tid (?P<thread>\d{1,20}))?\] )?"
    r"(?:\[client (?P<client>[^\s\]]{1,128})\] )?",
    re.ASCII,
)

_POSTGRESQL_LEVELS: Final = {
    "DEBUG": "debug",
    "LOG": "info",
    "INFO": "info",
    "NOTICE": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "FATAL": "critical",
    "PANIC": "critical",
}
_POSTGRESQL = re.compile(
    # log_line_prefix '%m [%p] ' (the default), and Debian's '%m [%p] %q%u@%d '; a zone may be an abbreviation.
    rf"{ISO}(?: (?P<abbreviation>[A-Z]{{2,5}}))? \[(?P<pid>\d{{1,10}})(?:-\d{{1,10}})?\] "
    r"(?:(?P<user>[^\s@:]{1,64})@(?P<database>[^\s@:]{1,64}) )?"
    r"(?P<level>DEBUG|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION)\d?:  ",
    re.ASCII,
)

_REDIS_LEVELS: Final = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
"""src/server.c, serverLogRaw: debug, verbose, notice, warning."""
_REDIS = re.compile(
    rf"(?P<pid>\d{{1,10}}):(?P<role>[XCSM]) (?P<day>\d\d) {MONTH} (?P<year>\d{{4}}) {_CLOCK} (?P<level>[.\-*#]) ",
    re.ASCII,
)


def _nginx(text: str, context: ReadingContext) -> Recognised | None:
    match = _NGINX.match(text)
    if match is None:
        return None
    message = text[match.end() :]
    fields: dict[str, Any] = {
        "message": message,
        "log.level": level_of(match["level"]),
        "process.pid": int(match["pid"]),
    }
    client, request = _NGINX_CLIENT.search(message), _NGINX_REQUEST.search(message)
    if client is not None:
        fields |= client_fields(client[1])
    if request is not None:
        fields |= request_fields(request[1])
    return _timed(fields, match, context)


def _apache(text: str, context: ReadingContext) -> Recognised | None:
    match = _APACHE.match(text)
    level = None if match is None else level_of(match["level"].rstrip("0123456789"))
    if match is None or level is None:
        return None
    fields: dict[str, Any] = {"message": text[match.end() :], "log.level": level}
    if match["logger"]:
        fields["log.logger"] = match["logger"]
    if match["pid"]:
        fields["process.pid"] = int(match["pid"])
    if match["client"]:
        host, _, port = match["client"].rpartition(":")
        fields |= client_fields(host if host and port.isdigit() else match["client"])
    return _timed(fields, match, context)


def _postgresql(text: str, context: ReadingContext) -> Recognised | None:
    match = _POSTGRESQL.match(text)
    if match is None:
        return None
    fields: dict[str, Any] = {
        "message": text[match.end() :],
        "log.level": _POSTGRESQL_LEVELS.get(match["level"], "info"),
        "process.pid": int(match["pid"]),
    }
    if match["level"] not in _POSTGRESQL_LEVELS:  # a part of the entry before it, which tells the level
        fields["message"] = f"{match['level']}: {fields['message']}"
    if match["user"]:
        fields |= {"user.name": match["user"], "database": match["database"]}
    return _timed(fields, match, context)


def _redis(text: str, context: ReadingContext) -> Recognised | None:
    match = _REDIS.match(text)
    if match is None:
        return None
    fields = {
        "message": text[match.end() :],
        "log.level": _REDIS_LEVELS[match["level"]],
        "process.pid": int(match["pid"]),
    }
    return _timed(fields, match, context)


def _timed(fields: dict[str, Any], match: re.Match[str], context: ReadingContext) -> Recognised | None:
    moment = moment_of(match, context)
    return None if moment is None else Recognised(fields, moment)


SERVER_LAYOUTS: Final[tuple[Callable[[str, ReadingContext], Recognised | None], ...]] = (
    _nginx,
    _postgresql,
    _redis,
    _apache,
)
