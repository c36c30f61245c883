"""The incidents as all pages see them: read once for everybody who looks, and written to by people."""

import difflib
import threading
from dataclasses import dataclass

from sereno_backends.incidents import Incident
from sereno_postmortems.entries import Submission
from sereno_postmortems.sources import IncidentPlace, IncidentSourceUnreachable
from sereno_postmortems.store import Written

from sereno_portal.gateway.cache import SharedAnswers, StillAsked

FRESH_SECONDS = 3.0
STALE_SECONDS = 900.0
_NEAREST = 3


class NoIncidentPlace(IncidentSourceUnreachable):
    """Nobody has said where incidents are."""


@dataclass(frozen=True, slots=True)
class KnownIncidents:
    """All incidents, the newest first."""

    incidents: tuple[Incident, ...]
    trouble: str = ""
    """Why they aren't younger; empty where all is well."""

    def incident(self, incident_id: str) -> Incident | None:
        """The incident of that id."""
        return next((each for each in self.incidents if each.incident_id == incident_id), None)

    def nearest(self, incident_id: str) -> tuple[str, ...]:
        """Ids that look like it."""
        known = [each.incident_id for each in self.incidents]
        return tuple(difflib.get_close_matches(incident_id, known, n=_NEAREST, cutoff=0.3))


class IncidentShelf:
    """Safe for several threads. While the place can't be reached, what it said in the last quarter of an hour stays."""

    def __init__(self, place: IncidentPlace | None) -> None:
        self._place = place
        self._answers = SharedAnswers()
        self._lock = threading.Lock()
        self._writes = 0

    @property
    def is_configured(self) -> bool:
        """Whether somebody has said where incidents are."""
        return self._place is not None

    @property
    def name(self) -> str:
        """What to call the place, without credentials."""
        return "" if self._place is None else self._place.name

    def current(self) -> KnownIncidents:
        """The incidents as of now, or of some seconds ago.

        Raises:
            IncidentSourceUnreachable: there is no answer, not even an old one.
        """
        place = self._named()
        try:
            kept = self._answers.get(
                "incidents",
                lambda: tuple(place.incidents()),
                fresh_seconds=FRESH_SECONDS,
                stale_seconds=STALE_SECONDS,
                failures=IncidentSourceUnreachable,
                version=self._writes,  # whoever has just written wants to see it
            )
        except StillAsked as error:
            raise IncidentSourceUnreachable(f"{self.name} is slow: {error}") from error
        return KnownIncidents(kept.value, str(kept.failure or ""))

    def write(self, incident_id: str, submission: Submission) -> Written:
        """Add an entry. Raises `EntryNotTaken` and `IncidentSourceUnreachable`, as the place does."""
        written = self._named().write(incident_id, submission)
        with self._lock:
            self._writes += 1
        return written

    def _named(self) -> IncidentPlace:
        if self._place is None:
            raise NoIncidentPlace("no place of incidents was named")
        return self._place
