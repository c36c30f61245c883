"""Which services and SLOs there are, by the repository's specs; read anew when a file changes."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sereno_slo import Diagnostic, Severity, SourceFile, read_settings, read_source, validate_specs
from sereno_slo.diagnostics import Span
from sereno_slo.model import Journey, Service, ServiceLevelObjective, Settings
from sereno_slo.neighbours import with_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_SECONDS = 5.0
"""How long a changed spec may go unnoticed."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the specs say. Specs with mistakes are left out, and `mistakes` says why."""

    services: tuple[Service, ...]
    settings: Settings
    mistakes: tuple[str, ...] = ()

    def service(self, name: str) -> Service | None:
        """The service of that name."""
        return next((service for service in self.services if service.name == name), None)

    def objective(self, service: str, slo: str) -> "ServiceLevelObjective | Journey | None":
        """The SLO or journey of these names."""
        found = self.service(service)
        return None if found is None else next((each for each in objectives_of(found) if each.name == slo), None)


def objectives_of(service: Service) -> "Iterator[ServiceLevelObjective | Journey]":
    """Its SLOs, then its journeys."""
    yield from service.slos
    yield from service.journeys


class CatalogueShelf:
    """The catalogue as the files are now; safe for several threads.

    Files that can't be read or have mistakes never take a page away: what was right before stays, where there was any.

    Args:
        root: mistakes name files by their paths below it; where it lies is nobody's business.
        specs: the folder of the specs.
        settings_file: the defaults for all specs; it need not exist.
    """

    def __init__(self, root: Path, specs: Path, settings_file: Path) -> None:
        self._root = root
        self._specs = specs
        self._settings_file = settings_file
        self._lock = threading.Lock()
        self._state: tuple[tuple[str, int, int], ...] | None = None
        self._looked_at = float("-inf")
        self._current = Catalogue((), Settings())

    def current(self) -> Catalogue:
        """What the specs say now, or said at most five seconds ago."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                state = self._file_states()
                if state != self._state:
                    self._current = self._read()
                    self._state = state
                self._looked_at = time.monotonic()
            return self._current

    def _file_states(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for path in (self._settings_file, *sorted(self._specs.glob("*.slo.yaml"))):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    def _read(self) -> Catalogue:
        settings_source = read_source(self._settings_file) if self._settings_file.is_file() else None
        problems = [settings_source] if isinstance(settings_source, Diagnostic) else []
        settings, of_settings = read_settings(settings_source if isinstance(settings_source, SourceFile) else None)
        place = Span(self._settings_file.as_posix())
        settings, of_imports = with_neighbours(settings, self._settings_file.parent, place)
        read = [read_source(path) for path in sorted(self._specs.glob("*.slo.yaml"))]
        sources = [source for source in read if isinstance(source, SourceFile)]
        validation = validate_specs(sources, settings)
        problems += [
            *of_settings,
            *of_imports,
            *(one for one in read if isinstance(one, Diagnostic)),
            *validation.diagnostics,
        ]
        told = (str(problem) for problem in problems if problem.severity is Severity.ERROR)
        mistakes = tuple(each.replace(f"{self._root.as_posix()}/", "") for each in told)
        known = {service.name for service in validation.services}
        right = {service.source for service in validation.services}
        # A spec that is being edited, and wrong for a moment, keeps the page that it had.
        kept = tuple(
            each
            for each in self._current.services
            if each.name not in known and each.source not in right and Path(each.source).is_file()
        )
        services = tuple(sorted((*validation.services, *kept), key=lambda service: service.name))
        return Catalogue(services, settings, mistakes)
