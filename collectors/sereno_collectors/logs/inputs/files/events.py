"""From lines to events: a traceback is one event with the line that announces it; pure."""

from collections.abc import Sequence

import orjson

from sereno_collectors.logs.model import Format
from sereno_collectors.logs.parsing.multiline import begins_event

MOST_LINES = 1_000
"""Of one event; what goes on longer is cut into several."""

_JSON = b"{"


def events_of(lines: Sequence[bytes], format: Format) -> tuple[list[bytes], bool]:  # noqa: A002 - the model's own word
    """The events that the lines make, and whether the next line may continue the last of them."""
    if all(line[:1] == _JSON for line in lines):
        return list(lines), False
    events: list[bytes] = []
    group: list[bytes] = []
    for line in lines:
        if group and (len(group) >= MOST_LINES or begins_event(line, format, group[-1])):
            events.extend(_closed(group))
            group = []
        group.append(line)
    events.extend(_closed(group))
    return events, group[0][:1] != _JSON


def without_last(events: Sequence[bytes]) -> list[bytes]:
    """The events before the last that is not blank: blank lines behind it may be part of it yet."""
    last = len(events) - 1
    while last > 0 and not events[last].strip():
        last -= 1
    return list(events[: max(0, last)])


def _closed(group: list[bytes]) -> list[bytes]:
    """The event of these lines; blank lines behind it are no part of it."""
    last = len(group)
    while last > 1 and not group[last - 1].strip():
        last -= 1
    return [b"\n".join(group[:last]), *group[last:]]


def is_whole(unfinished_line: bytes) -> bool:
    """Whether a line without an end can be taken for a whole one."""
    if not unfinished_line.lstrip().startswith(b"{"):
        return True
    try:
        orjson.loads(unfinished_line)
    except orjson.JSONDecodeError:
        return False
    return True
