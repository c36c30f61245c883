"""Every command explains itself, in its help and in docs/cli.md."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sereno_cli.main import COMMANDS, root

DOCS = Path(__file__).resolve().parents[2] / "docs/cli.md"


def leaves(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The commands below a group that do something, each with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from leaves((*path, name), below)
    else:
        yield path, command


def commands(name: str) -> list[tuple[tuple[str, ...], click.Command]]:
    """Everything that can be called below one entry of COMMANDS."""
    command = root.get_command(click.Context(root), name)
    assert command is not None
    return list(leaves((name,), command))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example(name: str) -> None:
    """`--help` answers with 0 and shows at least one whole call of that very command."""
    for path, _ in commands(name):
        answer = CliRunner().invoke(root, [*path, "--help"], prog_name="sereno")
        assert answer.exit_code == 0, answer.output
        example = " ".join(("sereno", *path))
        lines = [line for line in answer.output.splitlines() if not line.startswith("Usage:")]
        assert [line for line in lines if example in line], f"no example `{example} …` in its help"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_manual_has_every_command_and_flag(name: str) -> None:
    """docs/cli.md names each command with all its words, and below it each of its flags."""
    manual = DOCS.read_text()
    for path, command in commands(name):
        call = " ".join(("sereno", *path))
        assert f"`{call}" in manual or f"# {call}" in manual, f"docs/cli.md doesn't tell about `{call}`"
        flags = [flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")]
        assert [flag for flag in flags if flag not in manual] == [], f"flags of `{call}` that docs/cli.md doesn't tell"
