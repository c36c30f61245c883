"""Specs of other tools and what they become: `cases/<name>/*.y*ml`, `expected/*.slo.yaml` and `expected.txt`.

SERENO_UPDATE_GOLDENS=1 writes both anew.
"""

import os
import shutil
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"


def files_of(name: str) -> list[str]:
    """The files of a case that are converted."""
    return sorted(path.name for path in (CASES / name).glob("*.y*ml"))


@pytest.mark.parametrize("name", NAMES)
def test_converts_to_the_expected_specs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every spec and every message is as expected, the specs are valid, and the exit code tells what is left out."""
    for file in files_of(name):
        shutil.copy(CASES / name / file, tmp_path)
    monkeypatch.chdir(tmp_path)
    exit_code = run(["convert", *files_of(name), "--out", "out"])
    said = capsys.readouterr().err
    made = {path.name: path.read_text(encoding="utf-8") for path in Path("out").iterdir()}
    if UPDATE:
        shutil.rmtree(CASES / name / "expected", ignore_errors=True)
        (CASES / name / "expected").mkdir()
        for file, text in made.items():
            (CASES / name / "expected" / file).write_text(text, encoding="utf-8")
        (CASES / name / "expected.txt").write_text(said, encoding="utf-8")
    expected = {path.name: path.read_text(encoding="utf-8") for path in (CASES / name / "expected").iterdir()}
    assert sorted(made) == sorted(expected)
    for file, text in made.items():
        assert text == expected[file], f"{name}/{file} differs; SERENO_UPDATE_GOLDENS=1 writes it anew"
    assert said == (CASES / name / "expected.txt").read_text(encoding="utf-8")
    assert exit_code == (ExitCode.ANSWER_IS_NO if "LEFT OUT:" in "".join(made.values()) else ExitCode.OK)
    assert run(["validate", "out"]) == ExitCode.OK
