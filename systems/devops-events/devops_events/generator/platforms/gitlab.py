"""GitLab: docs.gitlab.com, "Webhook events" and "REST API"; signed by Standard Webhooks."""

from typing import Any, Final, assert_never

from sereno_collectors.devops.authentication import StandardWebhooks

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, NewCommit, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook, iso

_BASE = "https://gitlab.example.org/acme"


def _project(name: str) -> Document:
    return {
        "id": 15 + REPOSITORIES.index(name),
        "name": name.title(),
        "web_url": f"{_BASE}/{name}",
        "namespace": "acme",
        "path_with_namespace": f"acme/{name}",
        "default_branch": BRANCH,
    }


def _commit(repository: str, commit: NewCommit) -> Document:
    return {
        "id": commit.sha,
        "message": f"{commit.title}\n",
        "title": commit.title,
        "timestamp": iso(commit.at),
        "url": f"{_BASE}/{repository}/-/commit/{commit.sha}",
        "author": {"name": commit.author.title(), "email": "[REDACTED]"},
        "added": [],
        "modified": ["cart.py"],
        "removed": [],
    }


def _run(run: Run) -> Document:
    status = "running" if run.is_good is None else "success" if run.is_good else "failed"
    return {
        "id": 31_000 + run.number,
        "iid": run.number,
        "name": run.name,
        "ref": BRANCH,
        "tag": False,
        "sha": run.sha,
        "source": "push",
        "status": status,
        "created_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "url": f"{_BASE}/{run.repository}/-/pipelines/{31_000 + run.number}",
    }


def _request(request: Request) -> Document:
    return {
        "id": 70_000 + request.number,
        "iid": request.number,
        "title": request.title,
        "state": "opened" if request.merged_at is None else "merged",
        "action": "open" if request.merged_at is None else "merge",
        "source_branch": request.source_branch,
        "target_branch": BRANCH,
        "last_commit": {"id": request.head_sha},
        "merge_commit_sha": request.merge_sha,
        "created_at": iso(request.opened_at),
        "updated_at": iso(request.updated_at),
        "url": f"{_BASE}/{request.repository}/-/merge_requests/{request.number}",
    }


def _told(happening: Happening) -> tuple[str, Document]:
    match happening:
        case Push():
            return "Push Hook", {
                "object_kind": "push",
                "ref": f"refs/heads/{BRANCH}",
                "before": happening.before,
                "after": happening.commits[-1].sha,
                "user_username": happening.commits[-1].author,
                "commits": [_commit(happening.repository, each) for each in happening.commits],
                "total_commits_count": len(happening.commits),
            }
        case Run():
            user = {"username": happening.author}
            return "Pipeline Hook", {"object_kind": "pipeline", "object_attributes": _run(happening), "user": user}
        case Request():
            user = {"username": happening.author}
            told = _request(happening)
            return "Merge Request Hook", {"object_kind": "merge_request", "object_attributes": told, "user": user}
        case _:
            assert_never(happening)


def _webhook(happening: Happening, delivery_id: str) -> Webhook:
    event, told = _told(happening)
    headers = {"User-Agent": "GitLab/18.6.0", "X-Gitlab-Event": event, "Idempotency-Key": delivery_id}
    return Webhook({**told, "project": _project(happening.repository)}, headers)


def _rest(past: Past) -> dict[str, Any]:
    found: dict[str, Any] = {"api/v4/projects": [_project(name) for name in REPOSITORIES]}
    for number, name in enumerate(REPOSITORIES, 15):
        here = f"api/v4/projects/{number}"
        found |= {
            here: _project(name),
            f"{here}/repository/commits": [_commit(name, each) for each in past.commits(name)],
            f"{here}/merge_requests": [_request(each) for each in past.requests(name)],
            f"{here}/pipelines": [_run(each) for each in past.runs(name)],
        }
    return found


PLATFORM: Final = Platform(StandardWebhooks(), _webhook, _rest)
