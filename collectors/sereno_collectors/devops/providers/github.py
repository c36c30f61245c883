"""GitHub: `X-GitHub-Event`, `X-GitHub-Delivery`, `X-Hub-Signature-256`.

Shapes: docs.github.com, "Webhook events and payloads".
"""

from datetime import datetime
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
from sereno_collectors.devops.authentication import BodySignature
from sereno_collectors.devops.model import Conventions, Fact, Ignored
from sereno_collectors.devops.reading import Reader, causes, first_line, sha_or_none, short_branch

_CONCLUSIONS: Final = {
    "success": RunStatus.SUCCEEDED,
    "failure": RunStatus.FAILED,
    "timed_out": RunStatus.FAILED,
    "startup_failure": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELLED,
    "skipped": RunStatus.SKIPPED,
    "neutral": RunStatus.SKIPPED,
    "stale": RunStatus.SKIPPED,
    "action_required": RunStatus.QUEUED,
}
_DEPLOYMENT_STATES: Final = {
    "success": RunStatus.SUCCEEDED,
    "failure": RunStatus.FAILED,
    "error": RunStatus.FAILED,
    "in_progress": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
}
_PULL_REQUEST_ACTIONS: Final = frozenset(
    {"opened", "reopened", "closed", "synchronize", "edited", "ready_for_review", "converted_to_draft"}
)


def _repository(body: Reader) -> str:
    return body.text("repository.full_name")


