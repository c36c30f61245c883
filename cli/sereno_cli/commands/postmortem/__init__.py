"""`sereno postmortem`: draft a postmortem from measured evidence, and follow up what people made of it."""

import importlib
from typing import Any

import click

from sereno_cli.proposing_group import ProposingGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "actions": "List what is still to be done, of all postmortems, overdue first.",
    "draft": "Write a draft from measured evidence, or renew what is measured in one.",
    "lint": "Tell what is missing: answers, owners, due dates.",
}


class _LazySubcommands(ProposingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found: Any = importlib.import_module(f"sereno_cli.commands.postmortem.{cmd_name}")
        command: click.Command = found.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in sorted(COMMANDS)])


@click.group(cls=_LazySubcommands)
def command() -> None:
    """Draft a postmortem from measured evidence, and follow it up."""
