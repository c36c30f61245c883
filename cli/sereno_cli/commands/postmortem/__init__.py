"""`sereno postmortem`: draft a postmortem from measured evidence, and follow up what people made of it."""

from typing import ClassVar

import click

from sereno_cli.lazy_group import LazyGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "actions": "List what is still to be done, of all postmortems, overdue first.",
    "draft": "Write a draft from measured evidence, or renew what is measured in one.",
    "lint": "Tell what is missing: answers, owners, due dates.",
}


class _Subcommands(LazyGroup):
    modules: ClassVar = {name: (f"sereno_cli.commands.postmortem.{name}", line) for name, line in COMMANDS.items()}


@click.group(cls=_Subcommands)
def command() -> None:
    """Draft a postmortem from measured evidence, and follow it up."""
