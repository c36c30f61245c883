"""Errors in JSON lines, as loggers of several languages nest them, become `error.type`, `.message`, `.stack_trace`."""

from collections.abc import Mapping, MutableSet
from typing import Any, Final

from sereno_backends.logs.ecs import lookup

from sereno_collectors.logs.parsing.formats.traces import error_in

_OBJECTS: Final = ("err", "error", "exception", "thrown")
_STACKS: Final = ("stack", "stacktrace", "stack_trace", "exc_info", "exception", "@x", "full_message")
_TYPES: Final = ("type", "name", "class", "exc_type")
_MESSAGES: Final = ("message", "msg", "exc_value")
_INNER_STACKS: Final = ("stack", "stacktrace", "stack_trace")


def error_fields(found: Mapping[str, Any], names: Mapping[str, str], gone: MutableSet[str]) -> dict[str, str]:
    """The fields `error.*`; the names that they came from are put into `gone`.

    Args:
        found: the JSON object.
        names: its names by what they are in lower case.
        gone: the names that are understood.
    """
    if any(lookup(found, f"error.{part}") is not None for part in ("type", "stack_trace")):
        return {}
    fields: dict[str, str] = {}
    for name in (names[each] for each in _OBJECTS if each in names):
        value = found[name]
        first = value[0] if isinstance(value, list) and value else value  # structlog's list of causes
        said = _of_object(first) if isinstance(first, Mapping) else {}
        if isinstance(value, str) and name.lower() in ("error", "err") and value.strip():
            said = {"error.message": value}
        if said:
            gone.add(name)
            fields = said | fields
    for name in (names[each] for each in _STACKS if each in names):
        stack = found[name]
        if isinstance(stack, str) and "error.stack_trace" not in fields and "\n" in stack:
            gone.add(name)
            fields = _of_stack(stack) | fields
    return fields


def _of_object(error: Mapping[str, Any]) -> dict[str, str]:
    said = {
        "error.type": _first(error, _TYPES),
        "error.message": _first(error, _MESSAGES),
        "error.stack_trace": _first(error, _INNER_STACKS),
    }
    known = {name: text for name, text in said.items() if text is not None}
    return known if "error.message" in known or "error.stack_trace" in known else {}


def _of_stack(stack: str) -> dict[str, str]:
    found = error_in(stack)
    named = {} if found is None else found[1]
    return {**named, "error.stack_trace": stack}


def _first(error: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := error.get(name), str) and value), None)
