"""From events to incidents: when each began and ended, and which deployment people say caused it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sereno_backends.devops import DevOpsEvent, IncidentAction, IncidentEvent

_ORDER: Final = (
    IncidentAction.OPENED,
    IncidentAction.UPDATED,
    IncidentAction.LINKED,
    IncidentAction.RESOLVED,
    IncidentAction.REOPENED,
)
"""Of one moment: what can only follow stands behind."""
_STATES: Final = (IncidentAction.OPENED, IncidentAction.RESOLVED, IncidentAction.REOPENED)


@dataclass(frozen=True, slots=True, order=True)
class IncidentKey:
    """What makes events tell of one incident."""

    service: str
    repository: str
    source: str
    incident_id: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident, with everything that its events say together."""

    key: IncidentKey
    opened_at: datetime
    resolved_at: datetime | None
    """None while it is open, and when it was opened again."""
    title: str
    environment: str
    """Empty where nobody said."""
    deployment_id: str | None
    """What it names as its cause; the newest word."""
    deployment_sha: str | None
    opened_event_id: str
    named_at: datetime | None
    """When people said so."""
    named_event_id: str
    """The event that names the cause; empty where none does."""
    resolved_event_id: str

    @property
    def names_a_cause(self) -> bool:
        """Whether people have said what caused it: then nothing is guessed."""
        return bool(self.deployment_id or self.deployment_sha)


def incident_key(event: DevOpsEvent, incident: IncidentEvent) -> IncidentKey:
    """Which incident an event tells of."""
    return IncidentKey(event.service, event.repository, event.source, incident.incident_id)


def incident_of(key: IncidentKey, events: Iterable[DevOpsEvent]) -> Incident:
    """What all events of an incident say together; there is at least one."""
    told = [(event, event.subject) for event in events if isinstance(event.subject, IncidentEvent)]
    ordered = sorted(told, key=lambda each: (each[0].occurred_at, _ORDER.index(each[1].action), each[0].event_id))
    newest_first = ordered[::-1]
    # Later events often repeat when it was opened: the one that opened it is the better evidence.
    opened_at, _, opened_event_id = min(
        (subject.opened_at or event.occurred_at, _ORDER.index(subject.action), event.event_id)
        for event, subject in ordered
    )
    state = next((each for each in newest_first if each[1].action in _STATES), None)
    resolved = state if state is not None and state[1].action is IncidentAction.RESOLVED else None
    naming = next((each for each in newest_first if each[1].deployment_id or each[1].deployment_sha), None)
    return Incident(
        key=key,
        opened_at=opened_at,
        resolved_at=None if resolved is None else resolved[1].resolved_at or resolved[0].occurred_at,
        title=next((subject.title for _, subject in newest_first if subject.title), ""),
        environment=next((subject.environment for _, subject in newest_first if subject.environment), ""),
        deployment_id=None if naming is None else naming[1].deployment_id,
        deployment_sha=None if naming is None else naming[1].deployment_sha,
        opened_event_id=opened_event_id,
        named_at=None if naming is None else naming[0].occurred_at,
        named_event_id="" if naming is None else naming[0].event_id,
        resolved_event_id="" if resolved is None else resolved[0].event_id,
    )
