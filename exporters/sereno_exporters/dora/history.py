"""From events to what they say together: pure, and the same whatever order, number or portions they come in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.devops import Commit, Deployment, DevOpsEvent, EventKind, IncidentEvent

from sereno_exporters.dora.blame import Blaming
from sereno_exporters.dora.deployments import DeploymentKey, DeploymentRun, deployment_key, deployment_run
from sereno_exporters.dora.incidents import Incident, IncidentKey, incident_key, incident_of
from sereno_exporters.dora.services import ServiceFold, ServiceHistory

FOLDED = frozenset({EventKind.COMMIT, EventKind.DEPLOYMENT, EventKind.INCIDENT})
"""What figures are made of; pull requests and pipelines bear on none of them."""


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What events say, without any judgement and without a clock."""

    services: Mapping[str, ServiceHistory]
    """By name, in its order."""
    oldest: datetime | None
    """The oldest event: before it nothing is known."""
    newest: datetime | None

    @property
    def runs(self) -> tuple[DeploymentRun, ...]:
        """All deployments of all services, to every environment, by key."""
        runs = {key: run for service in self.services.values() for key, run in service.runs.items()}
        return tuple(runs[key] for key in sorted(runs))


class Folding:
    """Takes events in portions, and folds anew only what a portion can touch.

    `history` is that of all events at once, however they were divided: of facts that were told twice, the one that was
    told first counts.
    """

    def __init__(self) -> None:
        self._known: dict[str, DevOpsEvent] = {}
        self._deployments: dict[DeploymentKey, dict[str, DevOpsEvent]] = {}
        self._incidents: dict[IncidentKey, dict[str, DevOpsEvent]] = {}
        self._runs: dict[DeploymentKey, DeploymentRun] = {}
        self._known_incidents: dict[IncidentKey, Incident] = {}
        self._services: dict[str, ServiceFold] = {}
        self._blaming = Blaming()
        self._touched_runs: set[DeploymentKey] = set()
        self._touched_incidents: set[IncidentKey] = set()
        self._new_commits: dict[tuple[str, str], list[Commit]] = {}
        self._forgotten: set[str] = set()
        """Services of which a commit was taken out: theirs are all added again."""
        self._oldest: datetime | None = None
        self._newest: datetime | None = None
        self._history = DeliveryHistory({}, None, None)

    def add(self, events: Iterable[DevOpsEvent]) -> None:
        """More of them; the same again changes nothing."""
        for event in events:
            known = self._known.get(event.event_id)
            if event.kind not in FOLDED or (known is not None and _told(known) <= _told(event)):
                continue
            if known is not None:
                self._take_out(known)
            self._known[event.event_id] = event
            self._note_time(event, known)
            match event.subject:
                case Commit() as commit:
                    self._new_commits.setdefault((event.service, event.repository), []).append(commit)
                case Deployment() as deployment:
                    key = deployment_key(event, deployment)
                    self._deployments.setdefault(key, {})[event.event_id] = event
                    self._touched_runs.add(key)
                case IncidentEvent() as incident:
                    named = incident_key(event, incident)
                    self._incidents.setdefault(named, {})[event.event_id] = event
                    self._touched_incidents.add(named)
                case _:
                    pass

    def history(self) -> DeliveryHistory:
        """What all events say together; of services that nothing new bears on it is the same object as before."""
        touched = self._fold_commits() | self._fold_runs() | self._fold_incidents() | self._blaming.settle()
        if touched or self._history.newest != self._newest or self._history.oldest != self._oldest:
            services = {**self._history.services}
            services |= {name: self._service(name).history(self._blaming.of(name)) for name in touched}
            self._history = DeliveryHistory(dict(sorted(services.items())), self._oldest, self._newest)
        return self._history

    def _fold_commits(self) -> set[str]:
        for service in self._forgotten:
            self._service(service).forget_commits()
            for event in self._known.values():
                if event.service == service and isinstance(commit := event.subject, Commit):
                    self._new_commits.setdefault((service, event.repository), []).append(commit)
        for (service, repository), commits in self._new_commits.items():
            self._service(service).add_commits(repository, commits)
        touched = {service for service, _ in self._new_commits} | self._forgotten
        self._new_commits, self._forgotten = {}, set()
        return touched

    def _fold_runs(self) -> set[str]:
        for key in self._touched_runs:
            told = self._deployments[key].values()
            old, new = self._runs.pop(key, None), deployment_run(key, told) if told else None
            if new is not None:
                self._runs[key] = new
            self._service(key.service).replace_run(old, new)
            self._blaming.replace_run(old, new)
        touched = {key.service for key in self._touched_runs}
        self._touched_runs = set()
        return touched

    def _fold_incidents(self) -> set[str]:
        for key in self._touched_incidents:
            told = self._incidents[key].values()
            old, new = self._known_incidents.pop(key, None), incident_of(key, told) if told else None
            if new is not None:
                self._known_incidents[key] = new
            self._service(key.service).replace_incident(old, new)
            self._blaming.replace_incident(old, new)
        touched = {key.service for key in self._touched_incidents}
        self._touched_incidents = set()
        return touched

    def _take_out(self, event: DevOpsEvent) -> None:
        """The same fact was told earlier, perhaps when its repository belonged to another service."""
        match event.subject:
            case Commit():
                self._forgotten.add(event.service)
                self._new_commits.pop((event.service, event.repository), None)
            case Deployment() as deployment:
                key = deployment_key(event, deployment)
                del self._deployments[key][event.event_id]
                self._touched_runs.add(key)
            case IncidentEvent() as incident:
                named = incident_key(event, incident)
                del self._incidents[named][event.event_id]
                self._touched_incidents.add(named)
            case _:
                pass

    def _note_time(self, event: DevOpsEvent, known: DevOpsEvent | None) -> None:
        at = event.occurred_at
        self._oldest = at if self._oldest is None else min(self._oldest, at)
        if known is not None and known.occurred_at == self._newest:
            self._newest = max(each.occurred_at for each in self._known.values())
        self._newest = at if self._newest is None else max(self._newest, at)

    def _service(self, name: str) -> ServiceFold:
        return self._services.setdefault(name, ServiceFold(name))


def fold(events: Iterable[DevOpsEvent]) -> DeliveryHistory:
    """What these events say together."""
    folding = Folding()
    folding.add(events)
    return folding.history()


def _told(event: DevOpsEvent) -> tuple[datetime, datetime, str, bool, str]:
    is_production = isinstance(event.subject, Deployment) and event.subject.is_production
    return event.occurred_at, event.received_at, event.delivery_id, is_production, event.service
