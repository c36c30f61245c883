"""Log records as ECS documents: one JSON object a line, with dotted keys."""

import itertools
import logging
import os
import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import orjson
from opentelemetry import trace

from sereno_telemetry.failed_requests import FailedRequest, failed_request

ECS_VERSION = "8.17.0"

_MOST_CHARACTERS = 32_768
"""Of a message or a stack trace: a line must stay one write and fit into collectors' buffers."""

_SERVER_MESSAGE = "Exception in ASGI application"
"""What uvicorn says of every unhandled exception, whatever it was."""

# What every record has, and what libraries add for other formatters: everything else a caller gave as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "ecs",
    "labels",
    "message",
    "taskName",
    "websocket",
}

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class EcsFormatter(logging.Formatter):
    """Formats a record as one line of ECS JSON.

    `extra={"labels": {…}}` and other extras become the flat string map `labels`; `extra={"ecs": {…}}` adds dotted ECS
    fields as they are. A record that can't be rendered faithfully is rendered as well as possible: never lost, and
    never an exception for the caller.

    `service.node.name` is new for each process, `event.sequence` counts its lines from 1: together they name one
    line, and a gap tells of a lost one.
    """

    def __init__(self, *, service: str, dataset: str, node: str | None) -> None:
        super().__init__()
        self._service = service
        self._dataset = dataset
        self._host = node or socket.gethostname() or "localhost"
        self._begin_process(os.getpid())
        self._second = -1
        self._second_text = ""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without its end."""
        return self.format_bytes(record).decode()

    def format_bytes(self, record: logging.LogRecord) -> bytes:
        """The record's line as UTF-8, without its end."""
        pid = record.process or os.getpid()
        if pid != self._pid:  # forked: the child's lines are a sequence of their own
            self._begin_process(pid)
        document: dict[str, Any] = {
            "@timestamp": self._timestamp(record.created),
            "log.level": record.levelname.lower(),
            "message": _message(record),
            "ecs.version": ECS_VERSION,
            "service.name": self._service,
            "service.node.name": self._node,
            "event.dataset": self._dataset,
            "event.sequence": next(self._sequence),
            "log.logger": record.name,
            "process.pid": pid,
        }
        _add_error(document, record)
        _add_trace(document, record)
        labels = _labels(record)
        if labels:
            document["labels"] = labels
        fields = getattr(record, "ecs", None)
        if isinstance(fields, Mapping):
            document |= {str(key): value for key, value in fields.items() if str(key) not in document}
        return _dumps(document)

    def _begin_process(self, pid: int) -> None:
        self._pid = pid
        self._sequence = itertools.count(1)
        self._node = f"{self._host}-{pid}-{time.time_ns():x}"

    def _timestamp(self, created: float) -> str:
        second, milliseconds = divmod(int(created * 1000), 1000)
        if second != self._second:
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._second_text}.{milliseconds:03d}Z"


def _message(record: logging.LogRecord) -> str:
    request = _failed_request(record)
    if request is not None and record.name == "uvicorn.error" and str(record.msg).startswith(_SERVER_MESSAGE):
        error = record.exc_info[1] if record.exc_info else None
        return _shortened(f"{request.method} {request.route} failed: {_error_text(error)}")
    try:
        return _shortened(record.getMessage())
    except Exception as error:  # noqa: BLE001 - wrong arguments in a log call must not lose the line
        return _shortened(f"{record.msg!s} (its arguments could not be formatted: {error})")


def _add_error(document: dict[str, Any], record: logging.LogRecord) -> None:
    info = _exception(record)
    if info is None:
        if record.stack_info:
            document["error.stack_trace"] = _shortened(record.stack_info)
        return
    kind, error, _ = info
    document["error.type"] = (
        kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    )
    document["error.message"] = _shortened(_error_text(error))
    document["error.stack_trace"] = _shortened(record.exc_text or _FORMATTER.formatException(info), keep_end=True)


def _add_trace(document: dict[str, Any], record: logging.LogRecord) -> None:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        document["trace.id"] = trace.format_trace_id(context.trace_id)
        document["span.id"] = trace.format_span_id(context.span_id)
        return
    request = _failed_request(record)  # the server logs a failure when the request's span is over
    if request is not None and request.trace_id is not None:
        document["trace.id"] = request.trace_id
        document["span.id"] = request.span_id


def _labels(record: logging.LogRecord) -> dict[str, str]:
    given: dict[str, Any] = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    labels = getattr(record, "labels", None)
    if isinstance(labels, Mapping):
        given |= labels
    return {str(key).replace(".", "_"): _label(value) for key, value in given.items() if value is not None}


def _label(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value)


_FORMATTER = logging.Formatter()


def _exception(record: logging.LogRecord) -> _ExcInfo | None:
    info = record.exc_info
    return info if info is not None and info[0] is not None and info[1] is not None else None


def _failed_request(record: logging.LogRecord) -> FailedRequest | None:
    return failed_request(record.exc_info[1]) if record.exc_info else None


def _error_text(error: BaseException | None) -> str:
    try:
        return str(error) or type(error).__qualname__
    except Exception:  # noqa: BLE001 - an exception whose own text raises
        return type(error).__qualname__


def _shortened(text: str, *, keep_end: bool = False) -> str:
    """At most `_MOST_CHARACTERS` of the text, from its beginning, or from its end (where a stack trace says what)."""
    text = text.rstrip("\n")
    cut = len(text) - _MOST_CHARACTERS
    if cut <= 0:
        return text
    mark = f"… [{cut} characters cut] …"
    return mark + text[cut:] if keep_end else text[:-cut] + mark


def _dumps(value: object) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):  # lone surrogates, huge integers, cycles
        return orjson.dumps(_plain(value, depth=8))


def _plain(value: object, *, depth: int) -> object:
    """`value` in what JSON can always say."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    if isinstance(value, Mapping) and depth:
        return {_plain(str(key), depth=0): _plain(item, depth=depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and depth:
        return [_plain(item, depth=depth - 1) for item in value]
    return _plain(_text(value), depth=0)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value whose own text raises
        return f"<{type(value).__qualname__}>"
