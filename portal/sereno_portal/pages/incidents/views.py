"""What the pages of incidents show."""

from dataclasses import dataclass
from datetime import datetime

from sereno_backends.incidents import EntryKind, EntrySource, Incident, IncidentEntry, IncidentStatus
from sereno_postmortems.entry_words import Saying
from sereno_postmortems.pages.happenings import By, Happening, happenings
from sereno_postmortems.pages.reading import annotation_of, impact_of, subject_of, told_of
from sereno_postmortems.runbooks import Shelf, ShelfUnreadable

from sereno_portal.portal import Portal
from sereno_portal.web.missing import NoSuch
from sereno_portal.web.rendering import web_address

ROWS_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One incident of the list."""

    incident_id: str
    subject: str
    severity: str
    impact: str
    is_open: bool
    opened_at: datetime
    resolved_at: datetime | None
    taken_by: str | None
    """Who has taken it on first."""


@dataclass(frozen=True, slots=True)
class IncidentList:
    """Open ones first, then the newest."""

    rows: tuple[Row, ...]
    count: int
    """Of all pages."""
    page: int
    pages: int
    services: tuple[str, ...]
    """That have incidents."""
    now: datetime
    trouble: str = ""
    """Why it isn't younger."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: datetime
    by: By
    what: str
    """In English."""
    saying: Saying
    """The same, to be said in other languages."""
    words: str
    """Of people."""
    link: str
    """Where the words lead, if they begin with an address of the web."""
    entry_id: str | None
    may_be_taken_back: bool
    lacks_outcome: bool
    """Something was tried, and nobody has said yet whether it helped."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where to look; empty where there is nothing."""

    runbook: str
    """Named by the alert, on the web."""
    dashboard: str
    logs: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident, with what is derived from its record."""

    incident: Incident
    status: IncidentStatus
    severity: str
    """The highest of its alerts."""
    subject: str
    impact: str
    told_severity: str
    """How bad people say it is."""
    taken: IncidentEntry | None
    """The first acknowledgement that stands."""
    links: Links
    runbooks: tuple[str, ...]
    """Its alerts that have a runbook here."""
    has_slo_page: bool
    timeline: tuple[Line, ...]
    """The latest first."""
    now: datetime
    trouble: str = ""
    """Why it isn't younger."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which incidents the list shall hold."""

    service: str = ""
    slo: str = ""
    state: str = ""
    """`open`, `resolved`, or empty for both."""
    page: int = 1


def incident_list(portal: Portal, asked: Asked) -> IncidentList:
    """The incidents that are asked for. Raises `IncidentSourceUnreachable`."""
    known = portal.incident_shelf.current()
    found = [each for each in known.incidents if _is_asked(each, asked)]
    found.sort(key=lambda each: each.resolved_at is not None)  # stable: the newest stay first
    pages = max(-(-len(found) // ROWS_A_PAGE), 1)
    shown = min(asked.page, pages)
    return IncidentList(
        rows=tuple(map(_row, found[(shown - 1) * ROWS_A_PAGE : shown * ROWS_A_PAGE])),
        count=len(found),
        page=shown,
        pages=pages,
        services=tuple(sorted({each.service for each in known.incidents if each.service})),
        now=portal.clock(),
        trouble=known.trouble,
    )


def incident_view(portal: Portal, incident_id: str) -> IncidentView:
    """One incident. Raises `IncidentSourceUnreachable`, and `HTTPException` 404 with the nearest ids."""
    known = portal.incident_shelf.current()
    incident = known.incident(incident_id)
    if incident is None:
        raise NoSuch("there is no incident {name}", incident_id, known.nearest(incident_id))
    return IncidentView(
        incident=incident,
        status=incident.status,
        severity=incident.severity,
        subject=subject_of(incident),
        impact=impact_of(incident),
        told_severity=told_of(incident, EntryKind.SEVERITY),
        taken=incident.acknowledgement,
        links=Links(
            *(web_address(annotation_of(incident.alerts, f"{name}_url")) for name in ("runbook", "dashboard", "logs"))
        ),
        runbooks=_with_runbook(portal, incident),
        has_slo_page=portal.catalogue.objective(incident.service, incident.slo) is not None,
        timeline=tuple(map(_line, happenings(incident))),
        now=portal.clock(),
        trouble=known.trouble,
    )


def _is_asked(incident: Incident, asked: Asked) -> bool:
    return (
        asked.service in ("", incident.service)
        and asked.slo in ("", incident.slo)
        and asked.state in ("", incident.status.value)
    )


def _row(incident: Incident) -> Row:
    taken = incident.acknowledgement
    return Row(
        incident_id=incident.incident_id,
        subject=subject_of(incident),
        severity=incident.severity,
        impact=impact_of(incident),
        is_open=incident.resolved_at is None,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        taken_by=None if taken is None else taken.author,
    )


def _line(happening: Happening) -> Line:
    entry = happening.entry
    link = web_address(entry.text.split(" ", 1)[0]) if entry is not None and entry.kind is EntryKind.LINK else ""
    is_ours = entry is not None and entry.source is EntrySource.SERENO
    return Line(
        at=happening.at,
        by=happening.by,
        what=happening.what,
        saying=happening.saying,
        words=happening.words,
        link=link,
        entry_id=None if entry is None else entry.entry_id,
        may_be_taken_back=is_ours,
        lacks_outcome=is_ours and entry is not None and entry.kind is EntryKind.MITIGATION and entry.helped is None,
    )


def _with_runbook(portal: Portal, incident: Incident) -> tuple[str, ...]:
    try:
        there = frozenset(Shelf(portal.configuration.runbooks).alerts())
    except ShelfUnreadable:
        return ()
    return tuple(sorted({alert.name for alert in incident.alerts} & there))
