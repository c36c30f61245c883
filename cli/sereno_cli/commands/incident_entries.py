"""`sereno incidents ack|note|mitigation|…`: write down what people do about an incident."""

import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import found, open_place, own_name, place_options, say, unreachable
from sereno_cli.moments import read_moment
from sereno_cli.plain_text import plain

_MOST_READ = 100_000

Command = TypeVar("Command", bound=Callable[..., Any])


def _entry_options(command: Command) -> Command:
    for option in (
        click.option("--corrects", metavar="ENTRY", help="The entry in whose place this one stands (`show` has ids)."),
        click.option("--at", metavar="TIME", help="When it happened: RFC 3339, or so long ago: 20m.  [default: now]"),
        click.option("--by", metavar="NAME", help="Who did it.  [default: git's user.name, else $USER]"),
        place_options,
    ):
        command = option(command)
    return command


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text", default="")
@_entry_options
def ack(incident_id: str, text: str, **options: Any) -> ExitCode:
    """Acknowledge an incident: somebody has taken it on.

    \b
      sereno incidents ack latest
      sereno incidents ack latest "on it, from the train" --by ana
      sereno incidents ack latest --at 10m --incidents http://127.0.0.1:19093

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "acknowledgement", text, **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@_entry_options
def note(incident_id: str, text: str, **options: Any) -> ExitCode:
    """Note what was found or decided; - reads the text from standard input.

    \b
      sereno incidents note latest "the stock service answers slowly since 02:10"
      sereno incidents note 2026-11-22-shop-availability "a typing error before" --corrects 4f1c…
      kubectl describe pod shop-0 | sereno incidents note latest -

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "note", text, **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@click.option("--helped", type=click.Choice(["yes", "no"]), help="Whether it did.  [default: not known yet]")
@_entry_options
def mitigation(incident_id: str, text: str, helped: str | None, **options: Any) -> ExitCode:
    """Write down what was tried, and whether it helped.

    \b
      sereno incidents mitigation latest "restarted the workers" --helped no --at 20m
      sereno incidents mitigation latest "rolled 2.41 back"
      sereno incidents mitigation latest "rolled 2.41 back" --helped yes --corrects 4f1c…

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "mitigation", text, helped=None if helped is None else helped == "yes", **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@_entry_options
def severity(incident_id: str, text: str, **options: Any) -> ExitCode:
    """Tell how bad it is, in the words of your scale.

    \b
      sereno incidents severity latest "SEV2: checkout only"

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "severity", text, **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@_entry_options
def impact(incident_id: str, text: str, **options: Any) -> ExitCode:
    """Tell what users felt.

    \b
      sereno incidents impact latest "about 400 customers couldn't pay from 02:10 to 02:31"

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "impact", text, **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("url")
@click.argument("words", default="")
@_entry_options
def link(incident_id: str, url: str, words: str, **options: Any) -> ExitCode:
    """Keep an address: a ticket, a chat, a change.

    \b
      sereno incidents link latest https://tickets.example.org/4711 "the provider's ticket"

    Exit codes: 0 on record, 2 unknown incident or wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "link", f"{url} {words}", **options)


@click.command()
@click.argument("incident_id", metavar="ID")
@click.argument("corrects", metavar="ENTRY")
@click.argument("text", metavar="[WHY]", default="")
@click.option("--at", metavar="TIME", help="When: RFC 3339, or so long ago: 20m.  [default: now]")
@click.option("--by", metavar="NAME", help="Who says so.  [default: git's user.name, else $USER]")
@place_options
def withdraw(incident_id: str, corrects: str, text: str, **options: Any) -> ExitCode:
    """Withdraw an entry; it stays on record, and doesn't count any more.

    \b
      sereno incidents withdraw latest 4f1c0d "this was about the other incident"

    Exit codes: 0 on record, 2 unknown incident or entry, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    return _write(incident_id, "withdrawal", text, corrects=corrects, **options)


COMMANDS = (ack, note, mitigation, severity, impact, link, withdraw)


def _write(
    incident_id: str,
    kind: str,
    text: str,
    *,
    by: str | None,
    at: str | None,
    corrects: str | None,
    database: Path | None,
    incidents: str | None,
    helped: bool | None = None,
) -> ExitCode:
    from sereno_backends.incidents import EntryKind
    from sereno_postmortems.entries import Submission
    from sereno_postmortems.sources import EntryNotTaken, IncidentSourceUnreachable

    place = open_place(database, incidents)
    incident = found(place, incident_id)
    if corrects is not None:
        corrects = _whole_id(corrects, [entry.entry_id for entry in incident.entries])
    submission = Submission(
        entry_id=uuid.uuid4().hex,
        kind=EntryKind(kind),
        text=_text(text),
        author=by or (None if _logs_in(incidents, database) else own_name()),
        happened_at=_moment(at),
        helped=helped,
        corrects=corrects,
    )
    try:
        written = place.write(incident.incident_id, submission)
    except IncidentSourceUnreachable as error:
        raise unreachable(error) from error
    except EntryNotTaken as error:
        say(f"nothing was written: {plain(str(error))}")
        return ExitCode.INVALID_INPUT
    entry = written.entry
    click.echo(f"{incident.incident_id}: {kind} by {plain(entry.author)} on record (entry {entry.entry_id})")
    return ExitCode.OK


def _text(text: str) -> str:
    if text != "-":
        return text
    read = sys.stdin.buffer.read(_MOST_READ)
    return read.decode(errors="replace")


def _moment(at: str | None) -> datetime | None:
    if at is None:
        return None
    try:
        return read_moment(at, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error


def _logs_in(url: str | None, database: Path | None) -> bool:
    """Whether the receiver itself knows who speaks."""
    return database is None and url is not None and "@" in url.partition("://")[2].partition("/")[0]


def _whole_id(begin: str, known: list[str]) -> str:
    """The id that begins so; `show` prints whole ones, and people type less."""
    fitting = [entry_id for entry_id in known if entry_id.startswith(begin)]
    if len(fitting) == 1 or begin in known:
        return begin if begin in known else fitting[0]
    what = "several entries begin" if fitting else "no entry of the incident begins"
    raise click.UsageError(f"{what} with {begin!r}; `sereno incidents show` prints their ids")
