"""PagerDuty's webhook (version 3): who acknowledged, noted, passed on and closed, with PagerDuty's own times.

PagerDuty's incident and ours meet by `incident_key`: Alertmanager gives PagerDuty the SHA-256 of its group key, which
each of its deliveries to us holds in clear. Notes come without the key, so all events of one of PagerDuty's incidents
are looked at together. All of it is a function of the *set* of events: their order can't matter.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError
from sereno_backends.incidents import EntryKind, EntrySource, Incident, IncidentEntry

from sereno_postmortems.entries import PAGERDUTY_PREFIX
from sereno_postmortems.webhook import NotJson, in_calendar, problems_of

CLOCKS_DIFFER = timedelta(minutes=1)
"""So much earlier than our alert's start PagerDuty's clock may say that something happened."""
PAGES_LATE = timedelta(minutes=5)
"""So long after an incident's end PagerDuty may hear of it: Alertmanager repeats what couldn't be delivered."""
LONGEST_TEXT = 10_000
NOBODY = "PagerDuty"
_VERSION = "v1="
_MOST_SIGNATURES = 16
_PEOPLE = ("user_reference", "user")


@dataclass(frozen=True, slots=True)
class PagerDutyEvent:
    """One event of one of PagerDuty's incidents."""

    event_id: str
    event_type: str
    occurred_at: datetime
    agent: str
    """Who did it; `PagerDuty` where nobody is named."""
    is_person: bool
    call_id: str
    """PagerDuty's own id of its incident."""
    group_digest: str | None
    """SHA-256 of Alertmanager's group key, in hexadecimal; None where the event doesn't say it."""
    created_at: datetime | None
    """When PagerDuty opened its incident."""
    assignees: tuple[str, ...]
    text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Ignored:
    """PagerDuty's, but nothing that the record takes: a test of the way, or an event of another kind."""

    event_type: str


@dataclass(frozen=True, slots=True)
class NotPagerDuty:
    """The body is JSON, but not what PagerDuty's webhook (version 3) sends."""

    problems: tuple[str, ...]


Read: TypeAlias = PagerDutyEvent | Ignored | NotPagerDuty | NotJson


