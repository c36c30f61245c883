"""What the pages of runbooks show."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote, urlencode, urlsplit

from fastapi import HTTPException
from sereno_backends.incidents import Incident
from sereno_postmortems.pages.reading import subject_of
from sereno_postmortems.runbooks import Filled, Runbook, ShelfUnreadable, UnknownRunbook, fill, jobs_named, labels_of
from sereno_postmortems.sources import IncidentSourceUnreachable

from sereno_portal.incident_shelf import NoIncidentPlace
from sereno_portal.pages.runbooks.library import Book, Library
from sereno_portal.portal import Portal
from sereno_portal.web.missing import NoSuch, no_such
from sereno_portal.web.rendering import web_address

MOST_CHOICES = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """One runbook of the index."""

    names: tuple[str, ...]
    """The alert, or service and SLO."""
    summary: str


@dataclass(frozen=True, slots=True)
class Index:
    """The runbooks in which all words of a search stand."""

    alerts: tuple[Listed, ...]
    slos: tuple[Listed, ...]
    query: str
    trouble: str = ""
    """Why they can't be read."""


class Reason(StrEnum):
    """Why a placeholder stays."""

    UNKNOWN = "unknown"
    SEVERAL = "several"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Stays:
    """A placeholder that nothing was filled into."""

    placeholder: str
    reason: Reason
    values: tuple[str, ...] = ()
    """What it may be, where there are several."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An incident that a runbook can be filled in from."""

    incident_id: str
    subject: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class RunbookView:
    """One runbook, its labels filled in where an incident says them."""

    names: tuple[str, ...]
    text: str
    """Markdown."""
    incident_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    stays: tuple[Stays, ...] = ()
    own: tuple[str, str] | None = None
    """Service and SLO of the incident, where that SLO has a runbook of its own."""
    choices: tuple[Choice, ...] = ()
    trouble: str = ""
    """Why nothing could be filled in."""


def index(library: Library, query: str) -> Index:
    """All runbooks, or those that hold every word of the query."""
    try:
        books = library.books()
    except ShelfUnreadable as error:
        return Index((), (), query, str(error))
    words = query.lower().split()
    found = [book for book in books if all(word in book.searched for word in words)]
    # What is called so comes before what speaks of it.
    found.sort(key=lambda book: not _is_called(book, words))
    listed = [Listed(book.names, book.summary) for book in found]
    return Index(
        tuple(one for one in listed if len(one.names) == 1), tuple(one for one in listed if len(one.names) > 1), query
    )


def _is_called(book: Book, words: list[str]) -> bool:
    return all(word in " ".join(book.names).lower() for word in words)


def of_alert(portal: Portal, library: Library, alert: str, incident_id: str) -> RunbookView:
    """What to do about an alert. Raises `HTTPException` 404 with the nearest names."""
    try:
        runbook = library.of_alert(alert)
    except UnknownRunbook as error:
        raise NoSuch("there is no runbook {name}", alert, error.nearest) from error
    except ShelfUnreadable as error:
        raise HTTPException(503, str(error)) from error
    return _filled(portal, library, (alert,), runbook, incident_id)


def of_slo(portal: Portal, library: Library, service: str, slo: str, incident_id: str) -> RunbookView:
    """What the SLO's own team knows. Raises `HTTPException` 404 with the nearest names."""
    try:
        runbook = library.of_slo(service, slo)
        if runbook is None:
            known = ["/".join(names) for names in library.names() if len(names) > 1]
            raise no_such("there is no runbook {name}", f"{service}/{slo}", known)
    except ShelfUnreadable as error:
        raise HTTPException(503, str(error)) from error
    return _filled(portal, library, (service, slo), runbook, incident_id)


def _filled(
    portal: Portal, library: Library, names: tuple[str, ...], runbook: Runbook, incident_id: str
) -> RunbookView:
    try:
        known = portal.incident_shelf.current()
    except IncidentSourceUnreachable as error:
        trouble = "" if isinstance(error, NoIncidentPlace) and not incident_id else str(error)
        return RunbookView(names, runbook.text, trouble=trouble)
    choices = _choices(known.incidents, names)
    if not incident_id:
        return RunbookView(names, runbook.text, choices=choices)
    incident = known.incident(incident_id)
    if incident is None:
        nearest = known.nearest(incident_id)
        missing = f"no incident {incident_id!r}" + (f"; nearest: {', '.join(nearest)}" if nearest else "")
        return RunbookView(names, runbook.text, choices=choices, trouble=missing)
    return _of_incident(library, names, runbook, incident, choices)


def _of_incident(
    library: Library, names: tuple[str, ...], runbook: Runbook, incident: Incident, choices: tuple[Choice, ...]
) -> RunbookView:
    told = labels_of(incident, names[0] if len(names) == 1 else "")
    # Halves of surrogate pairs, which JSON can hold, can't be sent.
    labels = {name: value.encode(errors="replace").decode() for name, value in told.agreed.items()}
    differing = dict(told.differing)
    own_names = labels.get("service", ""), labels.get("slo", "")
    own = library.of_slo(*own_names) if all(own_names) else None
    if "job" not in labels and own is not None:  # alerts on SLOs have no such label; their own runbook says it
        jobs = jobs_named(own.text)
        labels |= {"job": jobs[0]} if len(jobs) == 1 else {}
        differing.setdefault("job", jobs)
    filled = fill(runbook.text, labels)
    return RunbookView(
        names,
        filled.text,
        incident_id=incident.incident_id,
        labels=labels,
        stays=_stays(filled, differing),
        own=own_names if own is not None and own_names != names else None,
        choices=choices,
    )


def _stays(filled: Filled, differing: Mapping[str, tuple[str, ...]]) -> tuple[Stays, ...]:
    found = []
    for each in filled.unfilled:
        values = differing.get(each.placeholder.lower(), ())
        reason = Reason.UNSAFE if each.has_value else Reason.SEVERAL if values else Reason.UNKNOWN
        found.append(Stays(each.placeholder, reason, tuple(values[:MOST_CHOICES])))
    return tuple(found)


def _choices(incidents: tuple[Incident, ...], names: tuple[str, ...]) -> tuple[Choice, ...]:
    """The newest incidents that this runbook is about."""

    def is_about(incident: Incident) -> bool:
        if len(names) > 1:
            return (incident.service, incident.slo) == names
        return any(alert.name == names[0] for alert in incident.alerts)

    found = (each for each in incidents if is_about(each))
    return tuple(
        Choice(each.incident_id, subject_of(each), each.resolved_at is None)
        for each, _ in zip(found, range(MOST_CHOICES), strict=False)
    )


def link_from(names: tuple[str, ...], known: frozenset[tuple[str, ...]], incident_id: str | None, target: str) -> str:
    """Where a runbook's link leads: to the web, or to another runbook with the same incident; nowhere else.

    Args:
        names: of the runbook that has the link.
        known: of all runbooks.
        incident_id: whose labels are filled in.
        target: as it stands there.
    """
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return web_address(target)
    folder = "" if len(names) == 1 else names[0]
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    wanted = tuple(path.removesuffix(".md").split("/"))
    if not path.endswith(".md") or wanted not in known:
        return ""
    query = f"?{urlencode({'incident': incident_id})}" if incident_id else ""
    return f"/runbooks/{'/'.join(map(quote, wanted))}{query}" + (f"#{quote(parts.fragment)}" if parts.fragment else "")
