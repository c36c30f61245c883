"""The dashboards of the repository, by their files; read anew when a file changes."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sereno_backends.grafana import Dashboard, DashboardInvalid, Panel, read_dashboard

FOLDERS = ("generated", "handwritten")
LOOK_SECONDS = 5.0
"""How long a changed file may go unnoticed."""
_LARGEST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Shelved:
    """A dashboard, and where it stands."""

    folder: str
    file: str
    dashboard: Dashboard

    def panels(self) -> Iterator[tuple[int, Panel]]:
        """What shows data, each by a number of its own: the one that is written, where no other panel has it."""
        given: set[int] = set()
        for position, panel in enumerate(self.dashboard.data_panels):
            number = panel.id if panel.id is not None and panel.id not in given else _FIRST_MADE_UP + position
            given.add(number)
            yield number, panel


_FIRST_MADE_UP = 1_000_000


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that is no dashboard."""

    uid: str
    """By which it was known before, else the file's name."""
    folder: str
    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All dashboards by folder and title; what can't be read is told beside them."""

    dashboards: tuple[Shelved, ...] = ()
    broken: tuple[Broken, ...] = ()

    def find(self, uid: str) -> Shelved | Broken | None:
        """The dashboard of this uid, or why there is none."""
        return next((each for each in self.dashboards if each.dashboard.uid == uid), None) or next(
            (each for each in self.broken if each.uid == uid), None
        )


class DashboardFiles:
    """The shelf as the files are now; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._state: tuple[tuple[str, int, int], ...] | None = None
        self._looked_at = float("-inf")
        self._current = Shelf()
        self._uids: dict[Path, str] = {}

    def current(self) -> Shelf:
        """What the files say now, or said at most five seconds ago."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                state = tuple(self._states())
                if state != self._state:
                    self._current, self._state = self._read(), state
                self._looked_at = time.monotonic()
            return self._current

    def _files(self) -> Iterator[Path]:
        for name in FOLDERS:
            yield from sorted((self._folder / name).glob("*.json"))

    def _states(self) -> Iterator[tuple[str, int, int]]:
        for path in self._files():
            try:
                stat = path.stat()
            except OSError:  # it went between the two looks
                continue
            yield str(path), stat.st_mtime_ns, stat.st_size

    def _read(self) -> Shelf:
        dashboards: dict[str, Shelved] = {}
        broken: list[Broken] = []
        for path in self._files():
            try:
                found = _dashboard_of(path)
            except DashboardInvalid as error:
                broken.append(Broken(self._uids.get(path, path.stem), path.parent.name, path.name, str(error)))
                continue
            if found.uid in dashboards:
                why = f"its uid {found.uid!r} is that of {dashboards[found.uid].file}, too"
                broken.append(Broken(path.stem, path.parent.name, path.name, why))
                continue
            self._uids[path] = found.uid
            dashboards[found.uid] = Shelved(path.parent.name, path.name, found)
        in_order = sorted(dashboards.values(), key=lambda each: (each.folder, each.dashboard.title.casefold()))
        return Shelf(tuple(in_order), tuple(broken))


def _dashboard_of(path: Path) -> Dashboard:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise DashboardInvalid(f"the file is larger than {_LARGEST_BYTES} bytes")
        found = read_dashboard(path.read_bytes())
    except OSError as error:
        raise DashboardInvalid(f"the file can't be read: {error.strerror}") from error
    if not found.uid:
        raise DashboardInvalid("it has no uid, so it has no address")
    return found
