"""From events to deployments: all that was told of one, whatever order it came in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sereno_backends.devops import Deployment, DevOpsEvent, RunStatus

COUNTED: Final = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)
"""Ends of a deployment that are counted; what was skipped never began."""


@dataclass(frozen=True, slots=True, order=True)
class DeploymentKey:
    """What makes events tell of one deployment. Nothing in it can change by what comes later."""

    service: str
    environment: str
    repository: str
    source: str
    deployment_id: str


@dataclass(frozen=True, slots=True)
class DeploymentRun:
    """A deployment, with everything that its events say together."""

    key: DeploymentKey
    is_production: bool
    status: RunStatus
    """Of the newest event."""
    reached: tuple[RunStatus, ...]
    """Those of `COUNTED` that it ever had: what was tried again after a failure has two."""
    deployed_at: datetime | None
    """When it first succeeded."""
    started_at: datetime | None
    """When what succeeded then began to go out, as far as anybody told."""
    failed_at: datetime | None
    """When it first failed."""
    sha: str | None
    previous_sha: str | None
    shas: tuple[str, ...]
    branch: str
    version: str
    is_rollback: bool | None
    is_unplanned: bool | None
    actor: str
    url: str
    event_ids: tuple[str, ...]
    """All its events, oldest first."""
    success_event_id: str
    """The event that told of the first success; empty where none did."""

    def when_deployed(self) -> datetime:
        """`deployed_at` of a deployment that succeeded.

        Raises:
            ValueError: it never did.
        """
        if self.deployed_at is None:
            raise ValueError(f"{self.key} was never deployed")
        return self.deployed_at

    @property
    def revision(self) -> str:
        """What was deployed, as far as it is known: commit, else version."""
        return self.sha or self.version

    @property
    def shown(self) -> str:
        """The same for people."""
        return self.version or (self.sha or "")[:10] or self.key.deployment_id


def deployment_key(event: DevOpsEvent, deployment: Deployment) -> DeploymentKey:
    """Which deployment an event tells of."""
    return DeploymentKey(
        event.service, deployment.environment, event.repository, event.source, deployment.deployment_id
    )


def deployment_run(key: DeploymentKey, events: Iterable[DevOpsEvent]) -> DeploymentRun:
    """What all events of a deployment say together; there is at least one."""
    told = [(event, event.subject) for event in events if isinstance(event.subject, Deployment)]
    # Of one moment, what ended stands behind what began: a status without a clock of its own may share it.
    ordered = sorted(told, key=lambda each: (each[0].occurred_at, each[1].status.is_final, each[0].event_id))
    subjects = [subject for _, subject in ordered]
    newest_first = subjects[::-1]
    success = _first(ordered, RunStatus.SUCCEEDED)
    failure = _first(ordered, RunStatus.FAILED)
    return DeploymentRun(
        key=key,
        is_production=any(subject.is_production for subject in subjects),
        status=subjects[-1].status,
        reached=tuple(status for status in COUNTED if any(subject.status is status for subject in subjects)),
        deployed_at=None if success is None else success[0],
        started_at=None if success is None else _started(ordered, success[0]),
        failed_at=None if failure is None else failure[0],
        sha=next((one.sha for one in newest_first if one.sha), None),
        previous_sha=next((one.previous_sha for one in newest_first if one.previous_sha), None),
        shas=next((one.shas for one in newest_first if one.shas), ()),
        branch=next((one.branch for one in newest_first if one.branch), ""),
        version=next((one.version for one in newest_first if one.version), ""),
        is_rollback=next((one.is_rollback for one in newest_first if one.is_rollback is not None), None),
        is_unplanned=next((one.is_unplanned for one in newest_first if one.is_unplanned is not None), None),
        actor=next((one.actor for one in newest_first if one.actor), ""),
        url=next((one.url for one in newest_first if one.url), ""),
        event_ids=tuple(event.event_id for event, _ in ordered),
        success_event_id="" if success is None else success[1],
    )


def _first(told: Sequence[tuple[DevOpsEvent, Deployment]], status: RunStatus) -> tuple[datetime, str] | None:
    """When it first had this status, and the event that says so."""
    return min(
        (
            (subject.finished_at or event.occurred_at, event.event_id)
            for event, subject in told
            if subject.status is status
        ),
        default=None,
    )


def _started(told: Sequence[tuple[DevOpsEvent, Deployment]], deployed_at: datetime) -> datetime | None:
    """The last beginning before it succeeded: what was tried again began again."""
    starts = (
        subject.started_at or (event.occurred_at if subject.status is RunStatus.RUNNING else None)
        for event, subject in told
    )
    return max((start for start in starts if start is not None and start < deployed_at), default=None)
