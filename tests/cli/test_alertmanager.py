"""`sereno alertmanager merge`: a file that Alertmanager can take, or what is wrong."""

from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from support.command_line import files_below, sereno

BASE = "# mine\nroute: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
RULES = 'inhibit_rules:\n- source_matchers: [a="b"]\n  target_matchers: [c="d"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a configuration and compiled rules."""
    place = tmp_path / "alerting/alertmanager"
    (place / "generated").mkdir(parents=True)
    (tmp_path / "slo/specs").mkdir(parents=True)
    (place / "alertmanager.yml").write_text(BASE, encoding="utf-8")
    (place / "generated/inhibit_rules.yml").write_text(RULES, encoding="utf-8")
    return tmp_path


def test_merges_into_a_file_and_checks_it(folder: Path) -> None:
    """The repository's two files need no names; a second run changes nothing; --check tells when it differs."""
    answer = sereno("alertmanager", "merge", "--out", "etc/am.yml", cwd=folder)
    assert (answer.returncode, answer.stdout) == (0, "etc/am.yml: 1 generated inhibition rule\n")
    text = (folder / "etc/am.yml").read_text(encoding="utf-8")
    assert text.startswith(BASE)
    assert sereno("alertmanager", "merge", cwd=folder / "slo").stdout == text
    check = ("alertmanager", "merge", "--out", "etc/am.yml", "--check")
    assert sereno(*check, cwd=folder).returncode == ExitCode.OK
    (folder / "etc/am.yml").write_text(BASE, encoding="utf-8")
    before = files_below(folder)
    assert sereno(*check, cwd=folder).returncode == ExitCode.ANSWER_IS_NO
    assert files_below(folder) == before


def test_mistakes_are_told_with_their_place(folder: Path) -> None:
    """A file that isn't there or can't be merged, --check without a file; nothing is written."""
    (folder / "bad.yml").write_text("inhibit_rules: [{a: b}]\n", encoding="utf-8")
    before = files_below(folder)
    for arguments, said in (
        (("bad.yml", "--out", "x.yml"), "bad.yml:1: "),
        (("gone.yml",), "gone.yml: No such file"),
        (("--with", "bad.yml"), ""),
        (("--check",), "--out"),
        (("--out", "bad.yml/x"), "bad.yml"),
    ):
        answer = sereno("alertmanager", "merge", *arguments, cwd=folder)
        if arguments != ("--with", "bad.yml"):
            assert answer.returncode == ExitCode.INVALID_INPUT, arguments
        assert said in answer.stderr
        assert "Traceback" not in answer.stderr
    assert files_below(folder) == before
