"""Cases and configurations, and what `sereno alerting test --full` says of them: `cases/<words>/` with `expected.txt`.

Standard error, standard output, exit code. SERENO_UPDATE_GOLDENS=1 writes it anew. What is tried is tried on a real
Alertmanager.
"""

import os
import shutil
from pathlib import Path
from time import monotonic

import pytest
import yaml
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run

from benchmarks.routing_cases import cases

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"


@pytest.mark.parametrize("name", NAMES)
def test_says_what_holds(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each mistake, failing case and untouched part is one line with its place."""
    here = tmp_path / "here"
    shutil.copytree(CASES / name, here)
    monkeypatch.chdir(here)
    exit_code = run(["alerting", "test", "--full", "cases.yaml"])
    answer = capsys.readouterr()
    said = f"{answer.err}{answer.out}exit {exit_code}\n".replace(str(here), "")
    if UPDATE:
        (CASES / name / "expected.txt").write_text(said, encoding="utf-8")
    assert said == (CASES / name / "expected.txt").read_text(encoding="utf-8")


def test_the_repositorys_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All cases of alerting/tests hold, and touch every route, every time interval, and what inhibits within an SLO."""
    monkeypatch.chdir(ROOT)
    assert run(["alerting", "test"]) == ExitCode.OK
    answer = capsys.readouterr()
    assert answer.err == ""
    untouched = [line for line in answer.out.splitlines() if "no case touches" in line]
    assert not [line for line in untouched if "the inhibition" not in line]
    base = (ROOT / "alerting/alertmanager/alertmanager.yml").read_text(encoding="utf-8").partition("# BEGIN")[0]
    assert not [line for line in untouched if int(line.split(":")[1]) <= base.count("\n")]


def test_two_hundred_cases_in_half_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With alerts that inhibit, and twenty moments: in one Alertmanager, without seeing each other."""
    (tmp_path / "alertmanager.yml").write_text((CASES / "hours/alertmanager.yml").read_text(encoding="utf-8"))
    document = {"version": "sereno/v1", "configuration": "alertmanager.yml", "cases": [*cases(200)]}
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    start = monotonic()
    exit_code = run(["alerting", "test", str(tmp_path / "cases.yaml")])
    seconds = monotonic() - start
    answer = capsys.readouterr()
    assert (exit_code, answer.err) == (ExitCode.OK, "")
    assert "200 cases hold" in answer.out
    assert seconds < 30


def test_few_cases_name_few_untouched_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten, and how many more there are: what was asked for was the case."""
    cases = "version: sereno/v1\ncases: [{name: a, labels: {a: b}, receivers: nowhere}]\n"
    (tmp_path / "cases.yaml").write_text(cases, encoding="utf-8")
    configuration = ROOT / "alerting/alertmanager/alertmanager.yml"
    arguments = ["alerting", "test", "--configuration", str(configuration), str(tmp_path / "cases.yaml")]
    assert run(arguments) == ExitCode.OK
    *untouched, more, summary = capsys.readouterr().out.splitlines()
    assert len(untouched) == 10
    assert more.startswith("… and ")
    assert "1 case holds" in summary


def test_without_alertmanager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It says how to install it, and exits 3."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(ROOT)
    assert run(["alerting", "test"]) == ExitCode.UNREACHABLE
    assert "apt-get install" in capsys.readouterr().err
