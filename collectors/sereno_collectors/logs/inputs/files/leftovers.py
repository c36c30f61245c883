"""Rotated files that were compressed before they were read to their end, as after a stop of the collector."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from sereno_collectors.logs.inputs.files.content import CompressedContent, continues
from sereno_collectors.logs.inputs.files.rotation import FileOnDisk, compressed_siblings
from sereno_collectors.logs.model import Position

PATIENCE_SECONDS = 60.0
"""How long a file whose end is missing is waited for after its last growth; then its writer is taken for dead."""
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Leftover:
    """A compressed file as it was found."""

    file: FileOnDisk
    size: int
    """Bytes of its content that can be read."""
    fault: str | None
    holds: frozenset[str]
    """Sources of the positions up to which it has what was read there."""


class Leftovers:
    """The compressed files beside a followed path; a file whose end is missing is waited for.

    Args:
        path: the followed path.
        monotonic: seconds that only grow.
    """

    def __init__(self, path: str, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._growing: dict[str, tuple[FileOnDisk, float]] = {}
        self.is_waiting = False
        """Whether the last look found a file whose end is missing, and which is waited for."""

    def continuation(self, position: Position) -> Leftover | None:
        """The oldest compressed file that holds what was read up to the position; None also where one is waited for."""
        self.is_waiting = False
        # Whoever compresses gives the original's time on, some in whole seconds only.
        young = (
            file
            for file in compressed_siblings(self._path)
            if file.modified_ns // SECOND_NS >= position.modified_ns // SECOND_NS
        )
        if position.offset == 0:  # every file begins alike with nothing
            young = (file for file in young if file.inode == position.inode)
        examined = self._examined(young, [position])
        return next((found for found in examined if position.source in found.holds or position.offset == 0), None)

    def unread(self, known: Sequence[Position]) -> tuple[Leftover, ...]:
        """Those that came and went while no collector ran: younger than all that was read, and nothing of it."""
        self.is_waiting = False
        newest_ns = max((position.modified_ns for position in known), default=0)
        inodes = {position.inode for position in known if not position.finished}
        young = (
            file
            for file in compressed_siblings(self._path)
            if file.modified_ns >= newest_ns and file.inode not in inodes
        )
        return tuple(found for found in self._examined(young, known) if not found.holds and found.size)

    def _examined(self, files: Iterable[FileOnDisk], positions: Sequence[Position]) -> Iterator[Leftover]:
        for file in files:
            if self._is_growing(file):
                self.is_waiting = True
                continue
            with suppress(OSError):  # it has gone, or is not for us
                content = CompressedContent(file.path)
                with closing(content):
                    found = _examined(file, content, positions)
                if content.is_cut_off and file.path not in self._growing:
                    self._growing[file.path] = (file, self._monotonic())
                    self.is_waiting = True
                    continue
                yield found

    def _is_growing(self, file: FileOnDisk) -> bool:
        """Whether the end of a file was missing, and may still come."""
        if file.path not in self._growing:
            return False
        before, since = self._growing[file.path]
        if before != file:
            del self._growing[file.path]
            return False
        return self._monotonic() - since < PATIENCE_SECONDS


def _examined(file: FileOnDisk, content: CompressedContent, positions: Sequence[Position]) -> Leftover:
    """What a file holds of what was read; it is unpacked once, from front to back."""
    ascending = sorted((position for position in positions if position.offset), key=lambda position: position.offset)
    holds = frozenset(position.source for position in ascending if continues(content, position))
    return Leftover(file, content.size, content.fault, holds)
