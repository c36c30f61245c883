"""What events say of one service, kept up to date deployment by deployment, incident by incident, push by push."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.devops import Commit, RunStatus

from sereno_exporters.dora.blame import Blame
from sereno_exporters.dora.commits import Commits, Deliveries, Delivery
from sereno_exporters.dora.deployments import COUNTED, DeploymentKey, DeploymentRun
from sereno_exporters.dora.incidents import Incident, IncidentKey
from sereno_exporters.dora.ordered import Chronicle

Track = tuple[str, str]
"""Environment and repository: a service's deployments that replace each other."""


@dataclass(frozen=True, slots=True)
class TrackHistory:
    """Successful deployments to one production environment of one repository, in the order of their times."""

    runs: tuple[DeploymentRun, ...]
    deliveries: tuple[Delivery, ...]
    """What each of `runs` brought, at the same place."""
    first: Mapping[str, int]
    """The place in `runs` at which each revision was first deployed."""


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What events say of one service, without any judgement and without a clock."""

    service: str
    runs: Mapping[DeploymentKey, DeploymentRun]
    """All deployments, to every environment."""
    incidents: tuple[Incident, ...]
    """In the order of their beginnings."""
    tracks: Mapping[Track, TrackHistory]
    blame: Blame
    ended: Mapping[str, Mapping[RunStatus, int]]
    """By environment: how many deployments had each of these ends; one that was tried again counts under both."""
    latest: Mapping[str, DeploymentRun]
    """By environment, production or not: the last that succeeded."""
    unsuccessful: Mapping[str, tuple[datetime, ...]]
    """By environment that counts as production: when deployments that never succeeded failed, in order."""


class ServiceFold:
    """One service's events, folded so far."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._runs: dict[DeploymentKey, DeploymentRun] = {}
        self._incidents: Chronicle[IncidentKey, Incident] = Chronicle()
        self._commits = Commits()
        self._tracks: dict[Track, _TrackFold] = {}
        self._ended: dict[str, Counter[RunStatus]] = {}
        self._succeeded: dict[str, Chronicle[DeploymentKey, DeploymentRun]] = {}
        self._unsuccessful: dict[str, Chronicle[DeploymentKey, datetime]] = {}

    def replace_run(self, old: DeploymentRun | None, new: DeploymentRun | None) -> None:
        """A deployment is told otherwise than before."""
        if old is not None:
            del self._runs[old.key]
            self._ended[old.key.environment].subtract(old.reached)
            if old.deployed_at is not None:
                self._succeeded[old.key.environment].drop(old.deployed_at, old.key)
                if old.is_production:
                    self._tracks[_track(old)].runs.drop(old.deployed_at, old.key)
            elif old.is_production and old.failed_at is not None:
                self._unsuccessful[old.key.environment].drop(old.failed_at, old.key)
        if new is not None:
            self._runs[new.key] = new
            environment = new.key.environment
            self._ended.setdefault(environment, Counter()).update(new.reached)
            if new.deployed_at is not None:
                self._succeeded.setdefault(environment, Chronicle()).put(new.deployed_at, new.key, new)
                if new.is_production:
                    self._tracks.setdefault(_track(new), _TrackFold()).runs.put(new.deployed_at, new.key, new)
            elif new.is_production and new.failed_at is not None:
                self._unsuccessful.setdefault(environment, Chronicle()).put(new.failed_at, new.key, new.failed_at)

    def replace_incident(self, old: Incident | None, new: Incident | None) -> None:
        """An incident is told otherwise than before."""
        if old is not None:
            self._incidents.drop(old.opened_at, old.key)
        if new is not None:
            self._incidents.put(new.opened_at, new.key, new)

    def add_commits(self, repository: str, commits: Iterable[Commit]) -> None:
        """A service may be built from several repositories."""
        touched = self._commits.add(repository, commits)
        for track in self._tracks.values():
            track.note_commits(touched)

    def forget_commits(self) -> None:
        """Those that are the service's are added again after this."""
        self._commits = Commits()
        for track in self._tracks.values():
            track.begin_again()

    def history(self, blame: Blame) -> ServiceHistory:
        """What all of it says now."""
        return ServiceHistory(
            service=self._service,
            runs=dict(self._runs),
            incidents=self._incidents.values(),
            tracks={key: track.history(self._commits) for key, track in sorted(self._tracks.items()) if track.runs},
            blame=blame,
            ended={
                environment: {status: counts[status] for status in COUNTED}
                for environment, counts in self._ended.items()
                if counts.total()
            },
            latest={
                environment: latest
                for environment, succeeded in self._succeeded.items()
                if (latest := succeeded.last()) is not None
            },
            unsuccessful={environment: failed.values() for environment, failed in self._unsuccessful.items() if failed},
        )


class _TrackFold:
    """Deployments that replace each other. One more at the end is what usually comes: the rest stays as it is then."""

    def __init__(self) -> None:
        self.runs: Chronicle[DeploymentKey, DeploymentRun] = Chronicle()
        self.begin_again()

    def begin_again(self) -> None:
        """Nothing that was folded holds any more."""
        self._deliveries = Deliveries()
        self._first: dict[str, int] = {}
        self._history = TrackHistory((), (), {})

    def note_commits(self, touched: set[str]) -> None:
        """What stands before these commits is told otherwise than before."""
        if self._deliveries.rest_on(touched):
            self.begin_again()

    def history(self, commits: Commits) -> TrackHistory:
        """All of them, and what they brought."""
        runs, before = self.runs.values(), self._history.runs
        if runs != before:
            if len(runs) < len(before) or any(_differ(*pair) for pair in zip(before, runs, strict=False)):
                self.begin_again()
            self._history = self._extended(runs, commits)
        return self._history

    def _extended(self, runs: Sequence[DeploymentRun], commits: Commits) -> TrackHistory:
        known = len(self._history.deliveries)
        for index, run in enumerate(runs[known:], known):
            if run.revision:
                self._first.setdefault(run.revision, index)
        brought = (self._deliveries.of(run, commits) for run in runs[known:])
        return TrackHistory(tuple(runs), (*self._history.deliveries, *brought), dict(self._first))


def _differ(one: DeploymentRun, other: DeploymentRun) -> bool:
    """Whether these can bring different commits."""
    return one is not other and _content(one) != _content(other)


def _content(run: DeploymentRun) -> tuple[object, ...]:
    return run.key, run.deployed_at, run.sha, run.previous_sha, run.shas, run.branch, run.version


def _track(run: DeploymentRun) -> Track:
    return run.key.environment, run.key.repository
