"""Log records as ECS documents: one JSON object a line, with dotted keys.

The parts that are the same in every record are JSON already; a plain record costs one small `orjson.dumps`.
"""

import itertools
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace

from sereno_telemetry.failed_requests import FailedRequest, failed_request
from sereno_telemetry.logs.access import GUNICORN, UVICORN, access_fields, access_message, access_of
from sereno_telemetry.logs.document import BOUND_ATTRIBUTE, Document
from sereno_telemetry.logs.errors import error_fields, exception_of
from sereno_telemetry.logs.masking import Masker
from sereno_telemetry.logs.shrinking import MOST_LINE_BYTES, shrunk
from sereno_telemetry.logs.stack_traces import error_text
from sereno_telemetry.logs.values import Values, dumps, text_of

ECS_VERSION: Final = "8.17.0"
MOST_MESSAGE_CHARACTERS: Final = 32_768

_MOST_NAME_CHARACTERS = 256
_MOST_HEADS = 1_024
_MOST_NESTED_CALLS = 4
_YEAR_10000 = 253_402_300_800  # in seconds since 1970: RFC 3339 has four digits for a year

_SERVER_MESSAGE = "Exception in ASGI application"
"""What uvicorn says of every unhandled exception, whatever it was."""

_MILLISECONDS = tuple(b'.%03dZ"' % number for number in range(1000))

_SERVER_NAMES = frozenset({UVICORN, GUNICORN, "uvicorn.error"})

_LEVEL_NAMES = ((50, "critical"), (40, "error"), (30, "warning"), (20, "info"), (0, "debug"))

# What every record has, and what libraries add for other formatters: everything else a caller gave as `extra`.
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({})))
_OF_EVERY_RECORD_COUNT = len(_OF_EVERY_RECORD)
_STANDARD = _OF_EVERY_RECORD | {
    BOUND_ATTRIBUTE,
    "asctime",
    "color_message",
    "ecs",
    "labels",
    "message",
    "taskName",
    "websocket",
}


@dataclass(frozen=True, slots=True)
class _Source:
    """A process's sequence of lines: read in one step, so that a number never goes with another source's name."""

    pid: int
    numbers: Iterator[int]
    head: bytes
    """JSON of what all its lines share, up to the sequence number."""


