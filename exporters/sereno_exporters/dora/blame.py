"""Which deployment an incident is put down to: what it names, else the last one before it began.

An incident may name a deployment of another service: this is the only thing in which services touch each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_exporters.dora.deployments import DeploymentKey, DeploymentRun
from sereno_exporters.dora.incidents import Incident, IncidentKey
from sereno_exporters.dora.ordered import Chronicle

_SHORTEST_SHA = 7
"""As git abbreviates; what is shorter names nothing."""
_Deployed = Chronicle[DeploymentKey, DeploymentRun]


@dataclass(frozen=True, slots=True)
class Blame:
    """A service's deployments with the incidents that are put down to them, in the order of their beginnings."""

    naming: Mapping[DeploymentKey, tuple[Incident, ...]]
    """Incidents that name the deployment as their cause."""
    following: Mapping[DeploymentKey, tuple[Incident, ...]]
    """Incidents that name nothing, and before which it was the last one, however long before."""


class Blaming:
    """Puts each incident down to deployments, anew only when something that bears on it has changed.

    Each incident has one cause at most (in each environment): who names a cause that isn't known blames nothing else.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, dict[DeploymentKey, DeploymentRun]] = {}
        self._by_sha: dict[str, dict[DeploymentKey, DeploymentRun]] = {}
        self._by_service: dict[str, _Deployed] = {}
        self._by_place: dict[tuple[str, str], _Deployed] = {}
        self._incidents: dict[IncidentKey, Incident] = {}
        self._naming: dict[str, set[IncidentKey]] = {}
        """By deployment's id and by commit's beginning; both in one, since too much is looked at anew at worst."""
        self._silent: dict[str, Chronicle[IncidentKey, Incident]] = {}
        """By service: those that name nothing."""
        self._causes: dict[IncidentKey, tuple[DeploymentKey, ...]] = {}
        self._blamed: dict[str, dict[DeploymentKey, set[IncidentKey]]] = {}
        self._stale: set[IncidentKey] = set()

    def replace_run(self, old: DeploymentRun | None, new: DeploymentRun | None) -> None:
        """A deployment is told otherwise than before; those that never reached production bear on nothing."""
        for run, is_new in ((old, False), (new, True)):
            if run is not None and run.is_production and run.deployed_at is not None:
                for found, name in self._indexes(run):
                    if is_new:
                        found.setdefault(name, {})[run.key] = run
                    else:
                        del found[name][run.key]
                place = (run.key.service, run.key.environment)
                for chronicle in (
                    self._by_service.setdefault(run.key.service, Chronicle()),
                    self._by_place.setdefault(place, Chronicle()),
                ):
                    if is_new:
                        chronicle.put(run.deployed_at, run.key, run)
                    else:
                        chronicle.drop(run.deployed_at, run.key)
                self._stale.update(self._touched_by(run))

    def replace_incident(self, old: Incident | None, new: Incident | None) -> None:
        """An incident is told otherwise than before."""
        if old is not None:
            del self._incidents[old.key]
            self._stale.add(old.key)
            for name in _names(old):
                self._naming[name].discard(old.key)
            if not old.names_a_cause:
                self._silent[old.key.service].drop(old.opened_at, old.key)
        if new is not None:
            self._incidents[new.key] = new
            self._stale.add(new.key)
            for name in _names(new):
                self._naming.setdefault(name, set()).add(new.key)
            if not new.names_a_cause:
                self._silent.setdefault(new.key.service, Chronicle()).put(new.opened_at, new.key, new)

    def settle(self) -> set[str]:
        """Put down anew what has to be; the services of whose deployments something else is said now."""
        touched: set[str] = set()
        for key in self._stale:
            incident = self._incidents.get(key)
            before = self._causes.pop(key, ())
            after = () if incident is None else tuple(run.key for run in self._causes_of(incident))
            for cause in before:
                blamed = self._blamed[cause.service]
                blamed[cause].discard(key)
                if not blamed[cause]:
                    del blamed[cause]
            for cause in after:
                self._blamed.setdefault(cause.service, {}).setdefault(cause, set()).add(key)
            if after:
                self._causes[key] = after
            touched.update(cause.service for cause in (*before, *after))
        self._stale = set()
        return touched

    def of(self, service: str) -> Blame:
        """What is settled of a service's deployments."""
        naming: dict[DeploymentKey, tuple[Incident, ...]] = {}
        following: dict[DeploymentKey, tuple[Incident, ...]] = {}
        for cause, keys in self._blamed.get(service, {}).items():
            incidents = sorted((self._incidents[key] for key in keys), key=lambda each: (each.opened_at, each.key))
            for found, names in ((naming, True), (following, False)):
                if chosen := tuple(each for each in incidents if each.names_a_cause is names):
                    found[cause] = chosen
        return Blame(naming, following)

    def _indexes(self, run: DeploymentRun) -> Iterator[tuple[dict[str, dict[DeploymentKey, DeploymentRun]], str]]:
        yield self._by_id, run.key.deployment_id
        for beginning in {sha[:_SHORTEST_SHA] for sha in _shas(run)}:
            yield self._by_sha, beginning

    def _touched_by(self, run: DeploymentRun) -> Iterator[IncidentKey]:
        """Incidents whose cause may be another one, with or without this deployment."""
        for _, name in self._indexes(run):
            yield from self._naming.get(name, ())
        silent = self._silent.get(run.key.service)
        if silent is not None:
            deployed_at = run.when_deployed()
            until = self._by_place[run.key.service, run.key.environment].next_at(deployed_at)
            yield from (incident.key for incident in silent.between(deployed_at, until))

    def _causes_of(self, incident: Incident) -> Iterable[DeploymentRun]:
        """What it names, in each environment that it means; else the last deployment before it began."""
        if incident.names_a_cause:
            by_id = self._of_id(incident, incident.deployment_id) if incident.deployment_id else ()
            return by_id or tuple(self._of_sha(incident, incident.deployment_sha or ""))
        service, environment = incident.key.service, incident.environment
        placed = self._by_place.get((service, environment)) if environment else self._by_service.get(service)
        latest = None if placed is None else placed.last(incident.opened_at)
        return () if latest is None else (latest,)

    def _of_id(self, incident: Incident, deployment_id: str) -> Sequence[DeploymentRun]:
        """Ids are unique in a repository; an incident may be kept in another one than what it is about."""
        runs = tuple(self._by_id.get(deployment_id, {}).values())
        own = [run for run in runs if run.key.repository == incident.key.repository]
        near: Sequence[DeploymentRun] = own or [run for run in runs if run.key.service == incident.key.service]
        if not near and len({(run.key.source, run.key.repository) for run in runs}) == 1:
            near = runs
        return [run for run in near if incident.environment in ("", run.key.environment)] or near

    def _of_sha(self, incident: Incident, sha: str) -> Iterator[DeploymentRun]:
        """The commit's last deployment before the incident began in each environment, else its first after."""
        if len(sha) < _SHORTEST_SHA:
            return
        environments: dict[str, list[DeploymentRun]] = {}
        for run in self._by_sha.get(sha[:_SHORTEST_SHA], {}).values():
            is_meant = run.key.service == incident.key.service and incident.environment in ("", run.key.environment)
            if is_meant and any(each.startswith(sha) for each in _shas(run)):
                environments.setdefault(run.key.environment, []).append(run)
        for runs in environments.values():
            runs.sort(key=lambda run: (run.when_deployed(), run.key))
            before = [run for run in runs if run.when_deployed() <= incident.opened_at]
            yield before[-1] if before else runs[0]


def _shas(run: DeploymentRun) -> tuple[str, ...]:
    """The commit that was deployed, and those that the deployment lists."""
    return run.shas if run.sha is None else (run.sha, *run.shas)


def _names(incident: Incident) -> Iterator[str]:
    """What it names, as deployments are looked up by it."""
    if incident.deployment_id:
        yield incident.deployment_id
    if incident.deployment_sha:
        yield incident.deployment_sha[:_SHORTEST_SHA]
