"""Azure DevOps: learn.microsoft.com, "Service hook events" and "REST API"; basic authentication."""

from typing import Any, Final, assert_never

from sereno_collectors.devops.authentication import BasicAuth

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, NewCommit, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook, iso

_PROJECT: Final = {"id": "be9b3917-87e6-42a4-a549-2bc06a7a878f", "name": "Fabrikam", "state": "wellFormed"}
_BASE = "https://dev.azure.com/fabrikam"


def _repository(name: str) -> Document:
    return {"id": f"278d5cd2-{REPOSITORIES.index(name):04d}", "name": name, "project": _PROJECT}


def _commit(repository: str, commit: NewCommit) -> Document:
    who = {"name": commit.author.title(), "email": f"{commit.author}@example.org", "date": iso(commit.at)}
    url = f"{_BASE}/_git/{repository}/commit/{commit.sha}"
    return {"commitId": commit.sha, "author": who, "committer": who, "comment": commit.title, "url": url}


def _run(run: Run) -> Document:
    result = None if run.is_good is None else "succeeded" if run.is_good else "failed"
    return {
        "id": 4000 + run.number,
        "buildNumber": str(run.number),
        "status": "inProgress" if run.is_good is None else "completed",
        "result": result,
        "definition": {"id": 7, "name": f"{run.repository}-{run.name}", "project": _PROJECT},
        "project": _PROJECT,
        "sourceBranch": f"refs/heads/{BRANCH}",
        "sourceVersion": run.sha,
        "repository": {"name": run.repository},
        "queueTime": iso(run.started_at),
        "startTime": iso(run.started_at),
        "finishTime": None if run.finished_at is None else iso(run.finished_at),
        "requestedFor": {"displayName": run.author.title()},
        "url": f"{_BASE}/_apis/build/Builds/{4000 + run.number}",
    }


def _request(request: Request) -> Document:
    return {
        "pullRequestId": request.number,
        "status": "active" if request.merged_at is None else "completed",
        "title": request.title,
        "createdBy": {"displayName": request.author.title()},
        "creationDate": iso(request.opened_at),
        "closedDate": None if request.merged_at is None else iso(request.merged_at),
        "sourceRefName": f"refs/heads/{request.source_branch}",
        "targetRefName": f"refs/heads/{BRANCH}",
        "lastMergeSourceCommit": {"commitId": request.head_sha},
        "lastMergeCommit": {"commitId": request.merge_sha or request.head_sha},
        "repository": _repository(request.repository),
        "url": f"{_BASE}/_apis/git/pullRequests/{request.number}",
    }


def _told(happening: Happening) -> tuple[str, Document, str]:
    """Event type, resource, and when the notification was made."""
    match happening:
        case Push():
            resource = {
                "commits": [_commit(happening.repository, each) for each in happening.commits],
                "refUpdates": [
                    {
                        "name": f"refs/heads/{BRANCH}",
                        "oldObjectId": happening.before,
                        "newObjectId": happening.commits[-1].sha,
                    }
                ],
                "repository": _repository(happening.repository),
                "pushId": happening.number,
                "date": iso(happening.at),
            }
            return "git.push", resource, iso(happening.at)
        case Run(is_good=None):
            stage = {"name": "Build", "state": "running"}
            run = {"id": 4000 + happening.number, "createdDate": iso(happening.started_at)}
            name = f"{happening.repository}-{happening.name}"
            resource = {"stage": stage, "run": run, "pipeline": {"id": 7, "name": name}, "project": _PROJECT}
            return "ms.vss-pipelines.stage-state-changed-event", resource, iso(happening.started_at)
        case Run():
            return "build.complete", _run(happening), iso(happening.finished_at or happening.started_at)
        case Request():
            event = "git.pullrequest.created" if happening.merged_at is None else "git.pullrequest.merged"
            return event, _request(happening), iso(happening.updated_at)
        case _:
            assert_never(happening)


def _webhook(happening: Happening, delivery_id: str) -> Webhook:
    event, resource, at = _told(happening)
    return Webhook(
        {
            "subscriptionId": "b3d6a3c1-0000-4c4c-9c9c-000000000001",
            "notificationId": happening.number,
            "id": delivery_id,
            "eventType": event,
            "publisherId": "tfs",
            "resource": resource,
            "resourceVersion": "1.0",
            "createdDate": at,
        }
    )


def _listed(values: list[Document]) -> Document:
    return {"count": len(values), "value": values}


def _rest(past: Past) -> dict[str, Any]:
    here = "Fabrikam/_apis"
    builds = [_run(each) for name in REPOSITORIES for each in past.runs(name)]
    found: dict[str, Any] = {
        f"{here}/git/repositories": _listed([_repository(name) for name in REPOSITORIES]),
        f"{here}/build/builds": _listed(builds),
    }
    for name in REPOSITORIES:
        git = f"{here}/git/repositories/{name}"
        found[f"{git}/commits"] = _listed([_commit(name, each) for each in past.commits(name)])
        found[f"{git}/pullrequests"] = _listed([_request(each) for each in past.requests(name)])
    return found


PLATFORM: Final = Platform(BasicAuth(), _webhook, _rest)
