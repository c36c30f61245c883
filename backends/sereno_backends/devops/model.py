"""The schema of DevOps events: what happened in development and delivery, as frozen values. All times are aware UTC.

One delivery of a webhook becomes any number of events (a push: one for each commit). Each event is an envelope around
one subject; the subjects are a closed union. Nothing here is a figure: DORA's figures are folded from these facts.
"""

import hashlib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias, assert_never

import orjson


class Provider(StrEnum):
    """Whose webhooks these are."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE_DEVOPS = "azure_devops"
    JENKINS = "jenkins"
    BITBUCKET = "bitbucket"
    GENERIC = "generic"
    """Sereno's own documented form, for whatever has no translator."""


class EventKind(StrEnum):
    """What an event's subject is."""

    COMMIT = "commit"
    PULL_REQUEST = "pull_request"
    PIPELINE = "pipeline"
    DEPLOYMENT = "deployment"
    INCIDENT = "incident"


class PullRequestState(StrEnum):
    """Where a pull request (GitLab: merge request) stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    """Closed without being merged."""


class RunStatus(StrEnum):
    """Where a pipeline or a deployment stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether it has ended, one way or another."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class IncidentAction(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    LINKED = "linked"
    """It was said which deployment caused it."""
    RESOLVED = "resolved"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that was pushed. The same commit pushed to two branches is two events."""

    sha: str
    authored_at: datetime
    """When it was written (the author's time, where the provider tells it): lead time begins here."""
    branch: str
    """The branch that it was pushed to, without `refs/heads/`; empty where the provider doesn't say."""
    parents: tuple[str, ...] = ()
    """As far as the provider tells them: GitHub, GitLab and Azure DevOps don't, Bitbucket does."""
    push_before: str | None = None
    """What the branch pointed to before the push; None for a new branch. Pushes chain by this to `push_after`."""
    push_after: str | None = None
    """What the branch points to since: a deployment of this contains all commits of the push."""
    push_position: int = 0
    """Its place among the push's commits, the oldest is 0."""
    author: str = ""
    title: str = ""
    """The first line of its message."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """How a pull request stands after something happened to it."""

    number: str
    state: PullRequestState
    title: str = ""
    source_branch: str = ""
    target_branch: str = ""
    head_sha: str | None = None
    """The newest commit that is to be merged."""
    merge_sha: str | None = None
    """The commit on the target branch that merged it."""
    opened_at: datetime | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    author: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How a run of a pipeline (workflow, build) stands."""

    run_id: str
    """With its repository it identifies the run; `attempt` tells repetitions of a run apart."""
    status: RunStatus
    name: str = ""
    attempt: int = 1
    sha: str | None = None
    branch: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    """Only where the status is final."""
    url: str = ""
    actor: str = ""
    """Who started it, as the provider names people; empty where it doesn't say."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """How a deployment stands."""

    deployment_id: str
    """With its repository it identifies the deployment; all its events carry the same."""
    environment: str
    """As the provider names it."""
    is_production: bool
    """Whether the configuration (or, where that says nothing, the provider) counts the environment as production."""
    status: RunStatus
    sha: str | None = None
    """The commit that was deployed."""
    previous_sha: str | None = None
    """The commit that was there before, where the provider tells it."""
    shas: tuple[str, ...] = ()
    """Commits that it brought, where the provider lists them."""
    branch: str = ""
    """Branch or tag."""
    version: str = ""
    """A release's name, where there is one."""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    """Only where the status is final."""
    is_rollback: bool | None = None
    """Whether it brought back something older; None where the provider doesn't say."""
    is_unplanned: bool | None = None
    """Whether it repaired something that users saw (rework); None where the provider doesn't say."""
    url: str = ""
    actor: str = ""
    """Who started it, as the provider names people; empty where it doesn't say."""


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """Something that happened to an incident, as a provider tells it."""

    incident_id: str
    action: IncidentAction
    title: str = ""
    severity: str = ""
    environment: str = ""
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    deployment_id: str | None = None
    """The deployment that it names as its cause."""
    deployment_sha: str | None = None
    """The commit that it names as its cause."""
    url: str = ""


_NO_PART_OF_THE_FACT: Final = frozenset({"is_production", "actor"})
"""Fields that ids say nothing of: how an environment counts is the reader's view, and who did it was read later only.
What was stored before that and is told again stays one event."""

Subject: TypeAlias = Commit | PullRequest | Pipeline | Deployment | IncidentEvent


def kind_of(subject: Subject) -> EventKind:
    """The kind that a subject is."""
    match subject:
        case Commit():
            return EventKind.COMMIT
        case PullRequest():
            return EventKind.PULL_REQUEST
        case Pipeline():
            return EventKind.PIPELINE
        case Deployment():
            return EventKind.DEPLOYMENT
        case IncidentEvent():
            return EventKind.INCIDENT
        case _:
            assert_never(subject)


@dataclass(frozen=True, slots=True)
class DevOpsEvent:
    """One fact. Its id follows from what it says: a fact that is told twice, by whatever delivery, is one event."""

    event_id: str
    provider: Provider
    source: str
    """The name of the source in the configuration that it came by."""
    delivery_id: str
    """The delivery that told it first; the store keeps the original payload under it."""
    occurred_at: datetime
    """By the provider; where it tells no time, when the delivery was received."""
    received_at: datetime
    repository: str
    """As the provider names it in full, such as `acme/shop`."""
    service: str
    """What the configuration maps the repository to."""
    subject: Subject

    @property
    def kind(self) -> EventKind:
        """What its subject is."""
        return kind_of(self.subject)

    @property
    def environment(self) -> str:
        """The environment that its subject names; empty where it names none."""
        match self.subject:
            case Deployment() | IncidentEvent() as subject:
                return subject.environment
            case Commit() | PullRequest() | Pipeline():
                return ""
            case _:
                assert_never(self.subject)


def event_id_of(source: str, repository: str, occurred_at: datetime | None, subject: Subject) -> str:
    """The id of a fact: a hash over everything that the provider said, and nothing of when or how it was received.

    Args:
        source: the name of the source.
        repository: the provider's full name of it.
        occurred_at: the provider's time; None where it told none.
        subject: what it told; how an environment counts and who did it make no other fact of it.
    """
    told: dict[str, Any] = {
        "source": source,
        "repository": repository,
        "occurred_at": None if occurred_at is None else occurred_at.astimezone(UTC),
        "kind": kind_of(subject).value,
        # Defaults are left out: a field that the schema gets later changes no id of what was told before.
        "subject": {
            field.name: value
            for field in fields(subject)
            if field.name not in _NO_PART_OF_THE_FACT and (value := getattr(subject, field.name)) != field.default
        },
    }
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
