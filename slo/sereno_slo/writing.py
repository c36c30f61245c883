"""Artefacts to disk: all of them or none, nothing half-written, a human's files untouched."""

import errno
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sereno_slo.render.artefact import Artefact, Ownership
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


def differences(
    artefacts: Sequence[Artefact], layout: Layout, root: Path, *, is_complete: bool
) -> tuple[Difference, ...]:
    """Generated files that differ, scaffolds that are missing, and (where all specs were compiled) strays.

    Raises:
        OSError: a file is there, but can't be read.
    """
    found = [
        Difference(layout.path(artefact), "missing" if _text(root / layout.path(artefact)) is None else "differs")
        for artefact in artefacts
        if _is_outdated(artefact, root / layout.path(artefact))
    ]
    if is_complete:
        found += [Difference(path, "stray") for path in strays(artefacts, layout, root)]
    return tuple(sorted(found, key=lambda difference: difference.path))


def strays(artefacts: Sequence[Artefact], layout: Layout, root: Path) -> tuple[str, ...]:
    """Files in the compiler's own folders that no spec produces."""
    expected = {layout.path(artefact) for artefact in artefacts}
    folders = {layout.folders[kind] for kind in GENERATED_KINDS}
    present = {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    return tuple(sorted(present - expected))


def write(artefacts: Sequence[Artefact], layout: Layout, root: Path, *, is_complete: bool) -> Written:
    """Bring the files below `root` up to date.

    All contents are written to temporary files first and then renamed, so that a full disk leaves the old state.

    Raises:
        OSError: a file can't be written; nothing was replaced.
    """
    outdated = [a for a in artefacts if _is_outdated(a, root / layout.path(a))]
    staged: list[tuple[Path, Path]] = []
    try:
        for artefact in outdated:
            target = root / layout.path(artefact)
            staged.append((_stage(target, artefact.content), target))
    except OSError:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        raise
    for temporary, target in staged:
        temporary.replace(target)
    removed = strays(artefacts, layout, root) if layout.is_exclusive and is_complete else ()
    for path in removed:
        (root / path).unlink()
    return Written(tuple(layout.path(a) for a in outdated), len(artefacts) - len(outdated), removed)


def _is_outdated(artefact: Artefact, path: Path) -> bool:
    text = _text(path)
    return text is None or (artefact.ownership is Ownership.GENERATED and text != artefact.content)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _stage(target: Path, content: str) -> Path:
    if target.is_dir():
        # Found now, not when the file is to take its place: by then others would have been replaced.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's 0600 would hide rules from Prometheus' own user
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
