"""The incidents that are open now, read once for everybody who looks."""

from dataclasses import dataclass
from datetime import datetime

from sereno_backends.incidents import Incident, IncidentStatus
from sereno_postmortems.sources import IncidentPlace, IncidentSourceUnreachable

from sereno_portal.gateway.cache import SharedAnswers

_FRESH_SECONDS = 10.0
_STALE_SECONDS = 300.0
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What a list says of an incident."""

    incident_id: str
    service: str
    slo: str
    severity: str
    opened_at: datetime
    taken_by: str
    """Who has taken it on first; empty while nobody has."""


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    """The open ones, the latest first."""

    each: tuple[OpenIncident, ...] = ()
    trouble: str = ""
    """Why they can't be told, or are old."""
    are_kept: bool = True
    """Whether this portal was told where incidents are."""

    def of(self, service: str, slo: str | None = None) -> tuple[OpenIncident, ...]:
        """Those of a service, or of one of its SLOs."""
        return tuple(one for one in self.each if one.service == service and slo in (None, one.slo))


class IncidentDesk:
    """Asks for open incidents; safe for several threads. A place that can't be reached is told, never raised."""

    def __init__(self, place: IncidentPlace | None) -> None:
        self._place = place
        self._answers = SharedAnswers()

    def current(self) -> OpenIncidents:
        """What is open now, or was ten seconds ago."""
        place = self._place
        if place is None:
            return OpenIncidents(are_kept=False)
        try:
            kept = self._answers.get(
                "open",
                lambda: _open(place),
                fresh_seconds=_FRESH_SECONDS,
                stale_seconds=_STALE_SECONDS,
                failures=IncidentSourceUnreachable,
            )
        except IncidentSourceUnreachable as error:
            return OpenIncidents(trouble=str(error))
        return OpenIncidents(kept.value, str(kept.failure or ""))


def _open(place: IncidentPlace) -> tuple[OpenIncident, ...]:
    found = [_shown(each) for each in place.incidents() if each.status is IncidentStatus.OPEN]
    return tuple(sorted(found, key=lambda each: each.opened_at, reverse=True)[:MOST_SHOWN])


def _shown(incident: Incident) -> OpenIncident:
    taken = incident.acknowledgement
    return OpenIncident(
        incident.incident_id,
        incident.service,
        incident.slo,
        incident.severity,
        incident.opened_at,
        "" if taken is None else taken.author,
    )
