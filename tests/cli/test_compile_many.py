"""`sereno compile` of many specs: remembered between runs, by several processes, and one kind of files alone."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from sereno_cli.commands.compile import KINDS
from sereno_cli.exit_codes import ExitCode
from sereno_slo.render.artefact import Kind
from support.command_line import SERENO, files_below, sereno
from support.slo_specs import spec_text

MANY = 20  # as many as are remembered


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder of specs."""
    folder = tmp_path / "specs"
    folder.mkdir()
    for number in range(MANY):
        text = spec_text().replace("service: api", f"service: api-{number}")
        (folder / f"api-{number}.slo.yaml").write_text(text, encoding="utf-8")
    return folder


def test_only_what_changed_is_compiled_and_the_bytes_are_the_same(specs: Path, tmp_path: Path) -> None:
    """A run with memory, one without, and one by two processes end alike; git sees nothing of the memory."""
    arguments = ("compile", specs, "--out", "out", "--only", "rules")
    assert sereno(*arguments, cwd=tmp_path).stdout.splitlines()[-1] == "20 files written, 0 up to date, 0 removed"
    assert (tmp_path / "out/.sereno_cache/.gitignore").read_text(encoding="utf-8") == "*\n"
    spec = specs / "api-7.slo.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("99.9", "99.5"), encoding="utf-8")
    answer = sereno(*arguments, cwd=tmp_path)
    assert answer.stdout == "wrote rules/api-7.rules.yaml\n1 files written, 19 up to date, 0 removed\n"
    anew = ("compile", specs, "--out", "anew", "--only", "rules", "--no-cache", "--jobs", "2")
    assert sereno(*anew, cwd=tmp_path).returncode == ExitCode.OK
    assert not (tmp_path / "anew/.sereno_cache").exists()
    assert files_below(tmp_path / "anew/rules") == files_below(tmp_path / "out/rules")
    assert sereno(*anew, "--check", cwd=tmp_path).returncode == ExitCode.OK


def test_kinds_on_the_command_line_are_those_of_the_compiler() -> None:
    """None is missing, none is misspelt."""
    assert tuple(sorted(kind.label for kind in Kind)) == KINDS


def test_several_kinds_and_no_others(tmp_path: Path) -> None:
    """--only may be repeated; what isn't a kind is refused with a list of them."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    only = ("--only", "rules", "--only", "buckets")
    assert sereno("compile", "api.slo.yaml", "--out", "out", *only, cwd=tmp_path).returncode == ExitCode.OK
    assert set(files_below(tmp_path / "out")) == {"rules/api.rules.yaml", "buckets/api.json"}
    answer = sereno("compile", "api.slo.yaml", "--out", "out", "--only", "rule", cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "'rules'" in answer.stderr


def test_a_link_to_a_spec_is_that_spec(tmp_path: Path) -> None:
    """Links are followed one by one: a spec that is named twice by two paths is described twice."""
    (tmp_path / "api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (tmp_path / "link.slo.yaml").symlink_to("api.slo.yaml")
    answer = sereno("compile", "link.slo.yaml", "--out", "out", "--only", "rules", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    assert "from api.slo.yaml;" in (tmp_path / "out/rules/api.rules.yaml").read_text(encoding="utf-8")


def test_a_terminal_sees_how_far_a_long_run_is_and_a_pipe_does_not(specs: Path, tmp_path: Path) -> None:
    """The line is taken away at the end, and never stands among the results."""
    ours, theirs = pty.openpty()
    program = "import sereno_cli.commands.compile as c; c._SILENT_SECONDS = 0; from sereno_cli.main import main; main()"
    done = subprocess.run(
        [SERENO[0], "-c", program, "compile", specs, "--out", "out", "--only", "rules"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "of 20 specs" in shown
    assert shown.endswith("\r\033[K")
    assert "of 20 specs" not in done.stdout
    assert sereno("compile", specs, "--out", "out", cwd=tmp_path).stderr == ""
