"""What container runtimes put around the lines of programs: Docker's json-file, and CRI (containerd, CRI-O)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sereno_collectors.logs.parsing.formats.times import ISO, moment_in, moment_of
from sereno_collectors.logs.parsing.formats.values import ReadingContext

_DOCKER_NAMES: Final = frozenset({"log", "stream", "time", "attrs"})
_STREAMS: Final = ("stdout", "stderr")
_CRI = re.compile(rf"{ISO} (?P<stream>stdout|stderr) (?P<flag>[FP])(?: |$)", re.ASCII)


def docker_line(found: Mapping[str, Any], context: ReadingContext) -> tuple[str, str, datetime | None] | None:
    """The program's line, the stream and the runtime's time of a json-file line; None of any other object."""
    line, stream = found.get("log"), found.get("stream")
    if not (isinstance(line, str) and stream in _STREAMS and "time" in found and _DOCKER_NAMES.issuperset(found)):
        return None
    return line.rstrip("\r\n"), stream, moment_in(found["time"], context)


def cri_event(text: str, context: ReadingContext) -> tuple[str, str, datetime | None] | None:
    """The program's lines, the stream and the time of the first, of an event of CRI lines; partial lines are joined."""
    first = _CRI.match(text)
    if first is None:
        return None
    parts: list[str] = []
    is_partial = True
    for line in text.split("\n"):
        match = _CRI.match(line)
        if not is_partial:
            parts.append("\n")
        parts.append(line if match is None else line[match.end() :])
        is_partial = match is not None and match["flag"] == "P"
    return "".join(parts), first["stream"], moment_of(first, context)
