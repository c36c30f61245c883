"""One open file: its new lines, and whether it still is the file whose beginning was read."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sereno_collectors.logs.batch import Line, Position

CHUNK_BYTES = 256 * 1024
LONGEST_LINE_BYTES = 1024 * 1024
"""A longer line is taken in pieces of this size: no line can fill the memory, and none is lost."""
TAIL_BYTES = 64


@dataclass(frozen=True, slots=True)
class Replaced:
    """The file is not the one that was read: it was truncated, or written anew."""


class FollowedFile:
    """A file held open by its descriptor, so that neither renaming nor deleting it loses what is in it."""

    def __init__(self, opened_path: str, position: Position, monotonic: Callable[[], float]) -> None:
        self._file = Path(opened_path).open("rb", buffering=0)  # noqa: SIM115 - held open as long as this lives
        self._descriptor = self._file.fileno()
        self._monotonic = monotonic
        self._fruitless = (-1, 0)  # size and modification time when no whole line was there to read
        self._glimpsed = position  # up to the end of the line that had no end then
        self._grew_at = monotonic()
        self.position = position

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._descriptor).st_size

    @property
    def quiet_seconds(self) -> float:
        """How long ago the file last had something new."""
        return self._monotonic() - self._grew_at

    def is_replaced(self) -> bool:
        """Whether it was truncated or written anew since it was read."""
        seen = max(self.position, self._glimpsed, key=lambda position: position.offset)
        return self.size < seen.offset or not continues(self._descriptor, seen)

    def unfinished_line(self) -> bytes:
        """The beginning of a line that has no end yet."""
        return os.pread(self._descriptor, LONGEST_LINE_BYTES, self.position.offset)

    def start_again(self, position: Position) -> None:
        """Read what has taken the file's place from its beginning."""
        self.position = position
        self._fruitless = (-1, 0)
        self._glimpsed = position

    def read(self, most_lines: int, read_at: datetime, *, unfinished: bool = False) -> tuple[Line, ...] | Replaced:
        """The next lines; the position moves behind them. With `unfinished` also a last line that has no end."""
        status = os.fstat(self._descriptor)
        looks = (status.st_size, status.st_mtime_ns)
        if looks == self._fruitless and not unfinished:
            return ()
        if self.is_replaced():
            return Replaced()
        contents = self._next_contents(most_lines, unfinished=unfinished)
        if not contents:
            if looks != self._fruitless:
                self._grew_at = self._monotonic()
            self._fruitless = looks
            self._glimpsed = self._position_at(status.st_size)
            return ()
        self._grew_at = self._monotonic()
        return self._advance(contents, read_at, status.st_mtime_ns)

    def _next_contents(self, most_lines: int, *, unfinished: bool) -> list[bytes]:
        """The next lines with their ends, as they stand in the file."""
        asked = CHUNK_BYTES
        data = os.pread(self._descriptor, asked, self.position.offset)
        if len(data) == asked and b"\n" not in data:
            asked = LONGEST_LINE_BYTES
            data = os.pread(self._descriptor, asked, self.position.offset)
        *whole, rest = data.split(b"\n")
        contents = [line + b"\n" for line in whole]
        too_long = not contents and len(data) == asked
        last = unfinished and len(data) < asked
        if rest and (too_long or last):
            contents.append(rest)
        return contents[:most_lines]

    def _advance(self, contents: list[bytes], read_at: datetime, modified_ns: int) -> tuple[Line, ...]:
        position = self.position
        offset = position.offset
        lines: list[Line] = []
        for content in contents:
            lines.append(Line(position.path, position.source, offset, content.rstrip(b"\r\n"), read_at))
            offset += len(content)
        self.position = replace(self._position_at(offset), modified_ns=modified_ns)
        return tuple(lines)

    def _position_at(self, offset: int) -> Position:
        return replace(self.position, offset=offset, tail=fingerprint(self._descriptor, offset))


def fingerprint(descriptor: int, offset: int) -> str:
    """What tells the bytes just before `offset` from others; empty at the beginning of a file."""
    start = max(0, offset - TAIL_BYTES)
    return hashlib.blake2b(os.pread(descriptor, offset - start, start), digest_size=8).hexdigest() if offset else ""


def continues(descriptor: int, position: Position) -> bool:
    """Whether this file has, before the position's offset, what was read there."""
    return fingerprint(descriptor, position.offset) == position.tail
