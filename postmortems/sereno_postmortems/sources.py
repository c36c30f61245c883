"""Where a draft gets its incident from: the database itself, or a running receiver over HTTP."""

import difflib
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
from sereno_backends.incidents import Incident

from sereno_postmortems.documents import NotAnIncident, incident_from_document
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable

LATEST = "latest"
NEAREST_IDS = 3
TIMEOUT_SECONDS = 10.0


class IncidentSourceUnreachable(Exception):  # noqa: N818 - reads as what happened
    """The incidents can't be read; the message names the place and the cause."""


class UnknownIncident(Exception):  # noqa: N818 - reads as what happened
    """No incident has that id; `nearest` are ids that look like it, or the latest ones."""

    def __init__(self, message: str, nearest: tuple[str, ...]) -> None:
        super().__init__(message)
        self.nearest = nearest


class IncidentSource(Protocol):
    """Reads incidents. Methods raise `IncidentSourceUnreachable`."""

    @property
    def name(self) -> str:
        """What to call this place in messages and evidence."""
        ...

    def incidents(self) -> Sequence[Incident]:
        """The incidents opened last, newest first."""
        ...


class DatabaseIncidents:
    """The SQLite file that `sereno incidents serve` writes; it is only read here, and never made."""

    def __init__(self, store: IncidentStore) -> None:
        self._store = store

    @property
    def name(self) -> str:
        """The file."""
        return self._store.name

    def incidents(self) -> Sequence[Incident]:
        """Straight from the file."""
        try:
            return self._store.incidents(limit=10_000)
        except IncidentStoreUnavailable as error:
            raise IncidentSourceUnreachable(str(error)) from error


class HttpIncidents:
    """A running `sereno incidents serve`, by its address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def name(self) -> str:
        """The address."""
        return f"incidents {self._url}"

    def incidents(self) -> Sequence[Incident]:
        """By its HTTP interface."""
        body = self._get("/api/v1/incidents?limit=10000")
        try:
            return tuple(incident_from_document(document) for document in body["incidents"])
        except (KeyError, TypeError, NotAnIncident) as error:
            raise IncidentSourceUnreachable(
                f"{self.name} doesn't answer as `sereno incidents serve`: {error}"
            ) from error

    def _get(self, path: str) -> Any:
        try:
            response = httpx.get(f"{self._url}{path}", timeout=TIMEOUT_SECONDS, trust_env=False)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise IncidentSourceUnreachable(f"{self.name} can't be read: {error}") from error


def find_incident(source: IncidentSource, incident_id: str) -> Incident:
    """The incident of that id; `latest` is the one opened last. Raises `UnknownIncident` with ids to choose from."""
    incidents = source.incidents()
    if incident_id == LATEST and incidents:
        return incidents[0]
    for incident in incidents:
        if incident.incident_id == incident_id:
            return incident
    if not incidents:
        raise UnknownIncident(
            f"{source.name} holds no incidents yet: they come by Alertmanager's webhook (docs/incidents.md)", ()
        )
    known = [incident.incident_id for incident in incidents]
    nearest = difflib.get_close_matches(incident_id, known, n=NEAREST_IDS, cutoff=0.3) or known[:NEAREST_IDS]
    raise UnknownIncident(f"no incident {incident_id!r} in {source.name}", tuple(nearest))
