"""DevOps events told briefly, for DORA's figures; times are minutes after a fixed moment."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sereno_backends.devops import (
    Commit,
    Delivery,
    Deployment,
    DevOpsEvent,
    IncidentAction,
    IncidentEvent,
    Provider,
    RunStatus,
    Subject,
    event_id_of,
)
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_exporters.dora.figures import Figures, figures
from sereno_exporters.dora.history import fold
from sereno_exporters.dora.policy import DEFAULT_POLICY, DoraPolicy
from sereno_exporters.dora.verdicts import JudgedDeployment, judged

BEGIN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
DAY = 24 * 60
REPOSITORY, SERVICE, SOURCE = "acme/shop", "checkout", "github"


def at(minutes: float) -> datetime:
    """So many minutes after the beginning."""
    return BEGIN + timedelta(minutes=minutes)


def sha(name: str) -> str:
    """A commit's whole sha, by a short name."""
    return sha256(name.encode()).hexdigest()[:40]


def told(
    minutes: float,
    subject: Subject,
    *,
    repository: str = REPOSITORY,
    service: str = SERVICE,
    received: float | None = None,
    delivery: str = "",
) -> DevOpsEvent:
    """A fact, received at once unless said otherwise."""
    event_id = event_id_of(SOURCE, repository, at(minutes), subject)
    received_at = at(minutes if received is None else received)
    return DevOpsEvent(
        event_id, Provider.GITHUB, SOURCE, delivery or event_id, at(minutes), received_at, repository, service, subject
    )


def deployment(
    number: str,
    minutes: float,
    commit: str | None = None,
    *,
    status: RunStatus = RunStatus.SUCCEEDED,
    environment: str = "production",
    envelope: dict[str, Any] | None = None,
    **said: Any,
) -> DevOpsEvent:
    """A deployment's end; it goes to production unless said otherwise."""
    subject = Deployment(
        deployment_id=number,
        environment=environment,
        is_production=environment.startswith("prod"),
        status=status,
        sha=None if commit is None else sha(commit),
        **said,
    )
    return told(minutes, subject, **(envelope or {}))


def incident(number: str, minutes: float, action: IncidentAction = IncidentAction.OPENED, **said: Any) -> DevOpsEvent:
    """Something that happened to an incident of the service."""
    return told(minutes, IncidentEvent(incident_id=number, action=action, **said))


def resolved(number: str, minutes: float, **said: Any) -> DevOpsEvent:
    """An incident's end."""
    return incident(number, minutes, IncidentAction.RESOLVED, **said)


def push(
    names: str, minutes: float, *, before: str | None, branch: str = "main", authored: float | None = None
) -> tuple[DevOpsEvent, ...]:
    """A push of commits, the oldest first, each written so many minutes after the beginning: when it was pushed."""
    commits = names.split()
    return tuple(
        told(
            minutes,
            Commit(
                sha=sha(name),
                authored_at=at(minutes if authored is None else authored),
                branch=branch,
                push_before=None if before is None else sha(before),
                push_after=sha(commits[-1]),
                push_position=position,
            ),
        )
        for position, name in enumerate(commits)
    )


def deployed(number: str, moment: datetime, actor: str, *, author: str = "", **said: Any) -> tuple[DevOpsEvent, ...]:
    """A deployment of a commit of the same name, and the commit where its author is known."""
    minutes = (moment - BEGIN) / timedelta(minutes=1)
    commit = Commit(sha(number), moment, "main", author=author, title=f"change {number}")
    event = deployment(number, minutes, number, actor=actor, **said)
    return (told(minutes - 1, commit), event) if author else (event,)


def verdicts(
    events: Iterable[DevOpsEvent], now: float, policy: DoraPolicy = DEFAULT_POLICY
) -> dict[str, JudgedDeployment]:
    """How each deployment went, by its id."""
    return {each.run.key.deployment_id: each for each in judged(fold(events), policy, at(now))}


def figures_of(events: Iterable[DevOpsEvent], now: float, window: str = "30d") -> Figures:
    """The figures of the only service over a window."""
    history = fold(events)
    (found,) = (
        each for each in figures(history, judged(history, DEFAULT_POLICY, at(now)), at(now)) if each.window == window
    )
    return found


def delivered(events: Iterable[DevOpsEvent]) -> list[Delivery]:
    """Each fact in a delivery of its own."""
    return [
        Delivery(
            source=event.source,
            provider=event.provider,
            delivery_id=event.delivery_id,
            content_hash=f"{event.delivery_id} {event.received_at}",
            event_type="test",
            received_at=event.received_at,
            body=b"{}",
            events=(event,),
        )
        for event in events
    ]


def store_with(path: Path, events: Iterable[DevOpsEvent] = ()) -> SqliteDevOpsEventStore:
    """The embedded store, with these events."""
    store = SqliteDevOpsEventStore(path)
    store.prepare()
    store.record(delivered(events))
    return store
