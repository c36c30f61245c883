"""What was read of a stream and not handed over yet: half a line, and text that may go on in the next line."""

from datetime import datetime

from sereno_collectors.logs.inputs.files.events import MOST_LINES, events_of, without_last
from sereno_collectors.logs.model import Chunk, Origin

LONGEST_EVENT_BYTES = 1024 * 1024
"""A longer line is taken in pieces, and longer text in several events: nothing can fill the memory, nothing is lost."""


class EventBuffer:
    """Bytes of one stream go in, chunks of whole events come out, in order and without a gap.

    Args:
        origin: of the stream.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._offset = 0
        self._lines: list[bytes] = []
        self._rest = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken."""
        return not self._lines and not self._rest

    def feed(self, data: bytes) -> None:
        """Add what was read."""
        self._rest += data
        if b"\n" in data:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._lines += lines
            self._rest = bytearray(rest)

    def take(self, read_at: datetime, *, settled: bool = False, ended: bool = False) -> tuple[Chunk, ...]:
        """The events that are whole: none or one chunk.

        With `settled` also a last one that might go on in the next line; with `ended` also a line without an end.
        """
        lines = self._lines
        unended = bool(self._rest) and (ended or len(self._rest) >= LONGEST_EVENT_BYTES)
        if unended:
            lines = [*lines, bytes(self._rest)]
            self._rest = bytearray()
        if not lines:
            return ()
        events, is_open = events_of(lines, self._origin.format)
        self._lines = []
        if is_open and not (settled or ended or unended):
            events = self._hold_back_last(lines, events)
        if not events:
            return ()
        chunk = Chunk(self._origin, self._offset, tuple(events), read_at)
        self._offset += sum(map(len, events)) + len(events) - unended
        return (chunk,)

    def _hold_back_last(self, lines: list[bytes], events: list[bytes]) -> list[bytes]:
        """The events but the last, whose lines (and blank ones behind it) wait for what may come."""
        complete = without_last(events)
        held = events[len(complete) :]
        lines_held = len(lines) - sum(event.count(b"\n") + 1 for event in complete)
        # Held lines are looked at again with every read: a stream of blank ones would take hours.
        if lines_held >= MOST_LINES or sum(map(len, held)) + len(held) >= LONGEST_EVENT_BYTES:
            return events
        self._lines = lines[-lines_held:]
        return complete
