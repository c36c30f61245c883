"""The incidents that are open now, read once for everybody who looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.incidents import Incident, IncidentStatus
from sereno_postmortems.sources import IncidentSourceUnreachable

from sereno_portal.incident_shelf import IncidentShelf

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
    """Tells the open incidents; safe for several threads. A place that can't be reached is told, never raised.

    They are picked once for each answer of the place, whoever looks.
    """

    def __init__(self, shelf: IncidentShelf) -> None:
        self._shelf = shelf
        self._last: tuple[tuple[Incident, ...], tuple[OpenIncident, ...]] = ((), ())

    def current(self) -> OpenIncidents:
        """What is open now, or was some seconds ago."""
        if not self._shelf.is_configured:
            return OpenIncidents(are_kept=False)
        try:
            known = self._shelf.current()
        except IncidentSourceUnreachable as error:
            return OpenIncidents(trouble=str(error))
        incidents, found = self._last
        if incidents is not known.incidents:
            found = _open(known.incidents)
            self._last = (known.incidents, found)
        return OpenIncidents(found, known.trouble)


def _open(incidents: Iterable[Incident]) -> tuple[OpenIncident, ...]:
    found = [_shown(each) for each in incidents if each.status is IncidentStatus.OPEN]
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
