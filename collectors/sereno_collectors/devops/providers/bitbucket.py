"""Bitbucket Cloud: `X-Event-Key`, `X-Request-UUID`, `X-Hub-Signature`.

Shapes: support.atlassian.com, "Event payloads". There is no webhook of deployments: name the pipelines that
deploy under `deployments`. Bitbucket Data Center signs alike, but tells other things: its events are ignored.
"""

from typing import Final

from sereno_backends.devops import (
    Commit,
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
from sereno_collectors.devops.reading import Reader, causes, first_line

_STATES: Final = {
    "SUCCESSFUL": RunStatus.SUCCEEDED,
    "FAILED": RunStatus.FAILED,
    "STOPPED": RunStatus.CANCELLED,
    "INPROGRESS": RunStatus.RUNNING,
}
_PULL_REQUEST_STATES: Final = {
    "OPEN": PullRequestState.OPEN,
    "MERGED": PullRequestState.MERGED,
    "DECLINED": PullRequestState.CLOSED,
    "SUPERSEDED": PullRequestState.CLOSED,
}
_OPEN_ISSUES: Final = frozenset({"new", "open", "on hold"})


def _repository(body: Reader) -> str:
    return body.text("repository.full_name")


def _push(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    facts: list[Fact] = []
    for change in body.at("push").each("changes"):
        new = change.at("new")
        if not new or new.text("type") != "branch" or not change.at("commits"):
            continue
        commits = list(reversed(change.each("commits")))  # Bitbucket lists the newest first, five at most
        facts += [
            Fact(
                _repository(body),
                new.time_or_none("target.date"),
                Commit(
                    sha=commit.text("hash"),
                    authored_at=commit.time("date"),
                    branch=new.text("name"),
                    parents=tuple(parent.text("hash") for parent in commit.each("parents")),
                    push_before=change.text_or_none("old.target.hash"),
                    push_after=new.text("target.hash"),
                    push_position=position,
                    author=commit.text_or("author.user.display_name") or commit.text_or("author.raw").split(" <")[0],
                    title=first_line(commit.text_or("message")),
                    url=commit.text_or("links.html.href"),
                ),
            )
            for position, commit in enumerate(commits)
        ]
    return tuple(facts) or Ignored("a push without commits to a branch")


def _pull_request(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("pullrequest")
    state, updated_at = told.one_of("state", _PULL_REQUEST_STATES), told.time("updated_on")
    subject = PullRequest(
        number=told.text("id"),
        state=state,
        title=told.text_or("title"),
        source_branch=told.text_or("source.branch.name"),
        target_branch=told.text_or("destination.branch.name"),
        head_sha=told.text_or_none("source.commit.hash"),
        merge_sha=told.text_or_none("merge_commit.hash"),
        opened_at=told.time("created_on"),
        merged_at=updated_at if state is PullRequestState.MERGED else None,
        closed_at=updated_at if state is not PullRequestState.OPEN else None,
        author=told.text_or("author.display_name"),
        url=told.text_or("links.html.href"),
    )
    return (Fact(_repository(body), updated_at, subject),)


def _commit_status(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("commit_status")
    status, updated_at = told.one_of("state", _STATES), told.time("updated_on")
    sha = told.text_or("commit.hash") or told.text_or("links.commit.href").rpartition("/")[2]
    subject = Pipeline(
        run_id=f"{told.text('key')}@{sha}",
        status=status,
        name=told.text_or("name") or told.text("key"),
        sha=sha or None,
        branch=told.text_or("refname"),
        created_at=told.time("created_on"),
        finished_at=updated_at if status.is_final else None,
        url=told.text_or("url"),
        actor=body.text_or("actor.display_name"),
    )
    return (Fact(_repository(body), updated_at, subject),)


def _issue(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("issue")
    if not conventions.is_incident((told.text_or("component.name"), told.text_or("kind"))):
        return Ignored("an issue whose component or kind isn't that of incidents")
    is_open, is_new = told.text("state") in _OPEN_ISSUES, not body.at("changes")
    deployment_id, sha = causes(told.text_or("content.raw"))
    action = IncidentAction.OPENED if is_new else IncidentAction.UPDATED
    if not is_open:
        action = IncidentAction.RESOLVED
    elif not is_new and (deployment_id or sha):
        action = IncidentAction.LINKED
    at = told.time_or_none("updated_on") or told.time("created_on")
    subject = IncidentEvent(
        incident_id=told.text("id"),
        action=action,
        title=told.text_or("title"),
        severity=told.text_or("priority"),
        opened_at=told.time("created_on"),
        resolved_at=at if action is IncidentAction.RESOLVED else None,
        deployment_id=deployment_id,
        deployment_sha=sha,
        url=told.text_or("links.html.href"),
    )
    return (Fact(_repository(body), at, subject),)


ADAPTER: Final = ProviderAdapter(
    provider=Provider.BITBUCKET,
    schemes=(BodySignature("x-hub-signature"),),
    event_type=lambda message: message.headers.get("x-event-key", ""),
    delivery_id=lambda message: message.headers.get("x-request-uuid"),
    translators={
        "repo:push": _push,
        "pullrequest:created": _pull_request,
        "pullrequest:updated": _pull_request,
        "pullrequest:fulfilled": _pull_request,
        "pullrequest:rejected": _pull_request,
        "repo:commit_status_created": _commit_status,
        "repo:commit_status_updated": _commit_status,
        "issue:created": _issue,
        "issue:updated": _issue,
    },
)