def _push(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    ref = body.text("ref")
    if not ref.startswith("refs/heads/"):
        return Ignored("a push of a tag")
    before, after = sha_or_none(body.text("before")), sha_or_none(body.text("after"))
    commits = body.each("commits")
    if after is None or not commits:
        return Ignored("a push without commits")
    occurred_at = body.time_or_none("repository.pushed_at") or body.time_or_none("head_commit.timestamp")
    return tuple(
        Fact(
            _repository(body),
            occurred_at,
            Commit(
                sha=commit.text("id"),
                authored_at=commit.time("timestamp"),
                branch=short_branch(ref),
                push_before=before,
                push_after=after,
                push_position=position,
                author=commit.text_or("author.username") or commit.text_or("author.name"),
                title=first_line(commit.text_or("message")),
                url=commit.text_or("url"),
            ),
        )
        for position, commit in enumerate(commits)
    )


def _pull_request(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    action = body.text("action")
    if action not in _PULL_REQUEST_ACTIONS:
        return Ignored(f"pull requests that are {action}")
    told = body.at("pull_request")
    merged_at, closed_at = told.time_or_none("merged_at"), told.time_or_none("closed_at")
    if merged_at is not None:
        state = PullRequestState.MERGED
    else:
        state = PullRequestState.CLOSED if told.text("state") == "closed" else PullRequestState.OPEN
    subject = PullRequest(
        number=told.text("number"),
        state=state,
        title=told.text_or("title"),
        source_branch=told.text_or("head.ref"),
        target_branch=told.text_or("base.ref"),
        head_sha=told.text_or_none("head.sha"),
        # Before the merge this names a trial merge, which is on no branch.
        merge_sha=told.text_or_none("merge_commit_sha") if merged_at is not None else None,
        opened_at=told.time("created_at"),
        merged_at=merged_at,
        closed_at=closed_at,
        author=told.text_or("user.login"),
        url=told.text_or("html_url"),
    )
    return (Fact(_repository(body), told.time("updated_at"), subject),)


def _workflow_run(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    run = body.at("workflow_run")
    updated_at = run.time("updated_at")
    status = RunStatus.RUNNING if run.text("status") == "in_progress" else RunStatus.QUEUED
    if run.text("status") == "completed":
        status = run.one_of("conclusion", _CONCLUSIONS)
    subject = Pipeline(
        run_id=run.text("id"),
        status=status,
        name=run.text_or("name"),
        attempt=run.count_or("run_attempt", 1),
        sha=run.text_or_none("head_sha"),
        branch=run.text_or("head_branch"),
        created_at=run.time("created_at"),
        started_at=run.time_or_none("run_started_at"),
        finished_at=updated_at if status.is_final else None,
        url=run.text_or("html_url"),
        actor=_who_ran(run),
    )
    return (Fact(_repository(body), updated_at, subject),)


def _who_ran(run: Reader) -> str:
    """Who set this attempt off: a repetition has another one than the run."""
    return run.text_or("triggering_actor.login") or run.text_or("actor.login")


def _deployment_status(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("deployment_status")
    if told.text("state") == "inactive":
        return Ignored("a deployment that another one has replaced")
    status, at = told.one_of("state", _DEPLOYMENT_STATES), told.time("created_at")
    environment = told.text_or("environment") or body.text("deployment.environment")
    url = told.text_or("log_url") or told.text_or("target_url")
    return (Fact(_repository(body), at, _deployment(body, conventions, environment, status, at, url=url)),)


def _deployment_created(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    at = body.time("deployment.created_at")
    environment = body.text("deployment.environment")
    return (Fact(_repository(body), at, _deployment(body, conventions, environment, RunStatus.QUEUED, at)),)


def _deployment(
    body: Reader, conventions: Conventions, environment: str, status: RunStatus, at: datetime, *, url: str = ""
) -> Deployment:
    told = body.at("deployment")
    task = told.text_or("task")
    return Deployment(
        deployment_id=told.text("id"),
        environment=environment,
        is_production=conventions.is_production(environment, told.flag_or_none("production_environment")),
        status=status,
        sha=told.text("sha"),
        # GitHub knows no previous commit; who calls its API may put it into the payload.
        previous_sha=told.text_or_none("payload.previous_sha"),
        branch=short_branch(told.text_or("ref")),
        created_at=told.time("created_at"),
        started_at=told.time("created_at") if status is not RunStatus.QUEUED else None,
        finished_at=at if status.is_final else None,
        is_rollback=True if "rollback" in task.lower() else told.flag_or_none("payload.rollback"),
        is_unplanned=told.flag_or_none("payload.unplanned"),
        url=url,
        # A workflow's deployments are created by its bot: a person is in the run only.
        actor=_who_ran(body.at("workflow_run"))
        or told.text_or("creator.login")
        or body.text_or("deployment_status.creator.login"),
    )


def _issues(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    issue = body.at("issue")
    labels = tuple(label.text("name") for label in issue.each("labels"))
    if not conventions.is_incident(labels):
        return Ignored("an issue that isn't labelled as an incident")
    deployment_id, sha = causes(issue.text_or("body"))
    action = _issue_action(body, conventions, is_linked=bool(deployment_id or sha))
    if action is None:
        return Ignored(f"issues that are {body.text('action')}")
    subject = IncidentEvent(
        incident_id=issue.text("number"),
        action=action,
        title=issue.text_or("title"),
        opened_at=issue.time("created_at"),
        resolved_at=issue.time_or_none("closed_at"),
        deployment_id=deployment_id,
        deployment_sha=sha,
        url=issue.text_or("html_url"),
    )
    return (Fact(_repository(body), issue.time("updated_at"), subject),)


def _issue_action(body: Reader, conventions: Conventions, *, is_linked: bool) -> IncidentAction | None:
    match body.text("action"):
        case "opened":
            return IncidentAction.OPENED
        case "labeled" if conventions.is_incident((body.text_or("label.name"),)):
            return IncidentAction.OPENED
        case "edited":
            return IncidentAction.LINKED if is_linked else IncidentAction.UPDATED
        case "closed":
            return IncidentAction.RESOLVED
        case "reopened":
            return IncidentAction.REOPENED
        case _:
            return None


ADAPTER: Final = ProviderAdapter(
    provider=Provider.GITHUB,
    schemes=(BodySignature("x-hub-signature-256"),),
    event_type=lambda message: message.headers.get("x-github-event", ""),
    delivery_id=lambda message: message.headers.get("x-github-delivery"),
    translators={
        "push": _push,
        "pull_request": _pull_request,
        "workflow_run": _workflow_run,
        "deployment": _deployment_created,
        "deployment_status": _deployment_status,
        "issues": _issues,
    },
)
