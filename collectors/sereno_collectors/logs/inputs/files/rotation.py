"""What lies on the disk beside a followed file: rotated files, copies of truncated ones."""

import errno
import os
import re
import stat
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sereno_collectors.logs.inputs.files.content import COMPRESSED, PlainContent, continues
from sereno_collectors.logs.model import Position

# app.log.1, app.log.12, app.log-20261122, app.log.2026-11-22_00-00-00: as logrotate and logging.handlers name them.
# Not app.log.bak: a person's copies are no rotation.
_ROTATED = re.compile(r"[.-](\d{1,3}|\d{8}([-_T.]?\d{2,})?|\d{4}-\d{2}-\d{2}([-_T.]\d{2}([-_.:]?\d{2})*)?)")


@dataclass(frozen=True, slots=True)
class FileOnDisk:
    """A regular file as a folder shows it."""

    path: str
    inode: int
    size: int
    modified_ns: int


def file_at(path: str) -> FileOnDisk | None:
    """The file that a path names now; None when it names none.

    Raises:
        OSError: it can't be told: a folder on the way is closed, a link goes in circles; or it is no regular file,
            and opening a pipe would wait for ever.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - called several times a second: no Path objects
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return FileOnDisk(path, status.st_ino, status.st_size, status.st_mtime_ns)


def rotated_siblings(path: str) -> tuple[FileOnDisk, ...]:
    """The files beside `path` that rotation can have made of it, oldest first; compressed ones are not among them."""
    return _siblings(path, ("",))


def compressed_siblings(path: str) -> tuple[FileOnDisk, ...]:
    """The compressed files beside `path` that rotation can have made of it, oldest first."""
    return _siblings(path, COMPRESSED)


def _is_rotation(rest: str, ending: str) -> bool:
    return rest.endswith(ending) and _ROTATED.fullmatch(rest.removesuffix(ending)) is not None


def _siblings(path: str, endings: tuple[str, ...]) -> tuple[FileOnDisk, ...]:
    # Where the path is a link, as in Kubernetes, its target is what is rotated.
    names = (name for followed in dict.fromkeys((path, os.path.realpath(path))) for name in _beside(followed, endings))
    found = (_regular_file(name) for name in names)
    return tuple(sorted((file for file in found if file is not None), key=lambda file: file.modified_ns))


def _beside(path: str, endings: tuple[str, ...]) -> list[str]:
    """The paths that rotation of this one may have made."""
    followed = Path(path)
    try:
        with os.scandir(followed.parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(followed.name)]
    except OSError:  # a folder that can be entered but not listed: only the path itself is followed
        return []
    rests = ((name, name.removeprefix(followed.name)) for name in names)
    return [
        str(followed.parent / name) for name, rest in rests if any(_is_rotation(rest, ending) for ending in endings)
    ]


def _regular_file(path: str) -> FileOnDisk | None:
    try:
        return file_at(path) if Path(path).is_file() else None
    except OSError:
        return None


def continuation(position: Position, candidates: Iterable[FileOnDisk]) -> FileOnDisk | None:
    """The candidate that holds the same bytes up to the position: the file that was read, or a copy of it."""
    if position.offset == 0:
        return None  # every file begins alike with nothing
    younger = (file for file in candidates if file.modified_ns >= position.modified_ns)
    return next((file for file in younger if file.size >= position.offset and _holds(file.path, position)), None)


def renamed(position: Position, path: str) -> FileOnDisk | None:
    """The very file that was read, under whatever name beside the path or its target: `app.log.old`, a link that moved.

    Inode and content together tell it; a name that rotation doesn't give proves nothing.
    """
    for folder in dict.fromkeys(Path(each).parent for each in (path, os.path.realpath(path))):
        try:
            with os.scandir(folder) as entries:
                names = [entry.path for entry in entries if entry.inode() == position.inode]
        except OSError:
            continue
        found = (_regular_file(name) for name in names if not name.endswith(COMPRESSED))
        if same := continuation(position, [file for file in found if file is not None]):
            return same
    return None


def _holds(path: str, position: Position) -> bool:
    try:
        with closing(PlainContent(path)) as content:
            return continues(content, position)
    except OSError:
        return False


def position_in(file: FileOnDisk, known: Sequence[Position]) -> Position | None:
    """Where this very file was read up to; None when it was not read.

    The inode alone doesn't tell: that of a deleted file is given to the next one.
    """
    same_inode = (position for position in known if position.inode == file.inode)
    return next((position for position in same_inode if not position.finished or continuation(position, [file])), None)


def unread(files: Iterable[FileOnDisk], known: Sequence[Position]) -> tuple[FileOnDisk, ...]:
    """The rotated files with something that nobody reads: those that came and went between two looks, mostly.

    Files that are older than what was read last are an archive from before the first start; files of the same time
    are not, for file systems count time in steps of some milliseconds.
    """
    newest_ns = max((position.modified_ns for position in known), default=0)
    younger = (file for file in files if file.modified_ns >= newest_ns)
    return tuple(file for file in younger if not _is_dealt_with(file, position_in(file, known)))


def _is_dealt_with(file: FileOnDisk, position: Position | None) -> bool:
    return position is not None and (not position.finished or position.offset == file.size)
