"""One open file: its new lines, and whether it still is the file whose beginning was read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sereno_collectors.logs.inputs.files.content import Content, continues, fingerprint
from sereno_collectors.logs.inputs.files.events import events_of, without_last
from sereno_collectors.logs.inputs.timing import OPEN_EVENT_SECONDS
from sereno_collectors.logs.model import Chunk, Origin, Position

CHUNK_BYTES = 256 * 1024
LONGEST_LINE_BYTES = 1024 * 1024
"""A longer line is taken in pieces of this size: no line can fill the memory, and none is lost."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The file is not the one that was read: it was truncated, or written anew."""


class FollowedFile:
    """A file held open, so that neither renaming nor deleting it loses what is in it; its content is closed with it."""

    def __init__(self, content: Content, position: Position, origin: Origin, monotonic: Callable[[], float]) -> None:
        self._content = content
        self._origin = origin
        self._monotonic = monotonic
        self._fruitless = (-1, 0)  # size and modification time when no whole line was there to read
        self._waits_for_more = False
        self._glimpsed = position  # up to the end of the line that had no end then
        self._grew_at = monotonic()
        self.position = position

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._content.close()

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return self._content.size

    @property
    def is_final(self) -> bool:
        """Whether nothing can be added to it any more."""
        return self._content.is_final

    @property
    def quiet_seconds(self) -> float:
        """How long ago the file last had something new."""
        return self._monotonic() - self._grew_at

    def is_replaced(self) -> bool:
        """Whether it was truncated or written anew since it was read."""
        seen = max(self.position, self._glimpsed, key=lambda position: position.offset)
        return self.size < seen.offset or not continues(self._content, seen)

    def unfinished_line(self) -> bytes:
        """The beginning of a line that has no end yet."""
        return self._content.bytes_at(LONGEST_LINE_BYTES, self.position.offset)

    def start_again(self, position: Position, origin: Origin) -> None:
        """Read what has taken the file's place from its beginning."""
        self.position = position
        self._origin = origin
        self._fruitless = (-1, 0)
        self._glimpsed = position

    @property
    def waits_for_more(self) -> bool:
        """Whether an event was there to read that the next line may continue, and which is held back for it."""
        return self._waits_for_more

    def read(
        self, most_events: int, read_at: datetime, *, unfinished: bool = False, ending: bool = False
    ) -> Chunk | Replaced | None:
        """The next events; the position moves behind them.

        With `ending` also a last one that might go on; with `unfinished` also a last line that has no end.
        """
        size, modified_ns = looks = (self._content.size, self._content.modified_ns)
        settled = ending or self.quiet_seconds >= OPEN_EVENT_SECONDS
        if looks == self._fruitless and not unfinished and not (self._waits_for_more and settled):
            return None
        if self.is_replaced():
            return Replaced()
        events, length = self._next_events(most_events, unfinished=unfinished, settled=settled)
        if not events:
            if looks != self._fruitless:
                self._grew_at = self._monotonic()
            self._fruitless = looks
            self._glimpsed = self._position_at(size)
            return None
        self._grew_at = self._monotonic()
        return self._advance(events, length, read_at, modified_ns)

    def _next_events(self, most_events: int, *, unfinished: bool, settled: bool) -> tuple[list[bytes], int]:
        """The next events without their ends, and how many bytes they take in the file."""
        asked = CHUNK_BYTES
        data = self._content.bytes_at(asked, self.position.offset)
        if len(data) == asked and b"\n" not in data:
            asked = LONGEST_LINE_BYTES
            data = self._content.bytes_at(asked, self.position.offset)
        lines = data.split(b"\n")
        rest = lines.pop()
        too_long = not lines and len(data) == asked
        last = unfinished and len(data) < asked
        takes_rest = bool(rest) and (too_long or last)
        events, is_open = events_of([*lines, rest] if takes_rest else lines, self._origin.format)
        # What continues the last event may come yet, or follows in the file already.
        more_follows = len(data) == asked
        waits = is_open and not too_long and (more_follows or not (settled or unfinished))
        self._waits_for_more = waits
        if waits:
            complete = without_last(events)
            # An event that fills all that was read is cut: else nothing would ever get past it.
            events = events if more_follows and not complete else complete
        events = events[:most_events]
        # The last line's end is one byte, which a line without one doesn't have.
        return events, min(len(data), sum(map(len, events)) + len(events))

    def _advance(self, events: list[bytes], length: int, read_at: datetime, modified_ns: int) -> Chunk:
        offset = self.position.offset
        self.position = replace(self._position_at(offset + length), modified_ns=modified_ns)
        return Chunk(self._origin, offset, tuple(events), read_at)

    def _position_at(self, offset: int) -> Position:
        return replace(self.position, offset=offset, tail=fingerprint(self._content, offset))
