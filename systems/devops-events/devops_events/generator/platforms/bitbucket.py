"""Bitbucket Cloud: support.atlassian.com, "Event payloads", and its REST 2.0."""

from typing import Any, Final, assert_never

from sereno_collectors.devops.authentication import BodySignature

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, NewCommit, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook, iso

_BASE = "https://bitbucket.org/acme"


def _repository(name: str) -> Document:
    return {
        "type": "repository",
        "full_name": f"acme/{name}",
        "name": name,
        "links": {"html": {"href": f"{_BASE}/{name}"}},
        "is_private": True,
        "scm": "git",
    }


def _commit(repository: str, commit: NewCommit) -> Document:
    return {
        "type": "commit",
        "hash": commit.sha,
        "date": iso(commit.at),
        "message": f"{commit.title}\n",
        "author": {"raw": f"{commit.author.title()} <{commit.author}@example.org>"},
        "parents": [],
        "links": {"html": {"href": f"{_BASE}/{repository}/commits/{commit.sha}"}},
    }


def _run(run: Run) -> Document:
    return {
        "key": f"{run.name}-{run.number}",
        "name": run.name,
        "state": "INPROGRESS" if run.is_good is None else "SUCCESSFUL" if run.is_good else "FAILED",
        "commit": {"hash": run.sha},
        "refname": BRANCH,
        "created_on": iso(run.started_at),
        "updated_on": iso(run.finished_at or run.started_at),
        "url": f"{_BASE}/{run.repository}/pipelines/results/{run.number}",
    }


def _request(request: Request) -> Document:
    merge = None if request.merge_sha is None else {"hash": request.merge_sha}
    return {
        "id": request.number,
        "title": request.title,
        "state": "OPEN" if request.merged_at is None else "MERGED",
        "author": {"display_name": request.author.title()},
        "source": {"branch": {"name": request.source_branch}, "commit": {"hash": request.head_sha}},
        "destination": {"branch": {"name": BRANCH}},
        "merge_commit": merge,
        "created_on": iso(request.opened_at),
        "updated_on": iso(request.updated_at),
        "links": {"html": {"href": f"{_BASE}/{request.repository}/pull-requests/{request.number}"}},
    }


def _target(sha: str, at: str) -> Document:
    return {"type": "branch", "name": BRANCH, "target": {"type": "commit", "hash": sha, "date": at}}


def _told(happening: Happening) -> tuple[str, Document]:
    match happening:
        case Push():
            change = {
                "old": _target(happening.before, iso(happening.at)),
                "new": _target(happening.commits[-1].sha, iso(happening.commits[-1].at)),
                "created": False,
                "closed": False,
                # The newest comes first.
                "commits": [_commit(happening.repository, each) for each in reversed(happening.commits)],
            }
            return "repo:push", {"push": {"changes": [change]}}
        case Run():
            event = "repo:commit_status_created" if happening.is_good is None else "repo:commit_status_updated"
            actor = {"display_name": happening.author.title()}
            return event, {"commit_status": _run(happening), "actor": actor}
        case Request():
            event = "pullrequest:created" if happening.merged_at is None else "pullrequest:fulfilled"
            return event, {"pullrequest": _request(happening)}
        case _:
            assert_never(happening)


def _webhook(happening: Happening, delivery_id: str) -> Webhook:
    event, told = _told(happening)
    headers = {
        "User-Agent": "Bitbucket-Webhooks/2.0",
        "X-Event-Key": event,
        "X-Request-UUID": delivery_id,
        "X-Attempt-Number": "1",
    }
    return Webhook({**told, "repository": _repository(happening.repository)}, headers)


def _page(values: list[Document]) -> Document:
    return {"pagelen": 50, "page": 1, "size": len(values), "values": values}


def _rest(past: Past) -> dict[str, Any]:
    found: dict[str, Any] = {"2.0/repositories/acme": _page([_repository(name) for name in REPOSITORIES])}
    for name in REPOSITORIES:
        here = f"2.0/repositories/acme/{name}"
        found |= {
            here: _repository(name),
            f"{here}/commits": _page([_commit(name, each) for each in past.commits(name)]),
            f"{here}/pullrequests": _page([_request(each) for each in past.requests(name)]),
        }
        statuses: dict[str, list[Document]] = {}
        for run in past.runs(name):
            statuses.setdefault(run.sha, []).append(_run(run))
        found |= {f"{here}/commit/{sha}/statuses": _page(values) for sha, values in statuses.items()}
    return found


PLATFORM: Final = Platform(BodySignature("X-Hub-Signature"), _webhook, _rest)
