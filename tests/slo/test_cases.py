"""Specs with mistakes and what is said about them: `cases/<code>-<words>/`, each with its `expected.txt`.

The expectation is what `sereno compile` prints on standard error; `arguments.txt` holds further arguments.
SERENO_UPDATE_GOLDENS=1 writes it anew.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from sereno_slo.codes import CODES

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"
LINE = re.compile(
    r"[a-z]+(\.slo)?\.yaml:[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[(SLO[0-9]{3})\]: .+"
    r"|[0-9]+ errors?; nothing was written"
)


@pytest.mark.parametrize("name", NAMES)
def test_says_every_mistake(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each mistake is one line with place, code and cure; a spec with errors writes nothing and exits 2."""
    here = tmp_path / "here"
    shutil.copytree(CASES / name, here, ignore=shutil.ignore_patterns("expected.txt"))
    monkeypatch.chdir(here)
    specs = sorted(path.name for path in here.glob("*.slo.yaml")) or ["spec.slo.yaml"]
    further = here / "arguments.txt"
    arguments = further.read_text(encoding="utf-8").split() if further.exists() else []
    exit_code = run(["compile", *specs, "--out", "../out", *arguments])
    said = capsys.readouterr().err
    if UPDATE:
        (CASES / name / "expected.txt").write_text(said, encoding="utf-8")
    assert said == (CASES / name / "expected.txt").read_text(encoding="utf-8")
    lines = [LINE.fullmatch(line) for line in said.splitlines()]
    assert all(lines), said
    has_errors = any(line and line[2] == "error" for line in lines)
    assert exit_code == (ExitCode.INVALID_INPUT if has_errors else ExitCode.OK)
    assert (tmp_path / "out").exists() != has_errors
    code = name.partition("-")[0]
    assert code not in CODES or code in {line[3] for line in lines if line}, "the case shows what its name says"
