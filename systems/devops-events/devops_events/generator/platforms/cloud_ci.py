"""A CI in a cloud that has no form of its own: Sereno's generic one (docs/devops.md), signed by Standard Webhooks."""

from typing import Any, Final, assert_never

from sereno_collectors.devops.authentication import StandardWebhooks

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, NewCommit, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook, iso


def _commit(push: Push, position: int, commit: NewCommit) -> Document:
    return {
        "kind": "commit",
        "repository": f"acme/{push.repository}",
        "occurred_at": iso(push.at),
        "commit": {
            "sha": commit.sha,
            "authored_at": iso(commit.at),
            "branch": BRANCH,
            "push_before": push.before,
            "push_after": push.commits[-1].sha,
            "push_position": position,
            "author": commit.author,
            "title": commit.title,
        },
    }


def _run(run: Run) -> Document:
    told: Document = {
        "run_id": str(run.number),
        "status": "running" if run.is_good is None else "succeeded" if run.is_good else "failed",
        "name": run.name,
        "sha": run.sha,
        "branch": BRANCH,
        "started_at": iso(run.started_at),
        "actor": run.author,
    }
    if run.finished_at is not None:
        told["finished_at"] = iso(run.finished_at)
    at = iso(run.finished_at or run.started_at)
    return {"kind": "pipeline", "repository": f"acme/{run.repository}", "occurred_at": at, "pipeline": told}


def _request(request: Request) -> Document:
    told: Document = {
        "number": str(request.number),
        "state": "open" if request.merged_at is None else "merged",
        "title": request.title,
        "source_branch": request.source_branch,
        "target_branch": BRANCH,
        "head_sha": request.head_sha,
        "opened_at": iso(request.opened_at),
        "author": request.author,
    }
    if request.merged_at is not None:
        told |= {"merge_sha": request.merge_sha, "merged_at": iso(request.merged_at)}
    return {
        "kind": "pull_request",
        "repository": f"acme/{request.repository}",
        "occurred_at": iso(request.updated_at),
        "pull_request": told,
    }


def _events(happening: Happening) -> list[Document]:
    match happening:
        case Push():
            return [_commit(happening, position, each) for position, each in enumerate(happening.commits)]
        case Run():
            return [_run(happening)]
        case Request():
            return [_request(happening)]
        case _:
            assert_never(happening)


def _webhook(happening: Happening, _delivery_id: str) -> Webhook:
    return Webhook({"version": "sereno/v1", "events": _events(happening)}, {"User-Agent": "cloud-ci/1.0"})


def _rest(past: Past) -> dict[str, Any]:
    return {f"v1/{name}/runs": {"events": [_run(each) for each in past.runs(name)]} for name in REPOSITORIES}


PLATFORM: Final = Platform(StandardWebhooks(), _webhook, _rest)
