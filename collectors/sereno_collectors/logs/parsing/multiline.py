"""Which lines of a file belong together: one rule for every input and format, on a line and the one before it.

Stack traces of Python, Java, Go, Node and .NET are held together with the line that announces them; lines of JSON
stand alone, whatever comes after them.
"""

import re

from sereno_collectors.logs.model import Format

_BLANK = b" \t\r\n\v\f"
_INDENTATION = frozenset(b" \t")
_CLOSING = frozenset(b"}])")
_NEEDS_A_LOOK = frozenset(b"}]).-[_$" + bytes(range(ord("A"), ord("Z") + 1)) + bytes(range(ord("a"), ord("z") + 1)))
"""First bytes of unindented lines that may continue an event; all others begin one."""

_CONTINUES = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|(?:Caused by|Suppressed|Wrapped by|\[Previous line repeated)\b"
    rb"|(?:During handling of the above exception|The above exception was the direct cause)\b"
    rb"|\.{3} \d+ (?:more|common frames omitted|lines matching)"
    rb"|-{3}(?:>| End of)"
    rb"|goroutine \d+ \["
    rb"|\[signal |created by \S+|exit status \d+$|Node\.js v\d"
    rb"|[\w./*()~-]+\.[^\s(]+\([\w{}?., ]*\)$"  # a function of a Go panic
)
_CLOSING_ONLY = re.compile(rb"[\])}]+[\]){}(;,. ]*$")

_EXCEPTION = re.compile(
    rb"(?P<package>(?:[A-Za-z_$][\w$]*\.)*)"
    rb"[\w$]*(?:Error|Exception|Warning|Failure|Fault|Timeout|Interrupt|Exit|NotFound|Denied|Refused|DoesNotExist"
    rb"|Throwable|ExceptionGroup)(?:: |:?$)"
)
"""`ValueError: …`, `java.lang.IllegalStateException`: the end of a Python trace, the beginning of a Java one."""

_MOST_EXAMINED_BYTES = 1_024
"""A line's end is not looked for beyond it: no line can make the patterns slow."""

_FRAME = re.compile(rb"\s+(?:at |\.{3} \d+ )")


def begins_event(line: bytes, format: Format, previous: bytes = b"") -> bool:  # noqa: A002 - the model's own word
    """Whether a line is the first of an event; otherwise it belongs to the event before it.

    Args:
        line: without its end; a `\\r` does not matter.
        format: of the input. JSON is told from the rest by its first byte, so that the trace of a crash is held
            together in a file of JSON, too.
        previous: the line before it, where the reader has it. Without it, `{…}` followed by a trace is taken for one
            event (parsing takes it apart again), and two traces without a word between them for one.
    """
    if not line:
        return False
    first = line[0]
    if first == 0x7B:  # `{`
        return True
    if first in _INDENTATION:
        return _is_whole_json(previous) and bool(line.strip(_BLANK))
    if first not in _NEEDS_A_LOOK:
        return bool(line.strip(_BLANK))
    if _is_whole_json(previous):
        return True
    line = line[:_MOST_EXAMINED_BYTES].rstrip(_BLANK)
    if first in _CLOSING:
        return _CLOSING_ONLY.match(line) is None
    if _CONTINUES.match(line):
        return False
    exception = _EXCEPTION.match(line)
    return exception is None or not _is_awaited(exception, format, previous)


def _is_awaited(exception: re.Match[bytes], format: Format, previous: bytes) -> bool:  # noqa: A002
    """Whether the line before lets one expect an exception's name and message.

    A Python trace ends with it, after indented lines; a Java trace begins with it (always with its package), after the
    line that the logger wrote. After a frame (`at …`) it is another trace. Without the line before, it is expected.
    """
    if not previous:
        return format is not Format.LOGFMT
    if previous[0] in _INDENTATION:
        return _FRAME.match(previous) is None
    return bool(exception["package"]) or not previous.strip(_BLANK)


def _is_whole_json(line: bytes) -> bool:
    return line[:1] == b"{" and line.rstrip(_BLANK)[-1:] == b"}"
