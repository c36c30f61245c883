"""Which lines of a file belong together: one rule for every input and format, on a line and the one before it.

Stack traces of Python, Java, Go, Node and .NET are held together with the line that announces them; lines of JSON
stand alone, whatever comes after them.
"""

import re
from string import ascii_letters

from sereno_collectors.logs.model import Format

_INDENTATION = (b" ", b"\t")
_MAY_CONTINUE = frozenset(bytes([byte]) for byte in b" \t\r\n\v\f}]).-[_$*" + ascii_letters.encode()) | {b""}
"""First bytes of lines that may continue an event; all others begin one."""

_CONTINUATION = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|(?:Caused by|Suppressed|Wrapped by|\[Previous line repeated)\b"
    rb"|(?:During handling of the above exception|The above exception was the direct cause)\b"
    rb"|\.{3} \d+ (?:more|common frames omitted|lines matching)"
    rb"|-{3}(?:>| End of)"
    rb"|goroutine \d+ \["
    rb"|\[signal |created by \S+|exit status \d+$|Node\.js v\d"
    rb"|[\])}]+[\]){}(;,. ]*$"  # closes what was opened before
    # A function of a Go panic: `net/http.(*conn).serve(0xc0001, {0x7f…})`; only one way leads through the pattern.
    rb"|(?:[\w./*()~-]*\(|[\w./*)~-])[\w/*)~-]*\.[^\s(]+\([\w{}?., ]*\)$"
)

_EXCEPTION = re.compile(
    rb"(?P<package>(?:[A-Za-z_$][\w$]*\.)*)"
    rb"[\w$]*(?:Error|Exception|Warning|Failure|Fault|Timeout|Interrupt|Exit|NotFound|Denied|Refused|DoesNotExist"
    rb"|Throwable|ExceptionGroup)(?:: |:?$)"
)
"""`ValueError: …`, `java.lang.IllegalStateException`: the end of a Python trace, the beginning of a Java one."""

_MOST_EXAMINED_BYTES = 512
"""A line's end is not looked for beyond it: no line can make the patterns slow."""

_CRI = re.compile(rb"\d{4}-\S{15,31} (?P<stream>stdout|stderr) (?P<flag>[FP])(?: |$)")
"""What containerd and CRI-O put before a line, or before a part (P) of one that is too long for them."""

_FRAME = re.compile(rb"\s+(?:at |\.{3} \d+ )")


def begins_event(line: bytes, format: Format, previous: bytes = b"") -> bool:  # noqa: A002 - the model's own word
    r"""Whether a line is the first of an event; otherwise it belongs to the event before it.

    Args:
        line: without its end; a `\r` does not matter.
        format: of the input. JSON is told from the rest by its first byte, so that the trace of a crash is held
            together in a file of JSON, too.
        previous: the line before it, where the reader has it. Without it, `{…}` followed by a trace is taken for one
            event (parsing takes it apart again), and two traces without a word between them for one.
    """
    if format is Format.CRI and (runtime := _CRI.match(line)) is not None:
        return _begins_behind(runtime, line, previous)
    first = line[:1]
    if first == b"{" or first not in _MAY_CONTINUE:
        return True
    line = line[:_MOST_EXAMINED_BYTES].rstrip()
    return bool(line) and (_is_whole_json(previous) or not _continues(line, format, previous))


def _begins_behind(runtime: re.Match[bytes], line: bytes, previous: bytes) -> bool:
    """Whether a line of a container runtime begins an event: by what the program wrote, on its own stream."""
    before = _CRI.match(previous)
    if before is None or before["stream"] != runtime["stream"]:
        return True
    if before["flag"] == b"P":
        return False
    return begins_event(line[runtime.end() :], Format.AUTO, previous[before.end() :])


def _continues(line: bytes, format: Format, previous: bytes) -> bool:  # noqa: A002
    if line.startswith(_INDENTATION) or _CONTINUATION.match(line):
        return True
    exception = _EXCEPTION.match(line)
    return exception is not None and _is_awaited(exception, format, previous)


def _is_awaited(exception: re.Match[bytes], format: Format, previous: bytes) -> bool:  # noqa: A002
    """Whether the line before lets one expect an exception's name and message.

    A Python trace ends with it, after indented lines; a Java trace begins with it (always with its package), after the
    line that the logger wrote. After a frame (`at …`) it is another trace. Without the line before, it is expected.
    """
    if not previous:
        return format is not Format.LOGFMT
    if previous.startswith(_INDENTATION):
        return _FRAME.match(previous) is None
    return bool(exception["package"]) or not previous.strip()


def _is_whole_json(line: bytes) -> bool:
    return line[:1] == b"{" and line.rstrip()[-1:] == b"}"
