"""Stack traces: what was raised, with which message; Python, Java, Node, .NET and Go."""

import re
from typing import Final

DEFAULT_LEVEL: Final = "error"
MOST_MESSAGE_CHARACTERS: Final = 8_192

_PYTHON: Final = "Traceback (most recent call last):"
_TYPE = r"(?P<type>[A-Za-z_$][\w$]*(?:[.+/:]{1,2}[A-Za-z_$][\w$]*)*)"
_RAISED = re.compile(rf"{_TYPE}(?::(?: (?P<message>.*))?)?$")
"""The last line of a Python trace."""
_THROWN = re.compile(
    rf"(?:Unhandled exception\. |Uncaught |Exception in thread \"[^\"]{{0,200}}\" )?{_TYPE}(?:: (?P<message>.*))?$"
)
"""The first line of traces of the JVM, Node and .NET."""
_FRAME = re.compile(r"\s{1,16}(?:at |---> |\.{3} \d)|\s{0,8}Caused by: ")
_MOST_HEAD_CHARACTERS = 4_096
"""A longer line is no name of an exception."""


def with_trace(message: str) -> dict[str, str]:
    """A message as fields; a stack trace in it becomes `error.*`, and the level is error where nothing else is said."""
    found = error_in(message) if "\n" in message else None
    if found is None:
        return {"message": message}
    start, error = found
    before = message[:start].rstrip() or error.get("error.message") or error.get("error.type") or message
    return {"message": before, "log.level": DEFAULT_LEVEL, **error}


def error_in(text: str) -> tuple[int, dict[str, str]] | None:
    """Where in a text a stack trace begins, and the fields `error.*` that it makes; None where there is no trace."""
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        raised = _begun(lines, number)
        if raised is not None:
            kind, message = raised
            trace = text[start:]
            fields = {"error.type": kind, "error.message": message, "error.stack_trace": trace}
            return start, {name: value for name, value in fields.items() if value}
        start += len(line) + 1
    return None


def _begun(lines: list[str], number: int) -> tuple[str, str] | None:
    """Type and message of the trace that begins with this line; None where none does."""
    line = lines[number].rstrip("\r")
    following = lines[number + 1] if number + 1 < len(lines) else ""
    if line.strip() == _PYTHON:
        return _python(lines, number)
    if line.startswith("panic: "):
        rest = lines[number + 1 : number + 8]
        return ("panic", _cut(line[7:])) if any(each.startswith("goroutine ") for each in rest) else None
    if len(line) > _MOST_HEAD_CHARACTERS or _FRAME.match(following) is None:
        return None
    match = _THROWN.match(line)
    return None if match is None else (match["type"], _cut(match["message"] or ""))


def _python(lines: list[str], number: int) -> tuple[str, str] | None:
    """The last exception of a Python trace: the one that reached the top."""
    indentation = len(lines[number]) - len(lines[number].lstrip())
    for index in range(len(lines) - 1, number, -1):
        line = lines[index][indentation:].rstrip("\r")
        before = lines[index - 1][indentation:]
        match = _RAISED.match(line) if len(line) <= _MOST_HEAD_CHARACTERS and before.startswith(" ") else None
        if match is not None:
            message = "\n".join([match["message"] or "", *(each for each in lines[index + 1 :] if each.strip())])
            return match["type"], _cut(message.strip())
    return ("", "") if number + 1 < len(lines) else None


def _cut(message: str) -> str:
    return message[:MOST_MESSAGE_CHARACTERS]
