"""`sereno plan` in real git repositories: what it compares with, what it tells, and whatever can be wrong."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.changes import Side, as_markdown, compare
from sereno_slo.changes.markdown import MOST_BYTES
from support.command_line import files_below, sereno
from support.slo_specs import spec_text

SPEC = "slo/specs/api.slo.yaml"
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
    # Nothing above the test's own folder is its repository.
    "GIT_CEILING_DIRECTORIES": "/tmp",  # noqa: S108
}


def git(folder: Path, *arguments: str) -> str:
    """What git says; it must succeed."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip()


def commit(folder: Path, files: Mapping[str, str | None], branch: str | None = None) -> str:
    """Write or remove files and commit them; the commit's hash."""
    if branch is not None:
        git(folder, "checkout", "-q", "-B", branch)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose main branch has one spec."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {SPEC: spec_text(), "sereno.yaml": "window: 30d\n"})
    return folder


def plan(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = sereno("plan", *arguments, cwd=folder, environment=ENVIRONMENT)
    return done.returncode, done.stdout, done.stderr


def told(folder: Path, *arguments: str | Path) -> dict[str, dict[str, tuple[str, str]]]:
    """The changed settings by SLO and key."""
    code, printed, said = plan(folder, *arguments, "--format", "json")
    assert (code, said) == (ExitCode.OK, "")
    return {
        slo["slo"]: {setting["key"]: (setting["before"], setting["after"]) for setting in slo["settings"]}
        for slo in json.loads(printed)["slos"]
    }


def test_what_a_branch_did_is_compared_with_where_it_began(repository: Path) -> None:
    """Neither what main did meanwhile, nor what isn't committed yet, is mistaken for it."""
    begin = git(repository, "rev-parse", "HEAD")
    commit(repository, {SPEC: spec_text(objective="99")}, branch="feature")
    git(repository, "checkout", "-q", "main")
    commit(repository, {SPEC: spec_text(objective="95")})
    git(repository, "checkout", "-q", "feature")
    code, printed, _ = plan(repository)
    assert (code, printed.splitlines()[0]) == (ExitCode.OK, f"against {begin[:10]} (where HEAD left main)")
    (repository / SPEC).write_text(spec_text(objective="98"), encoding="utf-8")
    before = files_below(repository)
    assert told(repository) == {"api/calls": {"objective": ("99.9 %", "98 %")}}
    assert files_below(repository) == before


def test_origin_goes_before_the_local_branch(repository: Path, tmp_path: Path) -> None:
    """A local main is often old."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repository), str(clone))
    commit(clone, {SPEC: spec_text(objective="99")})
    assert told(clone) == {"api/calls": {"objective": ("99.9 %", "99 %")}}
    assert "(origin/HEAD)" in plan(clone)[1]


@pytest.mark.parametrize("base", ["v1", "HEAD~2", "HEAD^^"])
def test_any_commit_can_be_the_base(repository: Path, base: str) -> None:
    """Tags and relative names, too; a file that was removed since is told as removed, one that came as added."""
    git(repository, "tag", "v1")
    commit(repository, {"slo/specs/other.slo.yaml": spec_text().replace("service: api", "service: other")})
    commit(repository, {SPEC: None})
    _, printed, _ = plan(repository, "--base", base, "--format", "json")
    assert {slo["slo"]: slo["status"] for slo in json.loads(printed)["slos"]} == {
        "other/calls": "added",
        "api/calls": "removed",
    }


def test_sereno_yaml_is_that_of_its_commit(repository: Path) -> None:
    """A default that changes is told for every SLO that has it."""
    (repository / "sereno.yaml").write_text("window: 7d\n", encoding="utf-8")
    assert told(repository) == {"api/calls": {"window": ("30d", "7d")}}
    (repository / "sereno.yaml").unlink()
    assert told(repository) == {}


def test_named_specs_only_are_compared(repository: Path) -> None:
    """By their paths, from any folder; others may change as they like."""
    other = spec_text().replace("service: api", "service: other")
    commit(repository, {"slo/specs/other.slo.yaml": other})
    for name, text in (("other", other.replace("99.9", "99")), ("api", spec_text(objective="98"))):
        (repository / f"slo/specs/{name}.slo.yaml").write_text(text, encoding="utf-8")
    assert told(repository / "slo", "specs/other.slo.yaml") == {"other/calls": {"objective": ("99.9 %", "99 %")}}
    assert set(told(repository / "slo")) == {"other/calls", "api/calls"}


def test_steps_of_other_specs_are_looked_for_where_these_are_all(repository: Path) -> None:
    """A named file may have steps in other files, on both sides; where all are compared, what is missing is told."""
    steps = ("[api/calls]", "[api/calls, other/calls]")
    texts = [spec_text() + f"journeys:\n  - {{name: trip, objective: 99, steps: {these}}}\n" for these in steps]
    others = {f"slo/specs/{name}.slo.yaml": spec_text().replace("api", name) for name in ("other", "third")}
    commit(repository, {SPEC: texts[1], **others})
    (repository / SPEC).write_text(texts[0], encoding="utf-8")
    assert told(repository, SPEC) == {"api/trip": {"steps": ("api/calls, other/calls", "api/calls")}}
    assert told(repository) == told(repository, SPEC)
    broken = commit(repository, {SPEC: texts[1], "slo/specs/other.slo.yaml": None})[:10]
    assert plan(repository, SPEC)[::2] == (ExitCode.OK, "")
    code, printed, said = plan(repository)
    assert (code, printed) == (ExitCode.INVALID_INPUT, "")
    assert f"{broken}:{SPEC}:9:" in said
    assert f"\n{SPEC}:9:" in said


def test_a_repository_of_specs_may_lie_within_another(repository: Path) -> None:
    """slo/specs is looked for from the current folder upwards, not at the top of git's tree."""
    inner = "teams/payments/slo/specs/inner.slo.yaml"
    commit(repository, {inner: spec_text().replace("service: api", "service: inner")})
    (repository / inner).write_text(
        spec_text(objective="99").replace("service: api", "service: inner"), encoding="utf-8"
    )
    assert told(repository / "teams/payments") == {"inner/calls": {"objective": ("99.9 %", "99 %")}}


def test_a_shallow_clone_is_compared_as_far_as_it_knows(repository: Path, tmp_path: Path) -> None:
    """What is fetched can be compared with; what isn't has a cure."""
    commit(repository, {SPEC: spec_text(objective="99")})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(clone))
    assert told(clone) == {}
    code, printed, said = plan(clone, "--base", "HEAD~1")
    assert (code, printed) == (ExitCode.INVALID_INPUT, "")
    assert "the clone is shallow: fetch it (actions/checkout: fetch-depth: 0)" in said
    git(repository, "checkout", "-q", "--orphan", "apart")
    commit(repository, {SPEC: spec_text(objective="95")})
    git(clone, "fetch", "-q", "--depth", "1", "origin", "apart:refs/remotes/origin/apart")
    assert "(origin/apart itself: the clone is shallow" in plan(clone, "--base", "origin/apart")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "nowhere"), "--base nowhere is no branch, tag or commit here"),
        (("--base", "--output=x"), "--base --output=x is no branch, tag or commit here"),
        (("--base", "main", "--old", "."), "leave one out"),
        (("--old", "nowhere"), "--old nowhere is no folder"),
    ],
)
def test_what_cannot_be_compared_is_bad_input(repository: Path, arguments: tuple[str, ...], said: str) -> None:
    """One line, exit code 2, nothing on standard output."""
    code, printed, told_ = plan(repository, *arguments)
    assert (code, printed, len(told_.splitlines()), said in told_) == (ExitCode.INVALID_INPUT, "", 1, True), told_


