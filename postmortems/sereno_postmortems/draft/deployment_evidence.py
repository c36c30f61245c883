"""What went out to production before the incident and while it lasted, as webhooks told it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.devops import (
    Commit,
    Deployment,
    DevOpsEvent,
    DevOpsEventStore,
    DevOpsQuery,
    DevOpsStoreUnavailable,
    EventKind,
    RunStatus,
)

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.windows import Windows

SUSPECT_WITHIN = timedelta(hours=1)
"""What went out so soon before users were hit is worth a look; `sereno dora` asks no further either."""
_MOST_COMMITS = 1_000
"""The newest of a repository, among which a deployed commit's author is looked for."""


@dataclass(frozen=True, slots=True)
class WentOut:
    """A deployment to production that succeeded."""

    at: datetime
    service: str
    environment: str
    what: str
    """The commit, abbreviated, and the version where there is one."""
    by: str
    """Who started it; empty where nobody said."""
    last_commit: str
    """Its author and title; empty where no push told it."""


def ask_deployments(store: DevOpsEventStore | None, windows: Windows) -> Fact[tuple[WentOut, ...]]:
    """Those from the beginning of the baseline on, of every service: what was deployed elsewhere matters, too.

    Without a store nobody was asked; one that can't be read is a source that is missing.
    """
    if store is None:
        return Measured((), ())
    start, end = windows.baseline.start, windows.evidence.end
    asked = Question(
        SourceKind.DEVOPS, store.name, "successful deployments to production", f"{start:%FT%TZ} to {end:%FT%TZ}"
    )
    try:
        events = store.deployments_between(start, end)
        commits = _commits(store, {event.repository for event in events}, end)
    except DevOpsStoreUnavailable as error:
        return NotMeasured(str(error), (asked,))
    return Measured(_went_out(events, commits), (asked,))


def deployment_in_words(deployment: WentOut) -> str:
    """What, where to, by whom."""
    by = f" by {deployment.by}" if deployment.by else ""
    last = f" (last commit by {deployment.last_commit})" if deployment.last_commit else ""
    return f"{deployment.service}: deployed {deployment.what} to {deployment.environment}{by}{last}"


def _went_out(events: Iterable[DevOpsEvent], commits: dict[str, Commit]) -> tuple[WentOut, ...]:
    """Each deployment once, when it first succeeded."""
    found: dict[tuple[str, str, str, str], WentOut] = {}
    for event in events:
        told = event.subject
        if not (isinstance(told, Deployment) and told.is_production and told.status is RunStatus.SUCCEEDED):
            continue
        key = (event.source, event.repository, told.deployment_id, told.environment)
        at = told.finished_at or event.occurred_at
        if key not in found or at < found[key].at:
            commit = commits.get(told.sha or "")
            found[key] = WentOut(
                at=at,
                service=event.service,
                environment=told.environment,
                what=" ".join(filter(None, (told.version, (told.sha or "")[:10]))) or told.deployment_id,
                by=told.actor,
                last_commit="" if commit is None or not commit.author else _signed(commit),
            )
    return tuple(sorted(found.values(), key=lambda each: (each.at, each.service, each.environment)))


def _signed(commit: Commit) -> str:
    return f"{commit.author}: {commit.title}" if commit.title else commit.author


def _commits(store: DevOpsEventStore, repositories: set[str], end: datetime) -> dict[str, Commit]:
    """The newest commits of these repositories, by sha."""
    found: dict[str, Commit] = {}
    for repository in sorted(repositories):
        query = DevOpsQuery(end=end, kinds=(EventKind.COMMIT,), repositories=(repository,), limit=_MOST_COMMITS)
        for event in store.events(query):
            if isinstance(event.subject, Commit):
                found[event.subject.sha] = event.subject
    return found
