"""The workflow for GitHub and the job for GitLab in docs/ci: pinned, with as few rights as they need, and working."""

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from sereno_cli.commands.plan import command
from support.slo_specs import REPOSITORY

GITHUB = REPOSITORY / "docs/ci/github-plan.yml"
GITLAB = REPOSITORY / "docs/ci/gitlab-plan.yml"
MARK = "<!-- sereno plan -->"


def loaded(path: Path) -> dict[Any, Any]:
    """The file as its server reads it (`on` is a boolean in YAML 1.1, which is harmless)."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def github_steps() -> list[dict[str, Any]]:
    """The steps of the workflow's one job."""
    (job,) = loaded(GITHUB)["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def test_actions_are_pinned_to_commits_with_their_version() -> None:
    """A tag can be moved, a commit can't; the comment is for people and for update robots."""
    uses = re.findall(r"uses: (.*)", GITHUB.read_text(encoding="utf-8"))
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in uses)


def test_the_token_writes_comments_and_nothing_else() -> None:
    """Only one step has it, never for forks, and no text of the pull request becomes part of a script."""
    document = loaded(GITHUB)
    (job,) = document["jobs"].values()
    assert document["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "pull_request_target" not in document[True]
    with_token = [step for step in github_steps() if "github.token" in str(step)]
    assert [step["name"] for step in with_token] == ["Comment"]
    assert with_token[0]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert not any("${{" in step.get("run", "") for step in github_steps())


def scripts() -> list[str]:
    """Everything that a shell runs."""
    return [*(step["run"] for step in github_steps() if "run" in step), *loaded(GITLAB)["sereno plan"]["script"]]


@pytest.mark.parametrize("script", scripts())
def test_scripts_are_shell(script: str) -> None:
    """Bash reads each of them."""
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)


def test_options_of_sereno_plan_exist() -> None:
    """In the very form of the jobs."""
    calls = re.findall(r"sereno (plan --base .*?) [>|]", "\n".join(scripts()))
    assert len(calls) == 2
    for call in calls:
        context = command.make_context("plan", shlex.split(call)[1:])
        assert context.params["format_"] == "markdown"


class Notes(BaseHTTPRequestHandler):
    """GitLab's notes of a merge request: pages of two, POST and PUT."""

    notes: ClassVar[list[dict[str, Any]]] = []
    tokens: ClassVar[set[str | None]] = set()

    def do_GET(self) -> None:
        """A page."""
        page = int(self.path.rpartition("=")[2])
        more = str(page + 1) if len(self.notes) > page * 2 else ""
        self._answer(self.notes[(page - 1) * 2 : page * 2], more)

    def do_POST(self) -> None:
        """A new note."""
        self.notes.append({"id": len(self.notes), "body": self._body()})
        self._answer(self.notes[-1])

    def do_PUT(self) -> None:
        """Another text."""
        self.notes[int(self.path.rpartition("/")[2])]["body"] = self._body()
        self._answer({})

    def _body(self) -> str:
        self.tokens.add(self.headers["PRIVATE-TOKEN"])
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def _answer(self, answer: Any, next_page: str = "") -> None:
        self.send_response(200)
        self.send_header("X-Next-Page", next_page)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Quiet."""


@pytest.fixture
def api() -> Iterator[str]:
    """A server with three notes of people."""
    Notes.notes[:] = [{"id": number, "body": "looks good"} for number in range(3)]
    Notes.tokens.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Notes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def commented(api: str, folder: Path, plan: str, token: str = "secret") -> None:  # noqa: S107 - a test's token
    """Run the job's own script."""
    (folder / "plan.md").write_text(plan, encoding="utf-8")
    script = loaded(GITLAB)["sereno plan"]["script"][-1].partition("<<'EOF'\n")[2].rpartition("EOF")[0]
    environment = {"CI_API_V4_URL": api, "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "2"}
    if token:
        environment["SERENO_GITLAB_TOKEN"] = token
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, check=True, timeout=30)


def test_a_note_is_written_once_and_updated_in_place(api: str, tmp_path: Path) -> None:
    """On whatever page of the notes it stands; where nothing changes and there is none, none is written."""
    commented(api, tmp_path, f"{MARK}\nNothing changes: both sides mean the same.")
    assert len(Notes.notes) == 3
    for text in ("first", "second", "Nothing changes any more"):
        commented(api, tmp_path, f"{MARK}\n{text}")
        assert [note["body"] for note in Notes.notes[3:]] == [f"{MARK}\n{text}"]
    assert Notes.tokens == {"secret"}


def test_forks_have_no_token_and_no_note(api: str, tmp_path: Path) -> None:
    """The job is well all the same: the plan is its artifact."""
    commented(api, tmp_path, f"{MARK}\nfirst", token="")
    assert len(Notes.notes) == 3
