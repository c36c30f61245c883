"""Which deployment an incident is put down to: what it names, else the one that it followed soon."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sereno_exporters.dora.deployments import DeploymentKey, DeploymentRun
from sereno_exporters.dora.history import DeliveryHistory
from sereno_exporters.dora.incidents import Incident
from sereno_exporters.dora.policy import DoraPolicy

_SHORTEST_SHA = 7
"""As git abbreviates; what is shorter names nothing."""
_Deployed = tuple[datetime, DeploymentRun]


@dataclass(frozen=True, slots=True)
class Blame:
    """Incidents by the deployment that they are put down to, in the order of their beginnings."""

    naming: Mapping[DeploymentKey, tuple[Incident, ...]]
    following: Mapping[DeploymentKey, tuple[Incident, ...]]


def blame(history: DeliveryHistory, policy: DoraPolicy) -> Blame:
    """Each incident at most once: who names a cause that isn't known here blames nothing else."""
    index = _Index(history)
    naming: dict[DeploymentKey, tuple[Incident, ...]] = {}
    following: dict[DeploymentKey, tuple[Incident, ...]] = {}
    for incident in sorted(history.incidents, key=lambda each: (each.opened_at, each.key)):
        if incident.names_a_cause:
            for run in index.named(incident):
                naming[run.key] = (*naming.get(run.key, ()), incident)
        elif (latest := index.latest_before(incident)) is not None:
            deployed_at, run = latest
            if incident.opened_at - deployed_at <= policy.incident_within:
                following[run.key] = (*following.get(run.key, ()), incident)
    return Blame(naming, following)


class _Index:
    """Successful deployments to production, as incidents look for them."""

    def __init__(self, history: DeliveryHistory) -> None:
        self._by_id: dict[str, list[_Deployed]] = {}
        self._by_service: dict[str, list[_Deployed]] = {}
        self._by_place: dict[tuple[str, str], list[_Deployed]] = {}
        for runs in history.production.values():
            for run in runs:
                if run.deployed_at is not None:
                    each = (run.deployed_at, run)
                    self._by_id.setdefault(run.key.deployment_id, []).append(each)
                    self._by_service.setdefault(run.key.service, []).append(each)
                    self._by_place.setdefault((run.key.service, run.key.environment), []).append(each)
        for found in (*self._by_service.values(), *self._by_place.values()):
            found.sort(key=_order)

    def named(self, incident: Incident) -> Sequence[DeploymentRun]:
        """What it names, in each environment that it means."""
        if incident.deployment_id:
            return self._of_id(incident, incident.deployment_id)
        return self._of_sha(incident, incident.deployment_sha or "")

    def latest_before(self, incident: Incident) -> _Deployed | None:
        """The last deployment before it began, to its environment, or to any where it names none."""
        placed = self._in(incident)
        index = bisect_right(placed, incident.opened_at, key=lambda each: each[0])
        return placed[index - 1] if index else None

    def _in(self, incident: Incident) -> Sequence[_Deployed]:
        service, environment = incident.key.service, incident.environment
        return (self._by_place.get((service, environment)) if environment else self._by_service.get(service)) or ()

    def _of_id(self, incident: Incident, deployment_id: str) -> Sequence[DeploymentRun]:
        """Ids are unique in a repository; an incident may be kept in another one than what it is about."""
        runs = [run for _, run in self._by_id.get(deployment_id, ())]
        own = [run for run in runs if run.key.repository == incident.key.repository]
        near = own or [run for run in runs if run.key.service == incident.key.service]
        if not near and len({(run.key.source, run.key.repository) for run in runs}) == 1:
            near = runs
        return [run for run in near if incident.environment in ("", run.key.environment)] or near

    def _of_sha(self, incident: Incident, sha: str) -> Sequence[DeploymentRun]:
        """The commit's last deployment before the incident began in each environment, else its first after."""
        if len(sha) < _SHORTEST_SHA:
            return ()
        matching = [each for each in self._in(incident) if _has(each[1], sha)]
        return [
            _last_before([each for each in matching if each[1].key.environment == environment], incident.opened_at)
            for environment in _environments(matching)
        ]


def _has(run: DeploymentRun, sha: str) -> bool:
    """Whether the deployment was of this commit, or lists it."""
    return any(each.startswith(sha) for each in (run.sha or "", *run.shas))


def _environments(deployed: Iterable[_Deployed]) -> Iterable[str]:
    return sorted({run.key.environment for _, run in deployed})


def _last_before(deployed: Sequence[_Deployed], at: datetime) -> DeploymentRun:
    index = bisect_right(deployed, at, key=lambda each: each[0])
    return deployed[max(0, index - 1)][1]


def _order(each: _Deployed) -> tuple[datetime, DeploymentKey]:
    return each[0], each[1].key
