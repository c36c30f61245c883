"""All runbooks to search in; read anew when files come, go or change."""

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sereno_postmortems.runbooks import Runbook, Shelf, ShelfUnreadable, UnknownRunbook

LOOK_SECONDS = 5.0
LONGEST_SUMMARY = 180
_MEANING = re.compile(r"^##\s+Meaning\s*\n+(?P<first>.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*`]")

States: TypeAlias = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Book:
    """One runbook as the index shows it."""

    names: tuple[str, ...]
    """The alert, or service and SLO."""
    summary: str
    """How its Meaning begins."""
    searched: str
    """Names and text in small letters."""


class Library:
    """The runbooks below a folder; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelf = Shelf(folder)
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._states: States | None = None
        self._books: tuple[Book, ...] = ()

    def books(self) -> tuple[Book, ...]:
        """Alerts', then SLOs', each sorted. Raises `ShelfUnreadable`."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                states = self._file_states()
                if states != self._states:
                    self._books = self._read()
                    self._states = states
                self._looked_at = time.monotonic()
            return self._books

    def of_alert(self, alert: str) -> Runbook:
        """Raises `UnknownRunbook` and `ShelfUnreadable`."""
        return self._shelf.of_alert(alert)

    def of_slo(self, service: str, slo: str) -> Runbook | None:
        """None if there is none. Raises `ShelfUnreadable`."""
        return self._shelf.of_slo(service, slo)

    def names(self) -> frozenset[tuple[str, ...]]:
        """Of all runbooks; none where the folder can't be read."""
        try:
            return frozenset({*((alert,) for alert in self._shelf.alerts()), *self._shelf.slos()})
        except ShelfUnreadable:
            return frozenset()

    def _file_states(self) -> States:
        found = []
        for path in sorted(self._folder.glob("*.md")) + sorted(self._folder.glob("*/*.md")):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    def _read(self) -> tuple[Book, ...]:
        books = []
        for names in [(alert,) for alert in self._shelf.alerts()] + list(self._shelf.slos()):
            try:
                found = self._shelf.of_alert(*names) if len(names) == 1 else self._shelf.of_slo(*names)
            except (ShelfUnreadable, UnknownRunbook):  # it went away, or can't be read: the others stay
                continue
            if found is not None:
                books.append(_book(names, found.text))
        return tuple(books)


def _book(names: tuple[str, ...], text: str) -> Book:
    found = _MEANING.search(text)
    first = " ".join(_MARKUP.sub(r"\1", found["first"]).split()) if found else ""
    summary = first if len(first) <= LONGEST_SUMMARY else f"{first[: LONGEST_SUMMARY - 1].rsplit(' ', 1)[0]} …"
    return Book(names, summary, " ".join((*names, text)).lower())
