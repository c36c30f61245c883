"""Where incidents are read and entries written: the database itself, or a running receiver over HTTP."""

import difflib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import httpx
from sereno_backends.addresses import AddressInvalid, http_address, is_loopback, without_credentials
from sereno_backends.incidents import Incident

from sereno_postmortems.documents import NotAnIncident, entry_from_document, incident_from_document
from sereno_postmortems.entries import NotAnEntry, Submission, read_submission, submission_body
from sereno_postmortems.store import (
    EntryIdTaken,
    EntryRefused,
    IncidentStore,
    IncidentStoreUnavailable,
    NoSuchIncident,
    Recorded,
    Written,
)

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


class EntryNotTaken(Exception):  # noqa: N818 - reads as what happened
    """The entry was refused; the message says why. Nothing was written."""


class IncidentSource(Protocol):
    """Reads incidents. Methods raise `IncidentSourceUnreachable`."""

    @property
    def name(self) -> str:
        """What to call this place in messages and evidence."""
        ...

    def incidents(self) -> Sequence[Incident]:
        """The incidents opened last, newest first."""
        ...


class IncidentPlace(IncidentSource, Protocol):
    """Takes entries, too."""

    def write(self, incident_id: str, submission: Submission) -> Written:
        """Add an entry; when this returns, it is durable. The same submission again changes nothing.

        Raises:
            EntryNotTaken: it was refused.
            IncidentSourceUnreachable: nobody knows whether it was written: send the same submission again.
        """
        ...


class DatabaseIncidents:
    """The SQLite file that `sereno incidents serve` writes; it is never made here."""

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

    def write(self, incident_id: str, submission: Submission) -> Written:
        """Straight into the file, whose owner everyone who may write it is."""
        if submission.author is None:
            raise EntryNotTaken("nobody is known as the author; name one")
        # Whatever comes in by HTTP is looked at; what comes by this way must not be less.
        read = read_submission(json.dumps(submission_body(submission)).encode())
        if not isinstance(read, Submission):
            raise EntryNotTaken("; ".join(read.problems) if isinstance(read, NotAnEntry) else read.reason)
        try:
            self._store.upgrade()
            return self._store.write(incident_id, read, author=read.author or "", now=datetime.now(UTC))
        except IncidentStoreUnavailable as error:
            raise IncidentSourceUnreachable(str(error)) from error
        except NoSuchIncident as error:
            raise EntryNotTaken(f"no incident {incident_id!r} in {self.name} any more; list them anew") from error
        except (EntryIdTaken, EntryRefused) as error:
            raise EntryNotTaken(str(error)) from error


class HttpIncidents:
    """A running `sereno incidents serve`, by its address.

    Raises:
        IncidentSourceUnreachable: nothing can be reached by such an address.
    """

    def __init__(self, url: str) -> None:
        try:
            address = http_address(url, of="incidents'", example="http://127.0.0.1:19093")
        except AddressInvalid as error:
            raise IncidentSourceUnreachable(str(error)) from error
        self._shown = without_credentials(address).rstrip("/")
        self._url = str(address).rstrip("/")
        self._trust_env = not is_loopback(address.host)  # a proxy of the environment never knows this machine's ports

    @property
    def name(self) -> str:
        """The address, without the password that it may hold."""
        return f"incidents {self._shown}"

    def incidents(self) -> Sequence[Incident]:
        """By its HTTP interface."""
        body = self._answer("GET", "/api/v1/incidents?limit=10000")
        try:
            return tuple(incident_from_document(document) for document in body["incidents"])
        except (KeyError, TypeError, NotAnIncident) as error:
            raise IncidentSourceUnreachable(
                f"{self.name} doesn't answer as `sereno incidents serve`: {error}"
            ) from error

    def write(self, incident_id: str, submission: Submission) -> Written:
        """By its HTTP interface, which says who the author is where people have to log in."""
        path = f"/api/v1/incidents/{quote(incident_id, safe='')}/entries"
        body = self._answer("POST", path, submission_body(submission))
        try:
            return Written(entry_from_document(body["entry"]), Recorded(body["outcome"]))
        except (KeyError, TypeError, ValueError, NotAnIncident) as error:
            raise IncidentSourceUnreachable(
                f"{self.name} doesn't answer as `sereno incidents serve`: {error}"
            ) from error

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            response = self._asked(method, path, body)
            answer = response.json() if response.status_code != HTTPStatus.UNAUTHORIZED else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise IncidentSourceUnreachable(f"{self.name} can't be read: {error}") from error
        if response.is_success:
            return answer
        if answer is None:
            raise IncidentSourceUnreachable(f"{self.name} asks for a name and a password: http://NAME:PASSWORD@…")
        told = answer.get("error") if isinstance(answer, dict) else None
        why = "; ".join(map(str, (told or f"HTTP {response.status_code}", *_problems(answer))))
        if method == "POST" and response.is_client_error:
            raise EntryNotTaken(why)
        raise IncidentSourceUnreachable(f"{self.name} can't be read: {why}")

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """One question, asked twice where the answer got lost: whatever is asked here may be asked again."""

        def ask() -> httpx.Response:
            url = f"{self._url}{path}"
            return httpx.request(method, url, json=body, timeout=TIMEOUT_SECONDS, trust_env=self._trust_env)

        try:
            return ask()
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            return ask()


def _problems(answer: Any) -> list[Any]:
    problems = answer.get("problems") if isinstance(answer, dict) else None
    return problems if isinstance(problems, list) else []


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
