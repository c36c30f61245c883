"""Artefacts to disk: all of them or none, nothing half-written, a human's files untouched."""

import errno
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sereno_slo.render.artefact import ALL_KINDS, Artefact, Kind, Ownership
from sereno_slo.render.layout import GENERATED_KINDS, Layout


@dataclass(frozen=True, slots=True)
class Written:
    """What a run changed, as paths below the root."""

    changed: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that isn't what the specs say."""

    path: str
    what: str
    """missing, differs or stray."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it was left: as long as size and time are these, nobody has touched it."""

    path: str
    size: int
    time_ns: int

    def holds(self, root: Path) -> bool:
        """Whether the file below `root` is still this one; of a human's file, whether it is there."""
        try:
            status = os.stat(f"{root}/{self.path}")
        except OSError:
            return False
        return self.size < 0 or (status.st_size, status.st_mtime_ns) == (self.size, self.time_ns)


@dataclass(frozen=True, slots=True)
class Staged:
    """A file's new content beside it, to be put in its place; nothing where the file is up to date."""

    stamp: Stamp
    temporary: str | None

    def put_in_place(self, root: Path) -> None:
        """From now on the file has its new content."""
        if self.temporary is not None:
            os.replace(f"{root}/{self.temporary}", f"{root}/{self.stamp.path}")

    def discard(self, root: Path) -> None:
        """The old state stays."""
        if self.temporary is not None:
            Path(root, self.temporary).unlink(missing_ok=True)


def differences(
    artefacts: Sequence[Artefact], layout: Layout, root: Path, *, is_complete: bool
) -> tuple[Difference, ...]:
    """Generated files that differ, scaffolds that are missing, and (where all specs were compiled) strays.

    Raises:
        OSError: a file is there, but can't be read.
    """
    found = list(outdated(artefacts, layout, root))
    if is_complete:
        found += [Difference(path, "stray") for path in strays(map(layout.path, artefacts), layout, root)]
    return tuple(sorted(found, key=lambda difference: difference.path))


def outdated(artefacts: Iterable[Artefact], layout: Layout, root: Path) -> Iterable[Difference]:
    """Generated files that differ, and scaffolds that are missing.

    Raises:
        OSError: a file is there, but can't be read.
    """
    for artefact in artefacts:
        path = layout.path(artefact)
        present = _bytes(f"{root}/{path}")
        if _is_outdated(artefact, present, artefact.content.encode()):
            yield Difference(path, "missing" if present is None else "differs")


def strays(expected: Iterable[str], layout: Layout, root: Path, kinds: frozenset[Kind] = ALL_KINDS) -> tuple[str, ...]:
    """Files in the compiler's own folders that no spec produces."""
    folders = {layout.folders[kind] for kind in GENERATED_KINDS if kind in kinds}
    present = {path for folder in folders for path in _files_below(f"{root}/{folder}", folder)}
    return tuple(sorted(present.difference(expected)))


def _files_below(folder: str, shown: str) -> Iterable[str]:
    """Files that aren't hidden, in folders of any name."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path, f"{shown}/{entry.name}")
        elif not entry.name.startswith(".") and entry.is_file():
            yield f"{shown}/{entry.name}"


def write(artefacts: Sequence[Artefact], layout: Layout, root: Path, *, is_complete: bool) -> Written:
    """Bring the files below `root` up to date.

    All contents are written to temporary files first and then renamed, so that a full disk leaves the old state.

    Raises:
        OSError: a file can't be written; nothing was replaced.
    """
    staged = stage(artefacts, layout, root)
    for one in staged:
        one.put_in_place(root)
    removed = strays(map(layout.path, artefacts), layout, root) if layout.is_exclusive and is_complete else ()
    for path in removed:
        (root / path).unlink()
    changed = tuple(one.stamp.path for one in staged if one.temporary)
    return Written(changed, len(staged) - len(changed), removed)


def stage(artefacts: Iterable[Artefact], layout: Layout, root: Path) -> list[Staged]:
    """The new contents of all that is outdated, beside the files that they will replace.

    Raises:
        OSError: a file can't be read or written; nothing is left behind.
    """
    staged: list[Staged] = []
    try:
        for artefact in artefacts:
            staged.append(_staged(artefact, layout.path(artefact), root))  # noqa: PERF401 - an error finds those before
    except BaseException:
        for one in staged:
            one.discard(root)
        raise
    return staged


def _staged(artefact: Artefact, path: str, root: Path) -> Staged:
    content = artefact.content.encode()
    target = f"{root}/{path}"
    if not _is_outdated(artefact, _bytes(target), content):
        return Staged(_stamp(path, os.stat(target), artefact), None)
    if os.path.isdir(target):
        # Found now, not when the file is to take its place: by then others would have been replaced.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{_RUN}".lstrip("/")
    try:
        status = _write(f"{root}/{temporary}", content, artefact.ownership)
    except FileNotFoundError:
        Path(root, folder).mkdir(parents=True, exist_ok=True)
        status = _write(f"{root}/{temporary}", content, artefact.ownership)
    return Staged(_stamp(path, status, artefact), temporary)


# Temporary files of two runs at once are two files.
_RUN = f"{os.getpid():x}-{time.time_ns():x}"


def _write(path: str, content: bytes, ownership: Ownership) -> os.stat_result:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, 0o644)  # Prometheus' own user has to read rules, whatever our umask
            if ownership is Ownership.SCAFFOLDED:
                os.fsync(descriptor)  # a generated file that a crash leaves empty is written again
            return os.fstat(descriptor)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def write_new(files: Mapping[str, str], folder: Path, *, may_replace: bool) -> None:
    """Files that people go on with, by their paths below the folder: all of them or none.

    Raises:
        OSError: one can't be written, or is there (`FileExistsError`) and must not be replaced; nothing was changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = {name: f"{folder}/.{name}.{_RUN}" for name in files}
    placed: list[str] = []
    try:
        for name, text in files.items():
            _write(temporary[name], text.encode(), Ownership.SCAFFOLDED)
        for name in files:
            if may_replace:
                os.replace(temporary[name], f"{folder}/{name}")
            else:
                os.link(temporary[name], f"{folder}/{name}")  # unlike a rename, it never replaces what is there
                placed.append(name)
    except BaseException:
        for name in placed:
            Path(folder, name).unlink(missing_ok=True)
        raise
    finally:
        for path in temporary.values():
            Path(path).unlink(missing_ok=True)


def _stamp(path: str, status: os.stat_result, artefact: Artefact) -> Stamp:
    if artefact.ownership is Ownership.SCAFFOLDED:
        return Stamp(path, -1, 0)
    return Stamp(path, status.st_size, status.st_mtime_ns)


def _is_outdated(artefact: Artefact, present: bytes | None, content: bytes) -> bool:
    return present is None or (artefact.ownership is Ownership.GENERATED and present != content)


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def replace_file(path: Path, text: str) -> None:
    """One file of a human's: whoever reads it sees the old text or the new one, never a part.

    A link stays a link, and a file that was there keeps its permissions.

    Raises:
        OSError: it can't be written; nothing was changed.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{_RUN}")
    try:
        _write(str(temporary), text.encode(), Ownership.SCAFFOLDED)
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
