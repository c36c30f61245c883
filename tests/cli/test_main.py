"""The entry point: every outcome is an exit code and a message."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import COMMANDS
from support.command_line import SERENO, sereno

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_command(tmp_path: Path) -> None:
    """`sereno --help` answers with each command and one line about it."""
    answer = sereno("--help", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in answer.stdout
        assert line.split()[0] in answer.stdout


def test_help_imports_no_command(tmp_path: Path) -> None:
    """Nothing that takes time is imported to answer `--help`: only the command that is called is."""
    script = (
        "import sys; from sereno_cli.main import run; run(['--help']);"
        "heavy = {'sereno_slo', 'pydantic', 'yaml', 'jinja2', 'fastapi', 'elasticsearch', 'httpx'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_version_is_the_package_s(tmp_path: Path) -> None:
    """`sereno --version` tells the version of pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    answer = sereno("--version", cwd=tmp_path)
    assert answer.returncode == ExitCode.OK
    assert version in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["compile", "--no-such-option"], ["--no-such-option"], ["compile", "--format", "toml"], []],
    ids=" ".join,
)
def test_wrong_arguments_are_invalid_input(arguments: list[str], tmp_path: Path) -> None:
    """What `sereno` doesn't know ends with 2 and the usage, and nothing is written."""
    answer = sereno(*arguments, cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert "Usage: sereno" in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "nearest"), [(["compil"], "compile"), (["logs", "serch"], "search"), (["dora", "figurs"], "figures")]
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_command(
    arguments: list[str], nearest: str, tmp_path: Path
) -> None:
    """Also where no command is imported yet."""
    answer = sereno(*arguments, cwd=tmp_path)
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert f"Did you mean {nearest!r}?" in answer.stderr


def test_a_missing_package_is_a_message(tmp_path: Path) -> None:
    """Where an extra wasn't installed, the command says which package it lacks and how to install it."""
    script = "import sys; sys.modules['pydantic'] = None; from sereno_cli.main import main; main()"
    command = [sys.executable, "-c", script, "validate", "x.slo.yaml"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == ExitCode.UNREACHABLE
    assert answer.stderr.startswith("sereno: this command needs pydantic")
    assert "pip install 'sereno[all]'" in answer.stderr


@pytest.mark.parametrize("arguments", [["schema"], ["--help"], ["compile", "--help"]], ids=" ".join)
def test_a_reader_that_has_enough_is_no_error(arguments: list[str], tmp_path: Path) -> None:
    """`sereno schema | head -1` ends without a complaint, however early the pipe is closed."""
    with subprocess.Popen(
        [*SERENO, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == ""
    assert process.returncode == ExitCode.OK


def test_output_that_cannot_be_written_is_told_in_a_line() -> None:
    """A full disk is no bug of ours, and no answer either."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        answer = subprocess.run([*SERENO, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert answer.returncode == 3
    assert answer.stderr == "sereno: the output can't be written: No space left on device\n"
