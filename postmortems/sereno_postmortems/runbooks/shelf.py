"""A folder of runbooks: `<AlertName>.md`, and `<service>/<slo>.md` for what only that SLO's team knows."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

NEAREST = 3
_NO_ALERT = frozenset({"README", "index"})
# Control characters other than tabs and line feeds, and marks that turn the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class ShelfUnreadable(Exception):  # noqa: N818 - reads as what happened
    """The folder or a file can't be read; the message names it and the cause."""


class UnknownRunbook(Exception):  # noqa: N818 - reads as what happened
    """No runbook has that alert's name; `nearest` are names that look like it."""

    def __init__(self, message: str, nearest: tuple[str, ...]) -> None:
        super().__init__(message)
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Runbook:
    """One file, inert: signs that steer a terminal are shown."""

    path: Path
    text: str


class Shelf:
    """The runbooks below a folder. Names are looked up among those that are there: no name leads out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def alerts(self) -> tuple[str, ...]:
        """The alerts that have a runbook, sorted. Raises `ShelfUnreadable`."""
        return tuple(sorted(self._of_alerts()))

    def slos(self) -> tuple[tuple[str, str], ...]:
        """Service and SLO of those that have a runbook of their own, sorted. Raises `ShelfUnreadable`."""
        folders = [path for path in self._listed(self._folder) if path.is_dir()]
        return tuple(sorted((folder.name, path.stem) for folder in folders for path in self._files(folder)))

    def of_alert(self, alert: str) -> Runbook:
        """`<AlertName>.md`.

        Raises:
            ShelfUnreadable: The folder or the file can't be read.
            UnknownRunbook: There is none; with the nearest names.
        """
        there = self._of_alerts()
        if alert in there:
            return _read(there[alert])
        by_small_letters = {name.lower(): name for name in sorted(there)}
        near = difflib.get_close_matches(alert.lower(), by_small_letters, n=NEAREST, cutoff=0.5)
        raise UnknownRunbook(
            f"{self._folder} has no runbook {alert}.md", tuple(by_small_letters[name] for name in near)
        )

    def of_slo(self, service: str, slo: str) -> Runbook | None:
        """`<service>/<slo>.md`; None if there is none. Raises `ShelfUnreadable`."""
        folders = [path for path in self._listed(self._folder) if path.name == service and path.is_dir()]
        files = [path for folder in folders for path in self._files(folder) if path.stem == slo]
        return _read(files[0]) if files else None

    def _of_alerts(self) -> dict[str, Path]:
        return {path.stem: path for path in self._files(self._folder) if path.stem not in _NO_ALERT}

    def _files(self, folder: Path) -> list[Path]:
        return [path for path in self._listed(folder) if path.suffix == ".md" and path.is_file()]

    def _listed(self, folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            raise ShelfUnreadable(f"{folder}: {error.strerror}") from error


def _read(path: Path) -> Runbook:
    """A file that isn't UTF-8 throughout is shown all the same: somebody needs it now."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ShelfUnreadable(f"{path}: {error.strerror}") from error
    inert = _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))
    return Runbook(path, inert)
