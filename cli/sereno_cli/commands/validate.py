"""`sereno validate`: every mistake of the specs, nothing written; with a server, what alerts can see at its traffic."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Settings, SourceFile
    from sereno_slo.history import Judgement
    from sereno_slo.model import Service

# A day's raw series of one SLO are one question; a server that takes longer would do so for each of them.
_ANSWER_SECONDS = 30.0

_EPILOG = """\b
Examples:
  sereno validate slo/specs/checkout.slo.yaml
      every mistake of one spec
  sereno validate --prometheus http://127.0.0.1:9090
      and: how many failures does each alert need by day and by night, how soon does a full outage page?
"""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option(
    "--prometheus",
    "url",
    metavar="URL",
    help="Judge alerts by the traffic that this server saw in the last seven days.",
)
def command(specs: tuple[Path, ...], settings: Path | None, url: str | None) -> ExitCode:
    """Check specs: syntax and meaning, every mistake at once with file:line:column and cure.

    Without SPEC all of slo/specs is checked. Exit code 2 means that there are mistakes. Specs of Sloth, OpenSLO and
    Pyrra are taken as they are (see sereno convert).

    With --prometheus a table for each SLO tells what its alerts need at its busiest and at its quietest hour
    (docs/spec.md, "With a Prometheus"). Exit code 3 means that the server didn't answer.
    """
    from sereno_slo import has_errors, validate_specs

    from sereno_cli.specs import load_specs, print_diagnostics

    loaded = load_specs(specs, settings)
    if loaded is None:
        return ExitCode.INVALID_INPUT
    validation = validate_specs(loaded.sources, loaded.settings, are_all=loaded.are_all)
    print_diagnostics(diagnostics := (*loaded.diagnostics, *validation.diagnostics))
    if has_errors(diagnostics):
        return ExitCode.INVALID_INPUT
    if url is not None:
        code = _beside_server(url, validation.services, loaded.sources, loaded.settings)
        if code is not ExitCode.OK:
            return code
    slos = sum(len(service.objectives) for service in validation.services)
    services = len(validation.services)
    click.echo(f"valid: {services} service{'s'[: services != 1]}, {slos} SLO{'s'[: slos != 1]}")
    return ExitCode.OK


def _beside_server(
    url: str, services: "Sequence[Service]", sources: "Sequence[SourceFile]", settings: "Settings"
) -> ExitCode:
    """Tables on standard output, findings on standard error."""
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusError
    from sereno_slo import has_errors
    from sereno_slo.diagnostics import on_one_line

    from sereno_cli.feasibility_screen import print_judgement
    from sereno_cli.specs import print_diagnostics

    try:
        judgements = _judgements(url, services, sources, settings)
    except PrometheusError as error:
        click.echo(on_one_line(f"sereno validate: {error}"), err=True)
        is_wrong = isinstance(error, PrometheusAddressInvalid)
        return ExitCode.INVALID_INPUT if is_wrong else ExitCode.UNREACHABLE
    for judgement in judgements:
        print_judgement(judgement)
    for journey in (journey for service in services for journey in service.journeys):
        click.echo(
            f"{journey.service}/{journey.name}: a journey, as good as its steps: {', '.join(map(str, journey.steps))}"
        )
    print_diagnostics(found := [diagnostic for judgement in judgements for diagnostic in judgement.diagnostics])
    return ExitCode.INVALID_INPUT if has_errors(found) else ExitCode.OK


def _judgements(
    url: str, services: "Sequence[Service]", sources: "Sequence[SourceFile]", settings: "Settings"
) -> "list[Judgement]":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.history import Reader, judged

    from sereno_cli.backfill_screen import progress

    count = sum(len(service.slos) for service in services)
    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress(count) as (begin, asked):
        return list(judged(Reader(client, asked), services, sources, settings, now=datetime.now(UTC), begin=begin))