class EcsFormatter(logging.Formatter):
    """Formats a record as one line of ECS JSON.

    `extra={"labels": {…}}` and other extras become the flat string map `labels`; `extra={"ecs": {…}}` adds ECS fields,
    dotted or nested, and so do extras with a dotted ECS name. A record that can't be rendered faithfully is rendered
    as well as possible: never lost, never an exception for the caller, never without masking.

    Each formatter is a source of its own: `service.node.name` is new for each formatter and each process (a fork
    begins a new one), and `event.sequence` counts its lines from 1. Together they name one line; a gap is a lost one.
    """

    def __init__(self, *, service: str, dataset: str, node: str | None, masker: Masker) -> None:
        super().__init__()
        self._service = service
        self._dataset = dataset
        self._host = node or socket.gethostname() or "localhost"
        self._values = Values(masker)
        self._levels: dict[str, bytes] = {}
        self._loggers: dict[str, bytes] = {}
        self._second = (-1, b"")
        self.begin_process()
        _formatters.add(self)

    def begin_process(self) -> None:
        """Begin a new sequence, as a new source."""
        pid = os.getpid()
        self._source = _Source(pid, itertools.count(1), self._source_head(f"{self._host}-{pid}-{_new_serial():x}", pid))

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without its end."""
        return self.format_bytes(record).decode()

    def format_bytes(self, record: logging.LogRecord) -> bytes:
        """The record's line as UTF-8, without its end; shorter than `MOST_LINE_BYTES`."""
        try:
            if _is_plain(record):
                return self._plain(record)
            return self._rich(record)
        except Exception as error:  # noqa: BLE001 - a record must not be lost, nor fail its caller
            return self._last_resort(record, error)

    def _plain(self, record: logging.LogRecord) -> bytes:
        text = record.msg
        if record.args or type(text) is not str:
            text = self._formatted(record)
        text = self._values.text(text, MOST_MESSAGE_CHARACTERS)
        if text.endswith("\n"):
            text = text.rstrip("\n")
        span = trace.get_current_span()
        more = b"" if span is trace.INVALID_SPAN else _ids_of(span)
        line = self._line(record, dumps(text), more)
        return line if len(line) < MOST_LINE_BYTES else self._rich(record)

    def _rich(self, record: logging.LogRecord) -> bytes:
        message = self._message(record)
        document = self._document(record)
        line = self._line(record, dumps(message), document.json())
        return line if len(line) < MOST_LINE_BYTES else self._line(record, *shrunk(message, document))

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> bytes:
        """A line without anything that a caller gave, for records that are no records."""
        words = f"[a log record of {type(record).__name__} could not be written: {type(error).__qualname__}]"
        stand_in = logging.LogRecord("sereno_telemetry", logging.ERROR, __file__, 0, words, (), None)
        return self._line(stand_in, dumps(words), b"")

    def _line(self, record: logging.LogRecord, message: bytes, more: bytes) -> bytes:
        source = self._source
        head = source.head
        if record.process != source.pid and record.process is not None:  # it came through a queue
            head = head.replace(b',"process.pid":%d,' % source.pid, b',"process.pid":%d,' % int(record.process))
        parts = (
            self._timestamp(record.created),
            self._levels.get(record.levelname) or self._level(record),
            message,
            head,
            b"%d" % next(source.numbers),
            self._loggers.get(record.name) or self._logger(record),
            more,
            b"}",
        )
        return b"".join(parts)

    def _source_head(self, node: str, pid: int) -> bytes:
        fields = {
            "ecs.version": ECS_VERSION,
            "service.name": self._service,
            "service.node.name": node,
            "event.dataset": self._dataset,
            "process.pid": pid,
        }
        return b',%b,"event.sequence":' % dumps(fields)[1:-1]

    def _level(self, record: logging.LogRecord) -> bytes:
        name = text_of(record.levelname).lower()
        if not name or name.startswith("level "):  # a number without a name
            number = record.levelno if isinstance(record.levelno, int) else 0
            name = next((named for least, named in _LEVEL_NAMES if number >= least), "debug")
        text = self._values.text(name, _MOST_NAME_CHARACTERS)
        head = b',"log.level":%b,"message":' % dumps(text)
        if len(self._levels) >= _MOST_HEADS:
            self._levels.clear()
        self._levels[record.levelname] = head
        return head

    def _logger(self, record: logging.LogRecord) -> bytes:
        head = b',"log.logger":%b' % dumps(self._values.text(text_of(record.name), _MOST_NAME_CHARACTERS))
        if len(self._loggers) >= _MOST_HEADS:
            self._loggers.clear()
        self._loggers[record.name] = head
        return head

    def _timestamp(self, created: object) -> bytes:
        """The JSON that a line begins with, up to the timestamp's end."""
        known, text = self._second
        try:
            second, milliseconds = divmod(int(created * 1000), 1000)  # type: ignore[operator]
            if second != known:
                if not 0 <= second < _YEAR_10000:
                    return self._timestamp(time.time())
                moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
                text = b'{"@timestamp":"%b' % moment.encode()
                self._second = (second, text)
        except (ArithmeticError, TypeError, ValueError):  # no time at all
            return self._timestamp(time.time())
        return text + _MILLISECONDS[milliseconds]

    def _message(self, record: logging.LogRecord) -> str:
        access = access_of(record)
        if access is not None:
            return access_message(access, self._values)
        if record.name == "uvicorn.error":
            request = _failed_request(record)
            if request is not None and str(record.msg).startswith(_SERVER_MESSAGE):
                error = record.exc_info[1] if record.exc_info else None
                text = f"{request.method} {request.route} failed: {error_text(error)}"
                return self._values.text(text, MOST_MESSAGE_CHARACTERS)
        text = self._formatted(record)
        return self._values.text(text, MOST_MESSAGE_CHARACTERS).rstrip("\n")

    def _formatted(self, record: logging.LogRecord) -> str:
        """The message with its arguments, whose own words may log, too: a few calls deep, then not asked any more."""
        if _nesting.calls >= _MOST_NESTED_CALLS:
            return f"[a log call within {_MOST_NESTED_CALLS} log calls]"
        _nesting.calls += 1
        try:
            return str(record.getMessage())
        except Exception as error:  # noqa: BLE001 - wrong arguments in a log call must not lose the line
            return f"{text_of(record.msg)} (its arguments could not be formatted: {text_of(error)})"
        finally:
            _nesting.calls -= 1

    def _document(self, record: logging.LogRecord) -> Document:
        document = Document(self._values)
        document.put(error_fields(record, self._values))
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            document.fields["trace.id"] = trace.format_trace_id(context.trace_id)
            document.fields["span.id"] = trace.format_span_id(context.span_id)
        else:
            _add_request(document, record)  # the server logs a failure when the request's span is over
        access = access_of(record)
        if access is not None:
            document.put(access_fields(access, self._values))
        attributes = record.__dict__
        document.add_extras({key: value for key, value in attributes.items() if key not in _STANDARD})
        document.add_given(attributes.get("labels"), attributes.get("ecs"))
        bound = attributes.get(BOUND_ATTRIBUTE)
        if bound:
            document.add_extras({key: value for key, value in bound.items() if key not in ("labels", "ecs")})
            document.add_given(bound.get("labels"), bound.get("ecs"))
        return document


def _is_plain(record: logging.LogRecord) -> bool:
    """Whether a record has a message and nothing else: most have."""
    return not (
        len(record.__dict__) > _OF_EVERY_RECORD_COUNT
        or record.exc_info
        or record.exc_text
        or record.stack_info
        or record.name in _SERVER_NAMES
    )


def _ids_of(span: trace.Span) -> bytes:
    context = span.get_span_context()
    return b',"trace.id":"%032x","span.id":"%016x"' % (context.trace_id, context.span_id) if context.is_valid else b""


def _add_request(document: Document, record: logging.LogRecord) -> None:
    request = _failed_request(record)
    if request is not None and request.trace_id is not None:
        document.fields["trace.id"] = request.trace_id
        document.fields["span.id"] = request.span_id


def _failed_request(record: logging.LogRecord) -> FailedRequest | None:
    info = exception_of(record)
    return failed_request(info[1]) if info is not None else None


class _Nesting(threading.local):
    """How many log calls a thread is in: one count for all threads would drift, for good."""

    calls = 0


_nesting = _Nesting()
_serial_lock = threading.Lock()
_last_serial = 0
_formatters: "weakref.WeakSet[EcsFormatter]" = weakref.WeakSet()


def _new_serial() -> int:
    """Nanoseconds since 1970, never twice the same in a process."""
    global _last_serial  # noqa: PLW0603 - one for the process
    with _serial_lock:
        _last_serial = max(_last_serial + 1, time.time_ns())
        return _last_serial


def _begin_forked_process() -> None:
    global _serial_lock  # noqa: PLW0603 - another thread of the parent may have held it
    _serial_lock = threading.Lock()
    for formatter in list(_formatters):
        formatter.begin_process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_forked_process)
