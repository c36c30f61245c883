"""`sereno kubernetes`: compiled rules and dashboards into a cluster, and whether its Prometheus has them."""

from typing import ClassVar

import click

from sereno_cli.lazy_group import LazyGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "apply": "Bring compiled rules and dashboards into a cluster.",
    "check": "Ask a Prometheus whether it scrapes Sereno's parts and has loaded the rules.",
}


class _Subcommands(LazyGroup):
    modules: ClassVar = {name: (f"sereno_cli.commands.kubernetes.{name}", line) for name, line in COMMANDS.items()}


@click.group(cls=_Subcommands)
def command() -> None:
    """Bring rules and dashboards into a cluster, and see whether its Prometheus has them."""
