"""Team files with mistakes and what is said about them: `cases/<code>-<words>/`, each with its `expected.txt`.

The expectation is what `sereno alertmanager generate` prints on standard error. SERENO_UPDATE_GOLDENS=1 writes it anew.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from sereno_alerting.codes import CODES
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"
LINE = re.compile(
    r"(teams|shop\.slo)\.yaml:[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[((?:SLO|ALR)[0-9]{3})\]: .+ \(.+\)"
)
SPEC = """\
version: sereno/v1
service: shop
owner: payments
slos:
  - name: calls
    objective: 99.9
    indicator: {ratio: {metric: requests_total, match: 'job="shop"', bad: 'code=~"5.."'}}
"""


@pytest.mark.parametrize("name", NAMES)
def test_says_every_mistake(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each mistake is one line with place, code and cure, and no secret; a file with errors writes nothing, exits 2."""
    here = tmp_path / "here"
    shutil.copytree(CASES / name, here)
    (here / "shop.slo.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(here)
    exit_code = run(["alertmanager", "generate", "--teams", "teams.yaml", "--out", "out.yml", "shop.slo.yaml"])
    said = capsys.readouterr().err
    if UPDATE:
        (CASES / name / "expected.txt").write_text(said, encoding="utf-8")
    assert said == (CASES / name / "expected.txt").read_text(encoding="utf-8")
    lines = [line for line in said.splitlines() if not re.fullmatch(r"[0-9]+ errors?; nothing was written", line)]
    assert all(map(LINE.fullmatch, lines)), said
    has_errors = ": error[" in said
    assert exit_code == (ExitCode.INVALID_INPUT if has_errors else ExitCode.OK)
    assert (here / "out.yml").exists() != has_errors
    assert not re.search(r"hunter2|[0-9a-f]{32}", said)
    code = name.partition("-")[0]
    assert code not in CODES or f"[{code}]" in said, "the case shows what its name says"


def test_every_code_has_a_case_and_a_row() -> None:
    """Each code is shown by a case, here or of routing, and docs/alertmanager.md says what it means and what to do."""
    expected = (ROOT / "tests/alerting").glob("*/cases/*/expected.txt")
    shown = {code for path in expected for code in re.findall(r"ALR[0-9]{3}", path.read_text(encoding="utf-8"))}
    assert shown == set(CODES)
    documented = re.findall(
        r"^\| (ALR[0-9]{3}) \| .+ \| .+ \|$", (ROOT / "docs/alertmanager.md").read_text(), re.MULTILINE
    )
    assert documented == sorted(CODES)


def test_hostile_files_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No text, a folder, aliases that explode, and a file that isn't there: one message each, never a traceback."""
    spec = tmp_path / "shop.slo.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    bomb = "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    for name, content in {"latin.yaml": b"version: \xff\xfe", "bomb.yaml": bomb.encode(), "nul.yaml": b"a: \0"}.items():
        (tmp_path / name).write_bytes(content)
    for name in ("latin.yaml", "bomb.yaml", "nul.yaml", "gone.yaml"):
        arguments = ["alertmanager", "generate", "--teams", str(tmp_path / name), "--out", "-", str(spec)]
        assert run(arguments) == ExitCode.INVALID_INPUT
        answer = capsys.readouterr()
        assert answer.out == ""
        assert ": error[SLO0" in answer.err
