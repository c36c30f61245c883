"""Pairs of folders and what a plan says of them: `cases/<words>/old`, `new`, `expected.txt`, `.md` and `.json`.

SERENO_UPDATE_GOLDENS=1 writes the expectations anew.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"
FORMATS = {"text": "expected.txt", "markdown": "expected.md", "json": "expected.json"}


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a case, named as it; its new side is the current folder."""
    here = tmp_path / str(request.param)
    shutil.copytree(CASES / here.name, here)
    monkeypatch.chdir(here / "new")
    return here


def test_says_what_changes(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In three formats, and nothing on standard error; whatever changes, the exit code is 0."""
    for format_, file in FORMATS.items():
        assert run(["plan", "--old", "../old", ".", "--format", format_]) == ExitCode.OK
        said = capsys.readouterr()
        assert said.err == ""
        expectation = CASES / case.name / file
        if UPDATE:
            expectation.write_text(said.out, encoding="utf-8")
        assert said.out == expectation.read_text(encoding="utf-8")


@pytest.mark.usefixtures("case")
def test_a_side_compared_with_itself_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What is told is a difference, never what merely is."""
    assert run(["plan", "--old", ".", ".", "--format", "json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["removed"], told["changed"], told["slos"], told["settings"]) == (0, 0, 0, [], [])


def test_backwards_is_the_same_turned_round(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was added is removed, and every setting goes back."""
    assert run(["plan", "--old", "../old", ".", "--format", "json"]) == ExitCode.OK
    there = json.loads(capsys.readouterr().out)
    os.chdir(case / "old")
    assert run(["plan", "--old", "../new", ".", "--format", "json"]) == ExitCode.OK
    back = json.loads(capsys.readouterr().out)
    assert (there["added"], there["removed"], there["changed"]) == (back["removed"], back["added"], back["changed"])
    forth = {slo["slo"]: slo for slo in there["slos"]}
    for slo in back["slos"]:
        turned = [{**setting, "before": setting["after"], "after": setting["before"]} for setting in slo["settings"]]
        assert sorted(map(str, turned)) == sorted(map(str, forth[slo["slo"]]["settings"]))
        assert (slo["before"], slo["after"]) == (forth[slo["slo"]]["after"], forth[slo["slo"]]["before"])


def test_hostile_words_stay_words() -> None:
    """Rows of a table keep their columns, and what users wrote stands in code: no HTML, no mention, no heading."""
    text = (CASES / "hostile-words/expected.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text, flags=re.DOTALL)
    assert not re.search(r"<script|@somebody|@team|<b>", outside)
    assert not re.search("^# no heading", text, re.MULTILINE)
