"""One followed path, over all the files that it names one after another."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sereno_collectors.logs.inputs.files.content import PlainContent, open_content
from sereno_collectors.logs.inputs.files.events import is_whole
from sereno_collectors.logs.inputs.files.followed_file import FollowedFile, Replaced
from sereno_collectors.logs.inputs.files.leftovers import Leftover, Leftovers
from sereno_collectors.logs.inputs.files.rotation import (
    FileOnDisk,
    continuation,
    file_at,
    position_in,
    renamed,
    rotated_siblings,
    unread,
)
from sereno_collectors.logs.model import Chunk, Origin, Position

LINGER_SECONDS = 60.0
"""How long a rotated file is kept open after its last growth: its writer changes over in its own time."""
MOST_LAST_EVENTS = 10_000
NO_INODE = 0
"""Of a file that is not found yet; no file system has it."""
REMEMBERED = 32
"""Finished files whose inodes are remembered; a file system gives the inode of a deleted file away again."""


class Tail:
    """Follows one path: the file that is there, and those rotated away until they are read to their end.

    Args:
        path: absolute path.
        known: where earlier runs stood in files of this path.
        monotonic: seconds that only grow.
        report: takes what a person should know, one sentence each.
        origin: of the path; its identity is that of each file which the path names.
    """

    def __init__(
        self,
        path: str,
        known: Sequence[Position],
        *,
        origin: Origin,
        monotonic: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self.path = path
        self._origin = origin
        self._monotonic = monotonic
        self._report = report
        self._finished = [position for position in known if position.finished]
        self._unfinished = [position for position in known if not position.finished]
        self._open: list[FollowedFile] = []
        self._inode_at_path: int | None = None
        self._complaints: dict[str, str] = {}
        self._leftovers = Leftovers(path, monotonic)
        self._seeks_leftovers = bool(known)

    @property
    def positions(self) -> tuple[Position, ...]:
        """Where every file stands, those read to their end included."""
        return (*self._finished, *self._unfinished, *(file.position for file in self._open))

    @property
    def is_behind(self) -> bool:
        """Whether something that stands in files is held back, or is waited for, and is not read yet."""
        waits = any(file.waits_for_more for file in self._open)
        return waits or bool(self._unfinished) or self._leftovers.is_waiting

    def sizes(self) -> dict[str, int]:
        """Bytes in each open file, by its source."""
        sizes: dict[str, int] = {}
        for file in self._open:
            with suppress(OSError):  # a network drive that is gone; reading will tell
                sizes[file.position.source] = file.size
        return sizes

    def close(self) -> None:
        """Close all files; the positions stay."""
        for file in self._open:
            file.close()

    def look(self) -> None:
        """Find out what the path names now, and open what is new, so that deleting it can't lose it any more."""
        try:
            at_path = file_at(self.path)
        except OSError as error:
            self._complain(self.path, f"{self.path}: can't be read: {error.strerror}")
            return
        inode = at_path.inode if at_path else None
        seeks = self._unfinished or self._seeks_leftovers
        if at_path is not None and inode == self._inode_at_path and not seeks:
            return
        if self._unfinished:
            self._resume(at_path)
        if self._seeks_leftovers and not self._unfinished:
            self._open_unread_leftovers()
        if inode not in {position.inode for position in self.positions if not position.finished}:
            if self.positions:  # the path has changed hands; perhaps more than once since the last look
                self._follow_replacements()  # a copy is known as one by what was read of the original
                self._open_unread()
            if at_path is not None and not self._open_new(at_path):
                return
        self._inode_at_path = inode
        self._complaints.pop(self.path, None)

    def read(self, most_events: int, most_bytes: int, read_at: datetime, *, ending: bool = False) -> tuple[Chunk, ...]:
        """The next events, of the oldest file first; files rotated away and read to their end are closed.

        With `ending` also events that might go on in the next line. The last chunk may go beyond `most_bytes`.
        """
        chunks: list[Chunk] = []
        left, left_bytes = most_events, most_bytes
        for file in tuple(self._open):
            rotated = file.position.inode != self._inode_at_path
            lingered = rotated and (file.is_final or file.quiet_seconds > LINGER_SECONDS)
            while left > 0 and left_bytes > 0:
                chunk = self._read(file, left, read_at, unfinished=lingered, ending=ending)
                if chunk is None:
                    break
                chunks.append(chunk)
                left -= len(chunk.events)
                left_bytes -= sum(map(len, chunk.events))
            if lingered and file in self._open and self._is_at_end(file):
                self._finish(file)
            if left <= 0 or left_bytes <= 0:
                break
        return tuple(chunks)

    def read_last_events(self, read_at: datetime) -> tuple[Chunk, ...]:
        """What may go on, and lines without an end: taken when nothing more is to come; half a JSON object is left."""
        chunks: list[Chunk] = []
        for file in tuple(self._open):
            while file in self._open:
                chunk = self._read(file, MOST_LAST_EVENTS, read_at, unfinished=self._is_whole(file), ending=True)
                if chunk is None:
                    break
                chunks.append(chunk)
        return tuple(chunks)

    def _read(
        self, file: FollowedFile, most_events: int, read_at: datetime, *, unfinished: bool, ending: bool = False
    ) -> Chunk | None:
        try:
            found = file.read(most_events, read_at, unfinished=unfinished, ending=ending)
        except OSError as error:
            self._set_aside(file, error)
            return None
        if not isinstance(found, Replaced):
            if found is not None:
                self._complaints.pop(file.position.source, None)
            return found
        self._follow_replacement(file)
        return self._read(file, most_events, read_at, unfinished=unfinished, ending=ending)

    def _follow_replacements(self) -> None:
        for file in tuple(self._open):
            try:
                is_replaced = file.is_replaced()
            except OSError as error:
                self._set_aside(file, error)
                continue
            if is_replaced:
                self._follow_replacement(file)

    def _set_aside(self, file: FollowedFile, error: OSError) -> None:
        """It can't be read, as when a network drive is gone: try from its path again."""
        self._complain(file.position.source, f"{self.path}: reading fails: {error.strerror}")
        file.close()
        self._open.remove(file)
        self._unfinished.append(file.position)

    def _is_at_end(self, file: FollowedFile) -> bool:
        try:
            return file.position.offset >= file.size
        except OSError as error:
            self._set_aside(file, error)
            return False

    def _is_whole(self, file: FollowedFile) -> bool:
        """Whether what has no end in a file can be taken for a whole line."""
        try:
            return is_whole(file.unfinished_line().rpartition(b"\n")[2])
        except OSError:  # reading will tell
            return False

    def _follow_replacement(self, file: FollowedFile) -> None:
        """The file was emptied: read it anew, and what was not read of it yet from its copy, if there is one."""
        old = file.position
        copy = continuation(old, self._strangers(rotated_siblings(self.path)))
        if copy is not None:
            self._open_at(copy, replace(old, inode=copy.inode))
        elif (leftover := self._leftovers.continuation(old)) is not None:
            self._open_leftover(leftover, old)
        elif self._leftovers.is_waiting:
            self._unfinished.append(replace(old, inode=NO_INODE))
        self._open_unread()  # it may have been copied and emptied more than once
        self._report(f"{self.path}: was truncated at byte {old.offset} or written anew; reading it from its beginning")
        fresh = _new_position(self.path, old.inode, self.positions)
        file.start_again(fresh, self._origin_of(fresh))

    def _resume(self, at_path: FileOnDisk | None) -> None:
        """Open the files that an earlier run had not read to their end, wherever rotation has put them."""
        here = (*rotated_siblings(self.path), *([at_path] if at_path else []))
        for position in tuple(self._unfinished):
            same = next((file for file in here if file.inode == position.inode), None)
            # A restored or copied folder: other inodes, the same bytes.
            found = same or continuation(position, self._strangers(here)) or renamed(position, self.path)
            leftover = self._leftovers.continuation(position) if found is None else None
            if leftover is not None:
                if not self._open_leftover(leftover, position):
                    continue
            elif found is None and (self._leftovers.is_waiting or at_path is None):
                continue  # it is being compressed, or its whole disk may not be there yet
            elif found is None:
                self._finished.append(replace(position, finished=True))
                self._report(
                    f"{self.path}: the file that was read up to byte {position.offset} is gone; "
                    "lines written to it after that, if any, can't be read"
                )
            elif not self._open_at(found, replace(position, inode=found.inode)):
                continue  # it may be readable at the next look
            self._unfinished.remove(position)
        self._follow_replacements()
        if self._open:
            self._open_unread()

    def _strangers(self, files: Sequence[FileOnDisk]) -> list[FileOnDisk]:
        return [file for file in files if position_in(file, self.positions) is None]

    def _open_unread(self) -> None:
        for file in unread(rotated_siblings(self.path), self.positions):
            self._open_new(file)

    def _open_unread_leftovers(self) -> None:
        """Those of files that nobody read before they were compressed, while no collector ran."""
        for leftover in self._leftovers.unread(self.positions):
            self._open_leftover(leftover, _new_position(self.path, leftover.file.inode, self.positions))
        self._seeks_leftovers = self._leftovers.is_waiting

    def _open_leftover(self, leftover: Leftover, position: Position) -> bool:
        is_open = self._open_at(leftover.file, replace(position, inode=leftover.file.inode), leftover.size)
        if is_open and leftover.fault is not None:
            self._report(
                f"{leftover.file.path}: damaged behind byte {leftover.size} of its content ({leftover.fault}); "
                "lines before that are read, those behind it can't be"
            )
        return is_open

    def _open_new(self, file: FileOnDisk) -> bool:
        finished = position_in(file, self._finished)  # it was rotated back
        if finished is None:
            return self._open_at(file, _new_position(self.path, file.inode, self.positions))
        self._finished.remove(finished)
        return self._open_at(file, replace(finished, finished=False))

    def _open_at(self, file: FileOnDisk, position: Position, size: int | None = None) -> bool:
        try:
            content = PlainContent(file.path) if file.path == self.path else open_content(file.path, size)
            self._open.append(FollowedFile(content, position, self._origin_of(position), self._monotonic))
        except OSError as error:
            self._complain(file.path, f"{file.path}: can't be read: {error.strerror}")
            return False
        self._complaints.pop(file.path, None)
        return True

    def _origin_of(self, position: Position) -> Origin:
        return replace(self._origin, identity=position.source)

    def _complain(self, subject: str, complaint: str) -> None:
        """Report a trouble once, not at each of the looks while it lasts."""
        if complaint != self._complaints.get(subject):
            self._complaints[subject] = complaint
            self._report(complaint)

    def _finish(self, file: FollowedFile) -> None:
        file.close()
        self._open.remove(file)
        self._finished.append(replace(file.position, finished=True))
        del self._finished[:-REMEMBERED]


def _new_position(path: str, inode: int, known: Sequence[Position]) -> Position:
    """The beginning of a file that was not read before."""
    generation = 1 + max((position.generation for position in known if position.inode == inode), default=-1)
    identity = f"{path}\0{inode}\0{generation}"
    source = hashlib.blake2b(identity.encode(errors="surrogateescape"), digest_size=12).hexdigest()
    return Position(path=path, source=source, inode=inode, generation=generation)
