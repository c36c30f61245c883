"""DevOps events as JSON documents, and back. What ECS has a field for stands there; the whole subject below `devops`.

| field | holds |
|---|---|
| `@timestamp` | `occurred_at` |
| `event.id`, `event.provider`, `event.created` | the id, the provider, `received_at` |
| `event.kind`, `event.dataset`, `event.action` | `event`, `devops`, the kind (`deployment`, `commit`, …) |
| `event.outcome` | `success` or `failure` of what has ended, else `unknown` |
| `event.start`, `event.end` | when a pipeline, deployment or incident began and ended |
| `service.name`, `service.environment` | the service, the environment |
| `log.level`, `message` | `info`, one sentence: lines of a log store can be read without knowing the schema |
| `devops.source`, `devops.delivery_id`, `devops.repository`, `devops.kind` | the rest of the envelope |
| `devops.<kind>` | the subject, field by field as in `model.py`; fields that are unknown are left out |
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, assert_never

from pydantic import TypeAdapter, ValidationError

from sereno_backends.devops.model import (
    Commit,
    Deployment,
    DevOpsEvent,
    EventKind,
    IncidentAction,
    IncidentEvent,
    Pipeline,
    PullRequest,
    PullRequestState,
    RunStatus,
    Subject,
)
from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.model import LogRecord

ECS_VERSION: Final = "8.17.0"
DATASET: Final = "devops"
"""Names the data stream `logs-devops-<namespace>`."""

_SUBJECTS: Final[Mapping[EventKind, TypeAdapter[Any]]] = {
    EventKind.COMMIT: TypeAdapter(Commit),
    EventKind.PULL_REQUEST: TypeAdapter(PullRequest),
    EventKind.PIPELINE: TypeAdapter(Pipeline),
    EventKind.DEPLOYMENT: TypeAdapter(Deployment),
    EventKind.INCIDENT: TypeAdapter(IncidentEvent),
}
_EVENT: Final = TypeAdapter(DevOpsEvent)


class NotADevOpsEvent(Exception):  # noqa: N818 - reads as what happened
    """A document doesn't have the shape of a DevOps event; the message says where."""


def event_document(event: DevOpsEvent) -> dict[str, Any]:
    """The document of an event, nested; see the table above."""
    subject = _SUBJECTS[event.kind].dump_python(event.subject, mode="json", exclude_defaults=True)
    started_at, ended_at = _span(event.subject)
    told = {
        "id": event.event_id,
        "kind": "event",
        "dataset": DATASET,
        "provider": event.provider.value,
        "action": event.kind.value,
        "outcome": _outcome(event.subject),
        "created": format_timestamp(event.received_at),
        "start": None if started_at is None else format_timestamp(started_at),
        "end": None if ended_at is None else format_timestamp(ended_at),
    }
    service = {"name": event.service, "environment": event.environment}
    return {
        "@timestamp": format_timestamp(event.occurred_at),
        "ecs": {"version": ECS_VERSION},
        "log": {"level": "info"},
        "message": sentence(event),
        "event": {name: value for name, value in told.items() if value is not None},
        "service": {name: value for name, value in service.items() if value},
        "devops": {
            "source": event.source,
            "delivery_id": event.delivery_id,
            "repository": event.repository,
            "kind": event.kind.value,
            event.kind.value: subject,
        },
    }


def event_from_document(document: Mapping[str, Any]) -> DevOpsEvent:
    """The inverse of `event_document`; derived fields are ignored.

    Raises:
        NotADevOpsEvent: something is missing or of another kind.
    """
    try:
        own, told = document["devops"], document["event"]
        kind = EventKind(own["kind"])
        event: DevOpsEvent = _EVENT.validate_python(
            {
                "event_id": told["id"],
                "provider": told["provider"],
                "source": own["source"],
                "delivery_id": own["delivery_id"],
                "occurred_at": document["@timestamp"],
                "received_at": told["created"],
                "repository": own["repository"],
                "service": document["service"]["name"],
                "subject": _SUBJECTS[kind].validate_python(own[kind.value]),
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NotADevOpsEvent(f"{where or 'document'}: {first['msg']}") from error
    except KeyError as error:
        raise NotADevOpsEvent(f"{error.args[0]}: is missing") from error
    except (TypeError, ValueError) as error:
        raise NotADevOpsEvent(str(error)) from error
    return event


def log_record(event: DevOpsEvent) -> LogRecord:
    """The event for a log store; its id makes writing it again a duplicate, not a copy."""
    return LogRecord(
        record_id=event.event_id,
        timestamp=event.occurred_at,
        service=event.service,
        level="info",
        message=sentence(event),
        dataset=DATASET,
        action=event.kind.value,
        document=event_document(event),
    )


def sentence(event: DevOpsEvent) -> str:
    """The event in one line, for people."""
    where = f" in {event.repository}" if event.repository else ""
    match event.subject:
        case Commit(sha=sha, branch=branch, title=title):
            return f"commit {_short(sha)} to {branch or 'a branch'}{where}: {title}"
        case PullRequest(number=number, state=state, title=title):
            return f"pull request {number} {state.value}{where}: {title}"
        case Pipeline(name=name, run_id=run_id, status=status):
            return f"pipeline {name or run_id} {status.value}{where}"
        case Deployment(sha=sha, environment=environment, status=status, is_rollback=is_rollback, version=version):
            verb = "rollback" if is_rollback else "deployment"
            what = version or _short(sha or "")
            return f"{verb} of {event.service}{f' {what}' if what else ''} to {environment} {status.value}{where}"
        case IncidentEvent(incident_id=incident_id, action=action, title=title):
            return f"incident {incident_id} {action.value}{where}: {title}"
        case _:
            assert_never(event.subject)


def _short(sha: str) -> str:
    return sha[:10]


def _outcome(subject: Subject) -> str:
    match subject:
        case Pipeline(status=status) | Deployment(status=status):
            return {RunStatus.SUCCEEDED: "success", RunStatus.FAILED: "failure"}.get(status, "unknown")
        case PullRequest(state=state):
            return "success" if state is PullRequestState.MERGED else "unknown"
        case IncidentEvent(action=action):
            return "success" if action is IncidentAction.RESOLVED else "unknown"
        case Commit():
            return "success"
        case _:
            assert_never(subject)


def _span(subject: Subject) -> tuple[datetime | None, datetime | None]:
    match subject:
        case Pipeline() | Deployment():
            return subject.started_at, subject.finished_at
        case IncidentEvent():
            return subject.opened_at, subject.resolved_at
        case PullRequest():
            return subject.opened_at, subject.merged_at or subject.closed_at
        case Commit():
            return None, None
        case _:
            assert_never(subject)
