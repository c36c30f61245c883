"""Azure DevOps service hooks: basic authentication; type and id stand in the body.

Shapes: learn.microsoft.com, "Service hook events".
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
from sereno_collectors.devops.authentication import BasicAuth
from sereno_collectors.devops.model import Conventions, Fact, Ignored
from sereno_collectors.devops.reading import Reader, first_line, sha_or_none, short_branch

_RESULTS: Final = {
    "succeeded": RunStatus.SUCCEEDED,
    "partiallysucceeded": RunStatus.SUCCEEDED,
    "failed": RunStatus.FAILED,
    "rejected": RunStatus.FAILED,
    "canceled": RunStatus.CANCELLED,
    "cancelled": RunStatus.CANCELLED,
    "stopped": RunStatus.CANCELLED,
    "skipped": RunStatus.SKIPPED,
    "inprogress": RunStatus.RUNNING,
    "running": RunStatus.RUNNING,
    "canceling": RunStatus.RUNNING,
    "queued": RunStatus.QUEUED,
    "pending": RunStatus.QUEUED,
    "waiting": RunStatus.QUEUED,
    "notstarted": RunStatus.QUEUED,
}
_DONE: Final = frozenset({"resolved", "closed", "done", "removed", "completed"})


def _repository(place: Reader) -> str:
    """`project/repository`, or the project where no repository is named."""
    project = place.text_or("project.name")
    name = place.text_or("name")
    return "/".join(part for part in (project, name) if part) or place.text("name")


def _push(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("resource")
    updates = told.each("refUpdates")
    commits = sorted(told.each("commits"), key=lambda one: one.time("committer.date")) if told.at("commits") else []
    branches = [update for update in updates if update.text("name").startswith("refs/heads/")]
    if not branches or not commits:
        return Ignored("a push without commits to a branch")
    # A push to several branches lists its commits once, without saying where each belongs: the first stands for all.
    update = branches[0]
    return tuple(
        Fact(
            _repository(told.at("repository")),
            told.time_or_none("date") or body.time("createdDate"),
            Commit(
                sha=commit.text("commitId"),
                authored_at=commit.time("author.date"),
                branch=short_branch(update.text("name")),
                push_before=sha_or_none(update.text("oldObjectId")),
                push_after=sha_or_none(update.text("newObjectId")),
                push_position=position,
                author=commit.text_or("author.name"),
                title=first_line(commit.text_or("comment")),
                url=commit.text_or("url"),
            ),
        )
        for position, commit in enumerate(commits)
    )


def _pull_request(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("resource")
    known = {"completed": PullRequestState.MERGED, "abandoned": PullRequestState.CLOSED}
    state = known.get(told.text("status"), PullRequestState.OPEN)
    closed_at = told.time_or_none("closedDate") if state is not PullRequestState.OPEN else None
    is_merged = state is PullRequestState.MERGED
    subject = PullRequest(
        number=told.text("pullRequestId"),
        state=state,
        title=told.text_or("title"),
        source_branch=short_branch(told.text_or("sourceRefName")),
        target_branch=short_branch(told.text_or("targetRefName")),
        head_sha=told.text_or_none("lastMergeSourceCommit.commitId"),
        merge_sha=told.text_or_none("lastMergeCommit.commitId") if is_merged else None,
        opened_at=told.time("creationDate"),
        merged_at=closed_at if is_merged else None,
        closed_at=closed_at,
        author=told.text_or("createdBy.displayName"),
        url=told.text_or("url"),
    )
    return (Fact(_repository(told.at("repository")), closed_at or body.time("createdDate"), subject),)


def _build(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("resource")
    # Version 1.0 of the resource has the result in `status`, 2.0 has "completed" there.
    status = told.one_of("result" if told.at("result") else "status", _RESULTS)
    finished_at = told.time("finishTime")
    subject = Pipeline(
        run_id=told.text("id"),
        status=status,
        name=told.text_or("definition.name"),
        sha=told.text_or_none("sourceVersion") or told.text_or_none("sourceGetVersion"),
        branch=short_branch(told.text_or("sourceBranch")),
        created_at=told.time_or_none("queueTime"),
        started_at=told.time_or_none("startTime"),
        finished_at=finished_at,
        url=told.text_or("url"),
        actor=_who_asked(told),
    )
    repository = Reader(
        {
            "project": told.at("project").value or told.at("definition.project").value,
            "name": told.text_or("repository.name") or told.text_or("definition.name"),
        },
        "resource.repository",
    )
    return (Fact(_repository(repository), finished_at, subject),)


def _who_asked(told: Reader) -> str:
    """Whom it was done for: who queued it is often a service. Version 1.0 of builds lists the requests."""
    requests = told.at("requests").value
    first = Reader(requests[0] if isinstance(requests, list) and requests else None)
    asked = (told.at("requestedFor"), told.at("requestedBy"), first.at("requestedFor"))
    return next((name for one in asked if (name := one.text_or("displayName"))), "")


def _stage(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    """A stage of a YAML pipeline, named `pipeline/stage`: `deployments` of the configuration can name it."""
    told = body.at("resource")
    stage, run = told.at("stage"), told.at("run")
    is_completed = stage.text("state").lower() == "completed"
    status = stage.one_of("result" if is_completed else "state", _RESULTS)
    at = body.time("createdDate")
    pipeline = told.text_or("pipeline.name") or run.text("pipeline.name")
    subject = Pipeline(
        run_id=f"{run.text('id')}/{stage.text('name')}",
        status=status,
        name=f"{pipeline}/{stage.text('name')}",
        attempt=max(1, stage.count_or("attempt", 1)),
        sha=told.text_or_none("run.resources.repositories.self.version"),
        branch=short_branch(told.text_or("run.resources.repositories.self.refName")),
        created_at=run.time_or_none("createdDate"),
        started_at=at if status is RunStatus.RUNNING else None,
        finished_at=at if status.is_final else None,
        url=run.text_or("_links.web.href") or run.text_or("url"),
    )
    return (Fact(_project(body, pipeline), at, subject),)


def _release(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    """A classic release: started or completed in one environment (stage)."""
    told = body.at("resource")
    where, at = told.at("environment"), body.time("createdDate")
    status = where.one_of("status", _RESULTS)
    environment, release = where.text("name"), told.at("release") or where.at("release")
    definition = where.text_or("releaseDefinition.name") or release.text_or("name")
    artifacts = told.at("deployment.release.artifacts").value or told.at("release.artifacts").value
    source = Reader(artifacts[0] if isinstance(artifacts, list) and artifacts else None).at("definitionReference")
    subject = Deployment(
        deployment_id=f"{release.text('id')}/{where.text('id')}",
        environment=environment,
        is_production=conventions.is_production(environment),
        status=status,
        sha=source.text_or_none("sourceVersion.id"),
        branch=short_branch(source.text_or("branch.id") or source.text_or("branch.name")),
        version=release.text_or("name"),
        created_at=where.time_or_none("createdOn"),
        started_at=told.time_or_none("deployment.startedOn") or (at if status is RunStatus.RUNNING else None),
        finished_at=(told.time_or_none("deployment.completedOn") or at) if status.is_final else None,
        url=release.text_or("_links.web.href"),
        actor=_who_asked(told.at("deployment")),
    )
    return (Fact(source.text_or("repository.name") or _project(body, definition), at, subject),)


def _project(body: Reader, name: str) -> str:
    project = body.text_or("resource.project.name")
    return f"{project}/{name}" if project else name


def _work_item(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("resource")
    item = told.at("revision") or told
    fields = item.at("fields")
    tags = tuple(tag.strip() for tag in fields.key("System.Tags").whole_text().split(";"))
    if not conventions.is_incident(tags):
        return Ignored("a work item that isn't tagged as an incident")
    state = fields.key("System.State").whole_text().lower()
    is_new = body.text("eventType") == "workitem.created"
    action = IncidentAction.OPENED if is_new else IncidentAction.UPDATED
    at = body.time("createdDate")
    if state in _DONE:
        action = IncidentAction.RESOLVED
    subject = IncidentEvent(
        incident_id=told.text_or("workItemId") or item.text("id"),
        action=action,
        title=fields.key("System.Title").whole_text(),
        severity=fields.key("Microsoft.VSTS.Common.Severity").whole_text(),
        opened_at=fields.key("System.CreatedDate").moment(),
        resolved_at=at if action is IncidentAction.RESOLVED else None,
        url=item.text_or("url"),
    )
    return (Fact(fields.key("System.TeamProject").whole_text() or "unknown", at, subject),)


ADAPTER: Final = ProviderAdapter(
    provider=Provider.AZURE_DEVOPS,
    schemes=(BasicAuth(),),
    event_type=lambda message: Reader(message.document).text_or("eventType"),
    delivery_id=lambda message: Reader(message.document).text_or_none("id"),
    translators={
        "git.push": _push,
        "git.pullrequest.created": _pull_request,
        "git.pullrequest.updated": _pull_request,
        "git.pullrequest.merged": _pull_request,
        "build.complete": _build,
        "ms.vss-pipelines.stage-state-changed-event": _stage,
        "ms.vss-release.deployment-started-event": _release,
        "ms.vss-release.deployment-completed-event": _release,
        "workitem.created": _work_item,
        "workitem.updated": _work_item,
    },
)
