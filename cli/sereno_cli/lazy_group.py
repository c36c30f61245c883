"""Groups whose commands are imported only when they are called."""

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import click

from sereno_cli.proposing_group import ProposingGroup


class LazyGroup(ProposingGroup):
    """A group by a table; each command's module offers it as `command`."""

    modules: ClassVar[Mapping[str, tuple[str, str]]]
    """Command → (its module, one line of help)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name every command, imported or not."""
        return sorted(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the one command that is asked for."""
        if cmd_name not in self.modules:
            return None
        module: Any = importlib.import_module(self.modules[cmd_name][0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.modules[name][1]) for name in sorted(self.modules)])
