"""Jenkins with its Notification plugin: plugins.jenkins.io/notification. It knows builds only, and no delivery ids."""

from typing import Any, Final

from sereno_collectors.devops.authentication import BasicAuth

from devops_events.generator.happenings import BRANCH, REPOSITORIES, Happening, Past, Push, Request, Run
from devops_events.generator.platforms.form import Document, Platform, Webhook

_BASE = "https://jenkins.example.org"


def _as_run(happening: Happening) -> Run:
    """A push or a pull request sets a build off."""
    match happening:
        case Run():
            return happening
        case Push():
            last = happening.commits[-1]
            return Run(happening.repository, happening.number, "commit", last.sha, last.author, happening.at)
        case Request():
            sha, at = happening.merge_sha or happening.head_sha, happening.updated_at
            return Run(happening.repository, happening.number, "review", sha, happening.author, at)


def _job(run: Run) -> str:
    return f"{run.repository}-{run.name}"


def _build(run: Run) -> Document:
    """Its times are in milliseconds, and the duration is 0 as long as it runs."""
    finished_at = run.finished_at or run.started_at
    return {
        "full_url": f"{_BASE}/job/{_job(run)}/{run.number}/",
        "number": run.number,
        "timestamp": int(run.started_at.timestamp() * 1000),
        "duration": int((finished_at - run.started_at).total_seconds() * 1000),
        "phase": "STARTED" if run.is_good is None else "FINALIZED",
        "status": "FAILURE" if run.is_good is False else "SUCCESS",
        "url": f"job/{_job(run)}/{run.number}/",
        "scm": {
            "url": f"https://git.example.org/acme/{run.repository}.git",
            "branch": f"origin/{BRANCH}",
            "commit": run.sha,
            "culprits": [run.author],
        },
    }


def _webhook(happening: Happening, _delivery_id: str) -> Webhook:
    run = _as_run(happening)
    name = _job(run)
    return Webhook({"name": name, "display_name": name, "url": f"job/{name}/", "build": _build(run)})


def _rest(past: Past) -> dict[str, Any]:
    jobs: dict[str, list[Document]] = {}
    for name in REPOSITORIES:
        for run in past.runs(name):
            jobs.setdefault(_job(run), []).append(_build(run))
    found: dict[str, Any] = {"api/json": {"jobs": [{"name": name, "url": f"{_BASE}/job/{name}/"} for name in jobs]}}
    return found | {f"job/{name}/api/json": {"name": name, "builds": builds} for name, builds in jobs.items()}


PLATFORM: Final = Platform(BasicAuth(), _webhook, _rest)