def is_signed(body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets made one of the signatures of `X-PagerDuty-Signature` (`v1=<hex>,v1=<hex>`)."""
    right = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    given = [one.strip() for one in header.split(",")[:_MOST_SIGNATURES]]
    matches = [
        hmac.compare_digest(one.removeprefix(_VERSION).encode("utf-8", "replace"), signature)
        for one in given
        if one.startswith(_VERSION)
        for signature in right
    ]
    return any(matches)


def group_digest(group_key: str) -> str:
    """What Alertmanager gives PagerDuty as the key of a group."""
    return hashlib.sha256(group_key.encode()).hexdigest()


def read_event(body: bytes, received_at: datetime) -> Read:
    """Read one body. Whatever comes in, one of the four values comes out; nothing is raised for a bad body."""
    try:
        kind = _Envelope.model_validate_json(body).event.event_type
        if kind not in _KINDS and kind != TRIGGERED:
            return Ignored(kind)
        return _event(_Whole.model_validate_json(body).event, received_at)
    except ValidationError as error:
        problems = problems_of(error)
        return problems if isinstance(problems, NotJson) else NotPagerDuty(problems)


def entries_of(incident: Incident, events: Iterable[PagerDutyEvent]) -> tuple[IncidentEntry, ...]:
    """What people did in PagerDuty about this incident.

    An event belongs to every incident of its group that was going on at some time between the opening of PagerDuty's
    incident and the event, so each incident is decided alone.
    """
    digests = {group_digest(told.group_key) for told in incident.notifications}
    calls: dict[str, list[PagerDutyEvent]] = {}
    for event in sorted(events, key=lambda event: (event.occurred_at, event.event_id)):
        calls.setdefault(event.call_id, []).append(event)
    return tuple(
        _entry(event)
        for call in calls.values()
        if digests & {event.group_digest for event in call}
        for event in call
        if _overlaps(incident, call, event)
    )


def begin_of(call: Iterable[PagerDutyEvent]) -> datetime:
    """When PagerDuty opened its incident, as far as its events tell it, less what clocks and delays may differ."""
    moments = [moment for event in call for moment in (event.created_at, event.occurred_at) if moment is not None]
    return min(moments) - PAGES_LATE


def _overlaps(incident: Incident, call: Sequence[PagerDutyEvent], event: PagerDutyEvent) -> bool:
    opened = min(moment for one in call for moment in (one.created_at, one.occurred_at) if moment is not None)
    closed = [one.occurred_at for one in call if one.event_type == RESOLVED]
    until = min([event.occurred_at, max(closed, default=event.occurred_at)])
    began_before = incident.opened_at - CLOCKS_DIFFER <= until
    return began_before and (incident.resolved_at is None or opened <= incident.resolved_at + PAGES_LATE)


def _entry(event: PagerDutyEvent) -> IncidentEntry:
    return IncidentEntry(
        entry_id=f"{PAGERDUTY_PREFIX}{event.event_id}",
        kind=_KINDS.get(event.event_type, EntryKind.ASSIGNMENT),
        author=event.agent,
        happened_at=event.occurred_at,
        written_at=event.received_at,
        text=event.text,
        source=EntrySource.PAGERDUTY,
        by_person=event.is_person,
        people=event.assignees if event.event_type in _CALLS else (),
    )


TRIGGERED = "incident.triggered"
RESOLVED = "incident.resolved"
_CALLS = (TRIGGERED, "incident.reassigned", "incident.escalated", "incident.delegated")
_KINDS = {
    "incident.acknowledged": EntryKind.ACKNOWLEDGEMENT,
    RESOLVED: EntryKind.RESOLUTION,
    "incident.annotated": EntryKind.NOTE,
    **dict.fromkeys(_CALLS, EntryKind.ASSIGNMENT),
}

Moment = Annotated[AwareDatetime, AfterValidator(in_calendar)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Kind(BaseModel):
    event_type: Name


class _Envelope(BaseModel):
    event: _Kind


class _Reference(BaseModel):
    summary: Annotated[str, Field(max_length=1_000)] | None = None
    type: str = ""
    id: str = ""


class _Parent(BaseModel):
    id: Name


class _Data(BaseModel):
    """An incident, or a note about one: `incident` then names it."""

    id: Name
    incident_key: Annotated[str, Field(max_length=1_000)] | None = None
    created_at: Moment | None = None
    assignees: list[_Reference] = Field(default_factory=list, max_length=1_000)
    content: str = ""
    incident: _Parent | None = None


class _Event(BaseModel):
    id: Name
    event_type: Name
    occurred_at: Moment
    agent: _Reference | None = None
    data: _Data


class _Whole(BaseModel):
    event: _Event


def _event(told: _Event, received_at: datetime) -> PagerDutyEvent:
    data, agent = told.data, told.agent
    assignees = tuple(name for one in data.assignees if (name := one.summary or one.id))
    return PagerDutyEvent(
        event_id=told.id,
        event_type=told.event_type,
        occurred_at=told.occurred_at,
        agent=(agent.summary or agent.id or NOBODY) if agent else NOBODY,
        is_person=agent is not None and agent.type in _PEOPLE,
        call_id=data.incident.id if data.incident else data.id,
        group_digest=data.incident_key.lower() if data.incident_key else None,
        created_at=data.created_at,
        assignees=assignees,
        text=_text(told, assignees),
        received_at=received_at,
    )


def _text(told: _Event, assignees: tuple[str, ...]) -> str:
    if told.event_type == "incident.annotated":
        return told.data.content[:LONGEST_TEXT]
    if told.event_type in _CALLS and assignees:
        word = "called" if told.event_type == TRIGGERED else told.event_type.removeprefix("incident.") + " to"
        return f"{word} {', '.join(assignees)}"[:LONGEST_TEXT]
    return ""
