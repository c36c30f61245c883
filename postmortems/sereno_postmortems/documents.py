"""Incidents as JSON documents, as the HTTP API gives them, and back."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sereno_backends.incidents import Incident, IncidentEntry

from sereno_postmortems.naming import INCIDENT_ID
from sereno_postmortems.webhook import EARLIEST_YEAR, LATEST_YEAR

_INCIDENT = TypeAdapter(Incident)
_ENTRY = TypeAdapter(IncidentEntry)


class NotAnIncident(Exception):  # noqa: N818 - reads as what happened
    """A document doesn't have the shape of an incident; the message says where."""


def incident_document(incident: Incident) -> dict[str, Any]:
    """All fields by name, times in RFC 3339, plus what is derived: status and severity."""
    document: dict[str, Any] = _INCIDENT.dump_python(incident, mode="json")
    derived = {"status": incident.status.value, "severity": incident.severity}
    alerts = [
        told | {"name": alert.name, "severity": alert.severity, "status": alert.status.value}
        for told, alert in zip(document["alerts"], incident.alerts, strict=True)
    ]
    return document | derived | {"alerts": alerts}


def entry_document(entry: IncidentEntry) -> dict[str, Any]:
    """All fields of an entry by name, times in RFC 3339."""
    document: dict[str, Any] = _ENTRY.dump_python(entry, mode="json")
    return document


def entry_from_document(document: Any) -> IncidentEntry:
    """The inverse. Raises `NotAnIncident`."""
    try:
        return _ENTRY.validate_python(document)
    except ValidationError as error:
        raise NotAnIncident(_first_problem(error)) from error


def incident_from_document(document: Mapping[str, Any]) -> Incident:
    """The inverse; derived fields are ignored. Raises `NotAnIncident`, also for an id that isn't a safe file name."""
    try:
        incident = _INCIDENT.validate_python(document)
    except ValidationError as error:
        raise NotAnIncident(_first_problem(error)) from error
    if not INCIDENT_ID.fullmatch(incident.incident_id):
        raise NotAnIncident("incident_id: a date and words are expected, such as 2026-11-22-transactions-api")
    for where, moment in _moments(incident):
        # A year more at both ends than what is taken: there it is the sender's own year, here that of UTC.
        if moment.utcoffset() != timedelta(0) or not EARLIEST_YEAR - 1 <= moment.year <= LATEST_YEAR + 1:
            raise NotAnIncident(f"{where}: a time in UTC is expected, not {moment.isoformat()}")
    if not incident.alerts:
        raise NotAnIncident("alerts: an incident has at least one")
    return incident


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where or 'document'}: {first['msg']}"


def _moments(incident: Incident) -> Iterator[tuple[str, datetime]]:
    """Every time in an incident, with the name of its field."""
    yield "opened_at", incident.opened_at
    if incident.resolved_at is not None:
        yield "resolved_at", incident.resolved_at
    for alert in incident.alerts:
        yield "alerts.starts_at", alert.starts_at
        if alert.ends_at is not None:
            yield "alerts.ends_at", alert.ends_at
    for notification in incident.notifications:
        yield "notifications.received_at", notification.received_at
    for entry in incident.entries:
        yield "entries.happened_at", entry.happened_at
        yield "entries.written_at", entry.written_at
