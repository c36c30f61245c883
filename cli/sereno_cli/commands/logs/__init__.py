"""`sereno logs`: look into the log store, and after it."""

import importlib
from typing import Any

import click

from sereno_cli.proposing_group import ProposingGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "doctor": "Tell how the log store is, when its disk is full, and what to do.",
    "lifecycle": "Show, and with --apply do, what the retention of each dataset asks for.",
    "redeliver": "Send dead letters again, after the reason of their refusal was mended.",
    "search": "Search the log store by words, service, level, trace and window.",
}


class _LazySubcommands(ProposingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found: Any = importlib.import_module(f"sereno_cli.commands.logs.{cmd_name}")
        command: click.Command = found.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in sorted(COMMANDS)])


@click.group(cls=_LazySubcommands)
def command() -> None:
    """Look into the log store, and after it."""
