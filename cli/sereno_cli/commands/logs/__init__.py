"""`sereno logs`: look into the log store, and after it."""

from typing import ClassVar

import click

from sereno_cli.lazy_group import LazyGroup

# subcommand → one line of help; its module has the same name. Imported only when called, as in `sereno_cli.main`.
COMMANDS: dict[str, str] = {
    "doctor": "Tell how the log store is, when its disk is full, and what to do.",
    "lifecycle": "Show, and with --apply do, what the retention of each dataset asks for.",
    "redeliver": "Send dead letters again, after the reason of their refusal was mended.",
    "search": "Search the log store by words, service, level, trace and window.",
    "size": "Tell how large an Elasticsearch has to be for so many lines.",
}


class _Subcommands(LazyGroup):
    modules: ClassVar = {name: (f"sereno_cli.commands.logs.{name}", line) for name, line in COMMANDS.items()}


@click.group(cls=_Subcommands)
def command() -> None:
    """Look into the log store, and after it."""
