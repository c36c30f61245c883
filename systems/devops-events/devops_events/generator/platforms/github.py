"""GitHub: docs.github.com, "Webhook events and payloads" and "REST API"."""

from typing import Any, Final, assert_never

from sereno_collectors.devops.authentication import BodySignature

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, NewCommit, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook, iso


def _repository(name: str) -> Document:
    return {
        "id": 1000 + REPOSITORIES.index(name),
        "name": name,
        "full_name": f"acme/{name}",
        "private": True,
        "owner": {"login": "acme", "id": 21, "type": "Organization"},
        "html_url": f"https://github.com/acme/{name}",
        "default_branch": BRANCH,
    }


def _commit(repository: str, commit: NewCommit) -> Document:
    return {
        "id": commit.sha,
        "distinct": True,
        "message": f"{commit.title}\n\nBecause it was asked for.",
        "timestamp": iso(commit.at),
        "url": f"https://github.com/acme/{repository}/commit/{commit.sha}",
        "author": {"name": commit.author.title(), "email": f"{commit.author}@example.org", "username": commit.author},
        "added": [],
        "removed": [],
        "modified": ["cart.py"],
    }


def _run(run: Run) -> Document:
    conclusion = None if run.is_good is None else "success" if run.is_good else "failure"
    return {
        "id": 900_000 + run.number,
        "name": run.name,
        "run_number": run.number,
        "run_attempt": 1,
        "head_branch": BRANCH,
        "head_sha": run.sha,
        "event": "push",
        "status": "in_progress" if run.is_good is None else "completed",
        "conclusion": conclusion,
        "created_at": iso(run.started_at),
        "run_started_at": iso(run.started_at),
        "updated_at": iso(run.finished_at or run.started_at),
        "html_url": f"https://github.com/acme/{run.repository}/actions/runs/{900_000 + run.number}",
        "actor": {"login": run.author},
        "triggering_actor": {"login": run.author},
    }


def _request(request: Request) -> Document:
    return {
        "number": request.number,
        "state": "open" if request.merged_at is None else "closed",
        "title": request.title,
        "user": {"login": request.author},
        "head": {"ref": request.source_branch, "sha": request.head_sha},
        "base": {"ref": BRANCH},
        "merged": request.merged_at is not None,
        "merge_commit_sha": request.merge_sha,
        "created_at": iso(request.opened_at),
        "updated_at": iso(request.updated_at),
        "closed_at": None if request.merged_at is None else iso(request.merged_at),
        "merged_at": None if request.merged_at is None else iso(request.merged_at),
        "html_url": f"https://github.com/acme/{request.repository}/pull/{request.number}",
    }


def _told(happening: Happening) -> tuple[str, Document]:
    match happening:
        case Push():
            commits = [_commit(happening.repository, each) for each in happening.commits]
            return "push", {
                "ref": f"refs/heads/{BRANCH}",
                "before": happening.before,
                "after": happening.commits[-1].sha,
                "created": False,
                "deleted": False,
                "forced": False,
                "pusher": {"name": happening.commits[-1].author},
                "commits": commits,
                "head_commit": commits[-1],
            }
        case Run():
            action = "in_progress" if happening.is_good is None else "completed"
            return "workflow_run", {"action": action, "workflow_run": _run(happening)}
        case Request():
            action = "opened" if happening.merged_at is None else "closed"
            return "pull_request", {
                "action": action,
                "number": happening.number,
                "pull_request": _request(happening),
            }
        case _:
            assert_never(happening)


def _webhook(happening: Happening, delivery_id: str) -> Webhook:
    event, told = _told(happening)
    headers = {"User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery_id}
    return Webhook({**told, "repository": _repository(happening.repository)}, headers)


def _rest(past: Past) -> dict[str, Any]:
    found: dict[str, Any] = {"orgs/acme/repos": [_repository(name) for name in REPOSITORIES]}
    for name in REPOSITORIES:
        commits = [{"sha": each.sha, "commit": _commit(name, each)} for each in past.commits(name)]
        runs = [_run(each) for each in past.runs(name)]
        found |= {
            f"repos/acme/{name}": _repository(name),
            f"repos/acme/{name}/commits": commits,
            f"repos/acme/{name}/pulls": [_request(each) for each in past.requests(name)],
            f"repos/acme/{name}/actions/runs": {"total_count": len(runs), "workflow_runs": runs},
        }
    return found


PLATFORM: Final = Platform(BodySignature("X-Hub-Signature-256"), _webhook, _rest)
