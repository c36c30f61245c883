"""A draft as a file: whole or not at all, and never over what people have written."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sereno_postmortems.draft.charts import Chart, is_untouched


class DraftExists(Exception):  # noqa: N818 - reads as what happened
    """A file of that name is there already; people may have worked on it."""


def write_draft(folder: Path, incident_id: str, text: str, *, overwrite: bool) -> Path:
    """Write `<folder>/<incident_id>.md` atomically and return its path; the folder is made if missing.

    Raises:
        DraftExists: the file is there and `overwrite` is false; it is unchanged.
        OSError: the folder or file can't be written; no half file remains.
    """
    path = folder / f"{incident_id}.md"
    _write(path, text, overwrite=overwrite)
    return path


def write_charts(folder: Path, charts: Sequence[Chart]) -> tuple[Path, ...]:
    """Write the pictures below the draft's folder, each atomically; returns those that were left alone.

    A file that isn't as it was drawn is people's and stays. Raises `OSError` if one can't be written.
    """
    kept = []
    for chart in charts:
        path = folder / chart.file
        if path.exists() and not is_untouched(path.read_text(encoding="utf-8", errors="replace")):
            kept.append(path)
        else:
            _write(path, chart.svg, overwrite=True)
    return tuple(kept)


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
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
