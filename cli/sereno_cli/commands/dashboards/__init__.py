"""`sereno dashboards`: look after Grafana's dashboards."""

from typing import ClassVar

import click

from sereno_cli.lazy_group import LazyGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "check": "Ask servers every panel's query, and tell which panels are empty.",
    "lint": "Look at dashboards by rules: data sources, units, texts, colours, queries.",
    "provision": "Write what Grafana needs to have a folder for each owner.",
}


class _Subcommands(LazyGroup):
    modules: ClassVar = {name: (f"sereno_cli.commands.dashboards.{name}", line) for name, line in COMMANDS.items()}


@click.group(cls=_Subcommands)
def command() -> None:
    """Look after Grafana's dashboards."""
