"""`sereno exclude`: time that doesn't count, written into the spec by one command, with author and reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_slo import SourceFile
    from sereno_slo.amending import NewExclusion
    from sereno_slo.model import Service

    from sereno_cli.specs import LoadedSpecs

_EPILOG = """\b
Examples:
  sereno exclude checkout --for 2h --reason "provider outage 4711" --author ana
      from now on, for two hours
  sereno exclude checkout/latency --from 2026-11-20T10:00:00Z --to 2026-11-20T11:30:00Z \\
      --reason "load test" --author sre-team
      a time that has passed: its failures leave the budget as soon as the rules are loaded
"""


@click.command(epilog=_EPILOG)
@click.argument("what", metavar="SERVICE[/SLO]")
@click.option("--reason", required=True, help="Why this time doesn't count; reviewers read it.")
@click.option("--author", required=True, help="Who decided it.")
@click.option("--from", "start", metavar="TIME", help="When it begins, as 2026-11-20T10:00:00Z [now].")
@click.option("--to", "end", metavar="TIME", help="When it ends.")
@click.option("--for", "length", metavar="DURATION", help="Instead of --to: how long it lasts, as 90m or 2h.")
@click.option("--spec", type=click.Path(path_type=Path), help="The spec [the repository's that describes SERVICE].")
@click.option("--dry-run", is_flag=True, help="Print the line and write nothing.")
def command(
    what: str,
    *,
    reason: str,
    author: str,
    start: str | None,
    end: str | None,
    length: str | None,
    spec: Path | None,
    dry_run: bool,
) -> ExitCode:
    """Write an exclusion into a spec: its events count neither in the budget nor in alerts.

    The line is the record: commit it with the spec. It holds once the rules are compiled and loaded, for the past
    within the SLO's window, too (docs/windows.md). Weekly and other recurring exclusions are written by hand.
    """
    from sereno_slo.amending import NewExclusion

    service, slash, slo = what.partition("/")
    if slash and not slo:
        return _refused(f"{what} names no SLO: write {service} for all of them")
    try:
        began = _moment(start) if start is not None else datetime.now(UTC).replace(microsecond=0)
        ended = _end(began, end, length)
    except ValueError as error:
        return _refused(str(error))
    if not reason.strip() or not author.strip():
        return _refused("an exclusion needs a reason and an author: a reviewer will ask for both")
    exclusion = NewExclusion(began, ended, reason, author, slo or None)
    if dry_run:
        click.echo(exclusion.line())
        return ExitCode.OK
    return _written_into_spec(spec, service, exclusion)


def _refused(message: str) -> ExitCode:
    click.echo(f"sereno exclude: {message}", err=True)
    return ExitCode.INVALID_INPUT


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no moment: write for example 2026-11-20T10:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no time zone: write {text}Z if it is UTC")
    return moment


def _end(start: datetime, end: str | None, length: str | None) -> datetime:
    from sereno_slo.duration import Duration

    if (end is None) == (length is None):
        raise ValueError("say when it ends: either --for, for example --for 2h, or --to")
    try:
        ended = _moment(end) if end is not None else start + timedelta(seconds=Duration.parse(length or "").seconds)
    except OverflowError:
        raise ValueError(f"--for {length} ends after the last year of any calendar") from None
    if ended <= start:
        raise ValueError(f"it ends at {ended.isoformat()}, which is not after {start.isoformat()}")
    return ended


def _written_into_spec(named: Path | None, service: str, exclusion: "NewExclusion") -> ExitCode:
    from sereno_slo.writing import replace_file

    amended = _amended(named, service, exclusion)
    if isinstance(amended, str):
        return _refused(amended)
    try:
        replace_file(Path(amended.path), amended.text)
    except OSError as error:
        return _refused(f"{amended.path} can't be written: {error.strerror or error}")
    click.echo(f"{amended.path}: {exclusion.line()}")
    click.echo("next: sereno compile, load the rules into Prometheus, commit the spec and the rules")
    return ExitCode.OK


def _amended(named: Path | None, service: str, exclusion: "NewExclusion") -> "SourceFile | str":
    """The service's spec with the exclusion, or why there is none; mistakes of specs are printed."""
    from sereno_slo import has_errors, validate_specs
    from sereno_slo.amending import with_exclusion

    from sereno_cli.specs import load_specs, print_diagnostics

    loaded = load_specs([named] if named else [], None)
    if loaded is None:
        return f"nothing describes {service}"
    validation = validate_specs(loaded.sources, loaded.settings, are_all=loaded.are_all)
    found = next((each for each in validation.services if each.name == service), None)
    if found is None:
        print_diagnostics(mistakes := (*loaded.diagnostics, *validation.diagnostics))
        broken = "no spec without mistakes describes it" if has_errors(mistakes) else ""
        return f"{service}: {broken}" if broken else _unknown(service, validation.services)
    names = [each.name for each in found.objectives]
    if exclusion.slo is not None and exclusion.slo not in names:
        return f"{service} has no SLO {exclusion.slo}; it has {', '.join(names)}"
    amended = with_exclusion(_source_of(found, loaded), exclusion)
    if not isinstance(amended, str) and has_errors(
        mistakes := validate_specs([amended], loaded.settings, are_all=False).diagnostics
    ):
        print_diagnostics([mistake for mistake in mistakes if has_errors([mistake])])
        return f"the spec of {service} would not be valid"
    return amended


def _unknown(service: str, services: "tuple[Service, ...]") -> str:
    known = ", ".join(each.name for each in services)
    return f"no spec describes {service}" + (f"; there are {known}" if known else "")


def _source_of(service: "Service", loaded: "LoadedSpecs") -> "SourceFile":
    """With the line endings that it has: the rest of the file stays as it is."""
    found = next(source for source in loaded.sources if source.path == service.path)
    with Path(found.path).open(encoding="utf-8", newline="") as file:
        return replace(found, text=file.read())