def test_odd_files_of_a_commit_are_refused_with_a_cure(repository: Path) -> None:
    """A link has no content, and a line feed would end the question to git: neither is left out silently."""
    name = "slo/specs/a\nb.slo.yaml"
    commit(repository, {name: spec_text().replace("service: api", "service: odd")})
    assert "has a line feed in its name" in plan(repository)[2]
    commit(repository, {name: None})
    (repository / "slo/specs/link.slo.yaml").symlink_to("api.slo.yaml")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "link")
    code, printed, said = plan(repository)
    assert (code, printed, "link.slo.yaml is a symbolic link in" in said) == (ExitCode.INVALID_INPUT, "", True)


def test_outside_of_git_folders_are_proposed(tmp_path: Path) -> None:
    """There is nothing to compare with, but there is a way."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    code, printed, said = plan(tmp_path, "api.slo.yaml")
    assert (code, printed, "compare with --old FOLDER instead" in said) == (ExitCode.INVALID_INPUT, "", True)


def test_without_git_a_needed_part_is_missing(repository: Path) -> None:
    """And it is said what works without it."""
    done = sereno("plan", cwd=repository, environment={"PATH": ""})
    assert (done.returncode, done.stdout) == (ExitCode.UNREACHABLE, "")
    assert done.stderr == "sereno plan: git is not on PATH (--old FOLDER works without it)\n"


def test_mistakes_of_both_sides_are_told_at_once(repository: Path) -> None:
    """Those of the old side name its commit."""
    broken = commit(repository, {SPEC: spec_text(objective="0.99"), "sereno.yaml": "windw: 7d\n"})[:10]
    (repository / SPEC).write_text(spec_text(objective="100"), encoding="utf-8")
    (repository / "sereno.yaml").write_text("window: 30d\n", encoding="utf-8")
    code, printed, said = plan(repository)
    assert (code, printed) == (ExitCode.INVALID_INPUT, "")
    places = [line.split(": error[")[0] for line in said.splitlines()[:-1]]
    assert places == [f"{broken}:sereno.yaml:1:1", f"{broken}:{SPEC}:6:16", f"{SPEC}:6:16"]
    assert said.splitlines()[-1] == "3 errors; nothing was written"


def test_a_comment_stays_below_the_limit_whatever_changes() -> None:
    """What is left out is counted, details before rows; the comment still ends as it should."""

    def side(count: int, objective: int) -> Side:
        one = "  - {{name: calls-{}, objective: {}, description: {}, indicator: {{probe: {{metric: up}}}}}}\n"
        slos = "".join(one.format(number, objective, f"d{objective}" * 170) for number in range(count))
        text = f"version: sereno/v1\nservice: api\nowner: team\nslos:\n{slos}"
        validation = validate_specs([SourceFile("api.slo.yaml", text)], Settings())
        return Side(validation.services, Settings())

    shown = []
    for count in (10, 50, 90):
        text = as_markdown(compare(side(count, 98), side(count, 99)), "main")
        assert len(text.encode()) <= MOST_BYTES
        assert text.startswith("<!-- sereno plan -->\n")
        assert text.endswith("</sub>\n")
        assert text.count("<details>") == text.count("</details>")
        shown.append((text.count("\n| `api/"), text.count("<details>"), text.count("don't fit into a comment")))
    (rows, details, told_), (most_rows, some, told_of_some), (fewer_rows, none, told_of_both) = shown
    assert (rows, details, told_) == (10, 10, 0)
    assert (most_rows, 0 < some < 50, told_of_some) == (50, True, 1)
    assert (50 < fewer_rows < 90, none, told_of_both) == (True, 0, 2)
