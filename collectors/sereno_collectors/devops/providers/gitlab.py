"""GitLab: `X-Gitlab-Token`, or a signing token by Standard Webhooks; what it tells of stands in the body.

Shapes: docs.gitlab.com, "Webhook events".
"""

from typing import Final

from sereno_backends.devops import (
    Commit,
    Deployment,
    IncidentAction,
    IncidentEvent,
    Pipeline,
    Provider,
    PullRequest,
    PullRequestState,
    RunStatus,
)

from sereno_collectors.devops.adapter import ProviderAdapter
from sereno_collectors.devops.authentication import StandardWebhooks, TokenHeader
from sereno_collectors.devops.model import Conventions, Fact, Ignored, Message
from sereno_collectors.devops.reading import Reader, causes, first_line, sha_or_none, short_branch

_STATUSES: Final = {
    "success": RunStatus.SUCCEEDED,
    "failed": RunStatus.FAILED,
    "canceled": RunStatus.CANCELLED,
    "canceling": RunStatus.RUNNING,
    "skipped": RunStatus.SKIPPED,
    "running": RunStatus.RUNNING,
    **dict.fromkeys(
        ("created", "pending", "blocked", "manual", "scheduled", "preparing", "waiting_for_resource"), RunStatus.QUEUED
    ),
}
_MERGE_REQUEST_ACTIONS: Final = frozenset({"open", "reopen", "update", "close", "merge"})
_ISSUE_ACTIONS: Final = {
    "open": IncidentAction.OPENED,
    "update": IncidentAction.UPDATED,
    "close": IncidentAction.RESOLVED,
    "reopen": IncidentAction.REOPENED,
}


def _repository(body: Reader) -> str:
    return body.text("project.path_with_namespace")


def _push(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    before, after = sha_or_none(body.text("before")), sha_or_none(body.text("after"))
    commits = body.each("commits")
    if after is None or not commits:
        return Ignored("a push without commits")
    # GitLab tells no time of the push: that of its newest commit is the same in every repetition.
    occurred_at = max(commit.time("timestamp") for commit in commits)
    return tuple(
        Fact(
            _repository(body),
            occurred_at,
            Commit(
                sha=commit.text("id"),
                authored_at=commit.time("timestamp"),
                branch=short_branch(body.text("ref")),
                push_before=before,
                push_after=after,
                push_position=position,
                author=commit.text_or("author.name"),
                title=commit.text_or("title") or first_line(commit.text_or("message")),
                url=commit.text_or("url"),
            ),
        )
        for position, commit in enumerate(commits)
    )


def _merge_request(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("object_attributes")
    action = told.text("action")
    if action not in _MERGE_REQUEST_ACTIONS:
        return Ignored(f"merge requests: {action}")
    updated_at = told.time("updated_at")
    known = {"merged": PullRequestState.MERGED, "closed": PullRequestState.CLOSED}
    state = known.get(told.text("state"), PullRequestState.OPEN)
    subject = PullRequest(
        number=told.text("iid"),
        state=state,
        title=told.text_or("title"),
        source_branch=told.text_or("source_branch"),
        target_branch=told.text_or("target_branch"),
        head_sha=told.text_or_none("last_commit.id"),
        merge_sha=told.text_or_none("merge_commit_sha") if state is PullRequestState.MERGED else None,
        opened_at=told.time("created_at"),
        merged_at=updated_at if state is PullRequestState.MERGED else None,
        closed_at=updated_at if state is not PullRequestState.OPEN else None,
        author=body.text_or("user.username") if action == "open" else "",
        url=told.text_or("url"),
    )
    return (Fact(_repository(body), updated_at, subject),)


def _pipeline(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("object_attributes")
    status = told.one_of("status", _STATUSES)
    created_at, finished_at = told.time("created_at"), told.time_or_none("finished_at")
    subject = Pipeline(
        run_id=told.text("id"),
        status=status,
        name=told.text_or("name"),
        sha=told.text_or_none("sha"),
        branch=told.text_or("ref"),
        created_at=created_at,
        finished_at=finished_at if status.is_final else None,
        url=told.text_or("url"),
        actor=body.text_or("user.username"),
    )
    return (Fact(_repository(body), finished_at or created_at, subject),)


def _deployment(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    status, at = body.one_of("status", _STATUSES), body.time("status_changed_at")
    environment, tier = body.text("environment"), body.text_or("environment_tier")
    # The only place of the whole commit: `short_sha` has eight characters.
    sha = body.text_or("commit_url").rstrip("/").rpartition("/")[2] or body.text_or("short_sha")
    subject = Deployment(
        deployment_id=body.text("deployment_id"),
        environment=environment,
        is_production=conventions.is_production(environment, tier == "production" if tier else None),
        status=status,
        sha=sha or None,
        branch=body.text_or("ref"),
        started_at=at if status is RunStatus.RUNNING else None,
        finished_at=at if status.is_final else None,
        url=body.text_or("deployable_url"),
        actor=body.text_or("user.username"),
    )
    return (Fact(_repository(body), at, subject),)


def _issue(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("object_attributes")
    labels = tuple(label.text_or("title") for label in body.each("labels")) if body.at("labels") else ()
    if told.text_or("type").lower() != "incident" and not conventions.is_incident(labels):
        return Ignored("an issue that is no incident")
    action = _ISSUE_ACTIONS.get(told.text_or("action"))
    if action is None:
        return Ignored(f"issues: {told.text_or('action') or 'nothing done'}")
    deployment_id, sha = causes(told.text_or("description"))
    if action is IncidentAction.UPDATED and (deployment_id or sha):
        action = IncidentAction.LINKED
    subject = IncidentEvent(
        incident_id=told.text("iid"),
        action=action,
        title=told.text_or("title"),
        severity=told.text_or("severity").lower(),
        opened_at=told.time("created_at"),
        resolved_at=told.time_or_none("closed_at"),
        deployment_id=deployment_id,
        deployment_sha=sha,
        url=told.text_or("url"),
    )
    return (Fact(_repository(body), told.time("updated_at"), subject),)


def _event_type(message: Message) -> str:
    """From the body, which a signature covers; the header `X-Gitlab-Event` says the same in other words."""
    return Reader(message.document).text_or("object_kind")


def _delivery_id(message: Message) -> str | None:
    """Not `X-Gitlab-Event-UUID`: that is shared by all hooks that one event sets off."""
    return message.headers.get("webhook-id") or message.headers.get("idempotency-key")


ADAPTER: Final = ProviderAdapter(
    provider=Provider.GITLAB,
    schemes=(StandardWebhooks(), TokenHeader("x-gitlab-token")),
    event_type=_event_type,
    delivery_id=_delivery_id,
    translators={
        "push": _push,
        "merge_request": _merge_request,
        "pipeline": _pipeline,
        "deployment": _deployment,
        "issue": _issue,
        "work_item": _issue,
    },
)
