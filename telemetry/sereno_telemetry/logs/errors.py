"""Exceptions as ECS `error.*`, in bounded time: chains, groups and notes included."""

import logging
import traceback
from itertools import islice
from types import TracebackType
from typing import Final

from sereno_telemetry.logs.values import Values, text_of

MOST_TRACE_CHARACTERS: Final = 32_768
MOST_ERROR_CHARACTERS: Final = 8_192
MOST_EXCEPTIONS: Final = 50
"""Of a chain or a group: with more of them only the last ones are told, without their notes."""
MOST_FRAMES: Final = 100
"""Of each exception, the innermost ones."""

_LAST_EXCEPTIONS = 5

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
        "error.stack_trace": values.text(_stack_trace(error, trace), MOST_TRACE_CHARACTERS, keep_end=True).rstrip("\n"),
    }


def type_name(kind: type[BaseException]) -> str:
    """The name of an exception's type with its module, which built-in ones don't have."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def error_text(error: BaseException | None) -> str:
    """What an exception says, or its type if it says nothing: never empty, so that messages can be counted."""
    try:
        return str(error) or type(error).__qualname__
    except Exception:  # noqa: BLE001 - an exception whose own text raises
        return type(error).__qualname__


def _stack_trace(error: BaseException, trace: TracebackType | None) -> str:
    try:
        if _is_vast(error):
            return _last_of_chain(error)
        limit = -MOST_FRAMES if trace is not None else None
        return "".join(traceback.format_exception(type(error), error, trace, limit=limit))
    except Exception as problem:  # noqa: BLE001 - a source file, a note or a text that can't be read
        return f"{type_name(type(error))}: {error_text(error)} (its stack trace can't be told: {text_of(problem)})"


def _is_vast(error: BaseException) -> bool:
    """Whether formatting the whole chain or group would take long."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if len(seen) > MOST_EXCEPTIONS:
            return True
        waiting += [linked for linked in (each.__cause__, each.__context__) if linked is not None]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions[: MOST_EXCEPTIONS + 1]
    return False


def _last_of_chain(error: BaseException) -> str:
    told: list[str] = []
    each: BaseException | None = error
    while each is not None and len(told) < _LAST_EXCEPTIONS:
        frames = traceback.format_list(traceback.extract_tb(each.__traceback__, limit=-MOST_FRAMES))
        members = _members(each) if isinstance(each, BaseExceptionGroup) else ""
        trace = "".join(frames)
        told.append(
            f"Traceback (most recent call last):\n{trace}{type_name(type(each))}: {error_text(each)}\n{members}"
        )
        each = each.__cause__ or each.__context__
    head = ["… [earlier exceptions left out] …\n"] if each is not None else []
    return "\n".join([*head, *reversed(told)])


def _members(group: BaseExceptionGroup[BaseException]) -> str:
    first = islice(group.exceptions, _LAST_EXCEPTIONS)
    told = "".join(f"  | {type_name(type(each))}: {error_text(each)}\n" for each in first)
    return f"{told}  | … [{len(group.exceptions)} exceptions in this group] …\n"
