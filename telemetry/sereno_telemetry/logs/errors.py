"""Exceptions as ECS `error.*`, in bounded time: chains, groups and notes included."""

import logging
from types import TracebackType
from typing import Final

from sereno_telemetry.logs.stack_traces import error_text, stack_trace, type_name
from sereno_telemetry.logs.values import Values

MOST_TRACE_CHARACTERS: Final = 32_768
MOST_ERROR_CHARACTERS: Final = 8_192
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def exception_of(record: logging.LogRecord) -> ExcInfo | None:
    """The exception that a record is about."""
    info = record.exc_info
    if not isinstance(info, tuple) or len(info) != 3:  # noqa: PLR2004 - type, value, traceback
        return None
    return info if isinstance(info[0], type) and isinstance(info[1], BaseException) else None


def error_fields(record: logging.LogRecord, values: Values) -> dict[str, object]:
    """`error.type`, `error.message` and `error.stack_trace` of a record, as far as it has them."""
    info = exception_of(record)
    if info is None:
        stack = record.exc_text or record.stack_info
        return {"error.stack_trace": values.text(str(stack), MOST_TRACE_CHARACTERS, keep_end=True)} if stack else {}
    kind, error, trace = info
    return {
        "error.type": values.text(type_name(kind), 256),
        "error.message": values.text(error_text(error), MOST_ERROR_CHARACTERS),
        "error.stack_trace": values.text(stack_trace(error, trace), MOST_TRACE_CHARACTERS, keep_end=True).rstrip("\n"),
    }
