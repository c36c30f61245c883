"""The figures of one incident, purely from its record. What isn't on record is None, never a zero."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from sereno_backends.incidents import EntryKind, Incident

PAGES = "critical"
"""The severity that wakes somebody up (conventions.md)."""
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Rules:
    """What figures depend on beside the record."""

    zone: tzinfo
    """Where the people on call live: nights, weeks and months are theirs."""
    night_begins: time = time(22)
    night_ends: time = time(7)
    noise_within: timedelta = timedelta(minutes=30)
    """A page that nobody acted on and that ended so soon was noise."""


@dataclass(frozen=True, slots=True)
class IncidentFigures:
    """One incident in figures."""

    incident: Incident
    is_page: bool
    """Whether one of its alerts pages; else it was a ticket."""
    called_at: datetime
    """When the first alert of its highest severity began: before that nobody could be called."""
    paged_at: datetime | None
    """When the first notification of a paging alert came; None of tickets, and where none is on record."""
    time_to_page: timedelta | None
    time_to_acknowledge: timedelta | None
    """From the call to the first acknowledgement that stands and came before the end; None where there is none."""
    time_to_resolve: timedelta | None
    """From the opening to the end; None while it is open."""
    people: tuple[str, ...]
    """Whose page it was: who acknowledged it, else whom PagerDuty called, else the owner's team."""
    night: date | None
    """The evening of the night in which the page came; None by day, and of tickets."""
    is_noise: bool
    """A page without any action of a person that ended soon."""


def figures_of(incident: Incident, rules: Rules) -> IncidentFigures:
    """The figures of one incident."""
    paging = [alert for alert in incident.alerts if alert.severity == PAGES]
    called_at = min((alert.starts_at for alert in paging), default=incident.opened_at)
    paged_at = _first_notification(incident, {alert.fingerprint for alert in paging})
    lasted = None if incident.resolved_at is None else incident.resolved_at - incident.opened_at
    has_action = any(entry.is_action for entry in incident.standing_entries)
    return IncidentFigures(
        incident=incident,
        is_page=bool(paging),
        called_at=called_at,
        paged_at=paged_at,
        time_to_page=None if paged_at is None else max(timedelta(0), paged_at - called_at),
        time_to_acknowledge=_time_to_acknowledge(incident, called_at),
        time_to_resolve=lasted,
        people=_people(incident),
        night=night_of(paged_at or called_at, rules) if paging else None,
        is_noise=bool(paging) and not has_action and lasted is not None and lasted <= rules.noise_within,
    )


def night_of(at: datetime, rules: Rules) -> date | None:
    """The evening of the night in which a moment lies; None by day."""
    there = at.astimezone(rules.zone)
    if there.time() >= rules.night_begins:
        return there.date()
    return there.date() - timedelta(days=1) if there.time() < rules.night_ends else None


def _first_notification(incident: Incident, paging: set[str]) -> datetime | None:
    told = (one.received_at for one in incident.notifications if paging.intersection(one.firing))
    return min(told, default=None)


def _time_to_acknowledge(incident: Incident, called_at: datetime) -> timedelta | None:
    acknowledgement = incident.acknowledgement
    if acknowledgement is None:
        return None
    if incident.resolved_at is not None and acknowledgement.happened_at > incident.resolved_at:
        return None
    return max(timedelta(0), acknowledgement.happened_at - called_at)


def _people(incident: Incident) -> tuple[str, ...]:
    if incident.acknowledgement is not None and incident.acknowledgement.by_person:
        return (incident.acknowledgement.author,)
    called = next(
        (entry.people for entry in incident.standing_entries if entry.kind is EntryKind.ASSIGNMENT and entry.people), ()
    )
    if called:
        return tuple(dict.fromkeys(called))
    owners = dict.fromkeys(owner for alert in incident.alerts if (owner := alert.labels.get("owner")))
    return tuple(f"team {owner}" for owner in owners) or (NOBODY,)
