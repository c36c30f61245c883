"""logfmt: `time=2026-11-25T12:00:00Z level=warn msg="payment refused" order=7`."""

import re
from typing import Any

_PAIR = re.compile(r' *([A-Za-z_@][\w.@/\-]{0,127})=("[^"\\]*(?:\\.[^"\\]*)*"|[^\s"=]*)(?: |$)', re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def pairs_of(line: str) -> dict[str, Any] | None:
    """The pairs of a line that consists of nothing else; None for every other line. Of equal names the last counts."""
    pairs: dict[str, Any] = {}
    place, end = 0, len(line.rstrip())
    while place < end:
        match = _PAIR.match(line, place)
        if match is None:
            return None
        name, value = match.groups()
        pairs[name] = _ESCAPE.sub(_unescaped, value[1:-1]) if value.startswith('"') else value
        place = match.end()
    return pairs or None


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])
