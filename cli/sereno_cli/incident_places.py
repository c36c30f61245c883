"""Where the commands about incidents find them, and who speaks."""

import getpass
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.incidents import Incident
    from sereno_postmortems.sources import IncidentPlace

DEFAULT_DATABASE = Path("var/incidents.sqlite")
_GIT_SECONDS = 5

Command = TypeVar("Command", bound=Callable[..., Any])


def place_options(command: Command) -> Command:
    """Add `--database` and `--incidents`."""
    for option in (
        click.option(
            "--incidents",
            metavar="URL",
            envvar="SERENO_INCIDENTS_URL",
            show_envvar=True,
            help="Or a running `sereno incidents serve`; http://NAME:PASSWORD@… where people have to log in.",
        ),
        click.option(
            "--database",
            type=click.Path(dir_okay=False, path_type=Path),
            help=f"The file of `sereno incidents serve`. [default: {DEFAULT_DATABASE}]",
        ),
    ):
        command = option(command)
    return command


def open_place(database: Path | None, url: str | None) -> "IncidentPlace":
    """The place that was named.

    Raises:
        click.UsageError: two are named, or the address is none.
    """
    from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents, IncidentSourceUnreachable
    from sereno_postmortems.store import IncidentStore

    source = click.get_current_context().get_parameter_source("incidents")
    if url is not None and database is not None:
        if source is not click.core.ParameterSource.ENVIRONMENT:
            raise click.UsageError("--database and --incidents name two places; give one")
        url = None  # what is typed outranks the environment
    if url is None:
        return DatabaseIncidents(IncidentStore(database or DEFAULT_DATABASE))
    try:
        return HttpIncidents(url)
    except IncidentSourceUnreachable as error:
        raise click.UsageError(f"--incidents: {error}") from error


def found(place: "IncidentPlace", incident_id: str) -> "Incident":
    """The incident that was asked for; where there is none, the command has ended with a message."""
    from sereno_postmortems.sources import IncidentSourceUnreachable, UnknownIncident, find_incident

    try:
        return find_incident(place, incident_id)
    except IncidentSourceUnreachable as error:
        raise unreachable(error) from error
    except UnknownIncident as error:
        say(f"{error}{'; nearest: ' + ', '.join(error.nearest) if error.nearest else ''}")
        raise click.exceptions.Exit(ExitCode.INVALID_INPUT) from error


def unreachable(error: Exception) -> click.exceptions.Exit:
    """Tell that the incidents can't be read, and what to do."""
    say(f"{error}; start `sereno incidents serve`, or name its place with --database or --incidents")
    return click.exceptions.Exit(ExitCode.UNREACHABLE)


def own_name() -> str:
    """Who works here: as git knows it, else the name of the account."""
    try:
        done = subprocess.run(
            ["git", "config", "user.name"], capture_output=True, text=True, check=False, timeout=_GIT_SECONDS
        )
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        pass
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def say(text: str) -> None:
    """What isn't the answer goes to standard error."""
    click.echo(f"{click.get_current_context().command_path}: {text}", err=True)
