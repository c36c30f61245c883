"""`sereno postmortem lint` and `actions` as a user calls them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sereno_cli.main import run
from sereno_postmortems.questions import QUESTIONS

TODAY = datetime.now(UTC).date()
WHOLE = "\n\n".join(
    [
        "# Postmortem",
        "## Summary\n\nNobody could pay.",
        "## Impact\n\n300 carts.",
        "## Analysis",
        *(f"### {question}\n\nNot known." for question in QUESTIONS),
        "## Action items\n\n| action | kind | owner | due | done |\n|---|---|---|---|---|",
    ]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's postmortems: one that is whole with a late action, and a README."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "postmortems").mkdir()
    late, later = TODAY - timedelta(days=3), TODAY + timedelta(days=3)
    rows = f"| mend it | prevent | ana | {late} | |\n| learn it | learn | ben | {later} | |\n"
    rows += f"| was easy | learn | ana | {late} | {late} |\n"
    (tmp_path / "postmortems/2026-11-01-a.md").write_text(f"{WHOLE}\n{rows}", encoding="utf-8")
    (tmp_path / "postmortems/README.md").write_text("*told:* …\n", encoding="utf-8")
    return tmp_path / "postmortems"


def test_lint_is_0_when_nothing_is_missing_and_1_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file all of postmortems/ is looked at; findings are on standard output, one a line."""
    assert run(["postmortem", "lint"]) == 0
    assert capsys.readouterr().out == ""
    (folder / "2026-11-02-b.md").write_text(f"{WHOLE}\n| x | learn | | soon | |\n", encoding="utf-8")
    (folder / "2026-11-03-c.md").write_bytes(b"\xff")
    assert run(["postmortem", "lint"]) == 1
    printed = capsys.readouterr()
    assert [line.split(" ")[:2] for line in printed.out.splitlines()] == [
        ["postmortems/2026-11-02-b.md:37:15:", "error[PM009]:"],
        ["postmortems/2026-11-02-b.md:37:17:", "error[PM011]:"],
        ["postmortems/2026-11-03-c.md:1:1:", "error[PM001]:"],
    ]
    assert "3 findings in 3 files" in printed.err
    assert run(["postmortem", "lint", str(folder / "2026-11-01-a.md"), str(folder / "README.md")]) == 0


def test_with_a_template_of_its_own_a_team_asks_its_own_questions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then only questions that are there need an answer."""
    file = folder / "2026-11-01-a.md"
    file.write_text(file.read_text().replace(f"### {QUESTIONS[0]}", "### Who called?\n\n### Else"), encoding="utf-8")
    assert run(["postmortem", "lint"]) == 1
    assert "the question is missing" in capsys.readouterr().out
    (folder / "template.md.j2").write_text("x", encoding="utf-8")
    assert run(["postmortem", "lint"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "error[PM006]: the question has no answer: Who called?" in line


@pytest.mark.parametrize("command", ["lint", "actions"])
def test_a_file_that_is_not_there_is_2(folder: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and nothing is printed."""
    assert run(["postmortem", command, str(folder / "nowhere.md")]) == 2
    printed = capsys.readouterr()
    assert "nowhere.md isn't there" in printed.err
    assert printed.out == ""


def test_actions_are_listed_with_their_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Overdue first, with days, owner, file and line; 1 only when that was asked for."""
    assert run(["postmortem", "actions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"OVERDUE {TODAY - timedelta(days=3)} by 3 days  ana: mend it (prevent)"
    assert lines[1] == "    postmortems/2026-11-01-a.md:37"
    assert lines[-1] == "2 open actions, 1 overdue"
    assert run(["postmortem", "actions", "--fail-overdue"]) == 1
    assert run(["postmortem", "actions", "--fail-overdue", "--owner", "BEN"]) == 0
    capsys.readouterr()
    assert run(["postmortem", "actions", "--format", "json", "--all", "--owner", "ana"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["action"], one["is_done"], one["days_late"]) for one in found] == [
        ("mend it", False, 3),
        ("was easy", True, 0),
    ]
    (folder / "2026-11-03-c.md").write_bytes(b"\xff")
    assert run(["postmortem", "actions"]) == 2
    printed = capsys.readouterr()
    assert "mend it" in printed.out
    assert "2026-11-03-c.md" in printed.err
