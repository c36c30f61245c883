"""Which postmortems a command is about: those that are named, else all of postmortems/."""

from pathlib import Path

import click

DEFAULT_FOLDER = Path("postmortems")
TEMPLATE = "template.md.j2"
"""A team's own template for drafts, beside its postmortems."""


def files_to_read(named: tuple[Path, ...]) -> tuple[Path, ...] | None:
    """The files, or None if a named one isn't there, which is told on standard error."""
    from sereno_postmortems.review import find_postmortems

    from sereno_cli.plain_text import plain

    try:
        return find_postmortems(named or (DEFAULT_FOLDER,))
    except FileNotFoundError as error:
        click.echo(
            f"postmortem: {plain(str(error))} isn't there; name postmortems, or the folder they are in", err=True
        )
    except OSError as error:
        click.echo(f"postmortem: {plain(str(error.filename))} can't be read: {error.strerror}", err=True)
    return None
