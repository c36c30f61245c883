"""A draft as a file: whole or not at all, and never over what people have written."""

import os
import tempfile
from pathlib import Path


class DraftExists(Exception):  # noqa: N818 - reads as what happened
    """A file of that name is there already; people may have worked on it."""


def write_draft(folder: Path, incident_id: str, text: str, *, overwrite: bool) -> Path:
    """Write `<folder>/<incident_id>.md` atomically and return its path; the folder is made if missing.

    Raises:
        DraftExists: the file is there and `overwrite` is false; it is unchanged.
        OSError: the folder or file can't be written; no half file remains.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{incident_id}.md"
    handle, temporary = tempfile.mkstemp(prefix=f".{incident_id}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes files for the owner only
        if overwrite:
            Path(temporary).replace(path)
        else:
            _place_new(Path(temporary), path)
    except FileExistsError as error:
        raise DraftExists(str(path)) from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _place_new(temporary: Path, path: Path) -> None:
    """Give the file its name unless the name is taken; a link, unlike a rename, fails if somebody was faster."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(str(path)) from None
        temporary.replace(path)
