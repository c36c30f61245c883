"""Writes docs/cli.md from the commands' own help. `--check` compares instead, and exits 1 where they differ.

.venv/bin/python scripts/cli-docs.py [--check]
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from sereno_cli.main import COMMANDS, root

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
HEAD = """\
# Commands

Written by `scripts/cli-docs.py` from what `--help` prints; do not edit.

Exit codes of every command: 0 well; 1 the answer is no (a check differs, a step of the story was not observed); 2 the
input or the arguments are wrong; 3 a needed part can't be reached.
"""


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its call."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def section(call: str, command: click.Command) -> str:
    """A heading and the help, 100 characters wide."""
    context = click.Context(command, info_name=call, terminal_width=100, max_content_width=100)
    return f"\n## `{call}`\n\n```text\n{command.get_help(context)}\n```\n"


def page() -> str:
    """The whole page."""
    for module, _ in COMMANDS.values():
        importlib.import_module(f"sereno_cli.commands.{module}")
    return HEAD + "".join(section(call, command) for call, command in commands(root, "sereno"))


def main() -> int:
    """Write or check."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print(f"docs/{PAGE.name} is not what --help prints; run scripts/cli-docs.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
