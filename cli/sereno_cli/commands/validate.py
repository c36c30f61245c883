"""`sereno validate`: every mistake of the specs, nothing written; with a server, what alerts can see at its traffic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Diagnostic, Settings, SourceFile
    from sereno_slo.history import Judgement
    from sereno_slo.model import Service

# A day's raw series of one SLO are one question; a server that takes longer would do so for each of them.
_ANSWER_SECONDS = 30.0

_EPILOG = """\b
Examples:
  sereno validate slo/specs/checkout.slo.yaml
      every mistake of one spec
  sereno validate --prometheus http://127.0.0.1:9090
      and: how many failures does each alert need by day and by night, how soon does a full outage page, and do
      selectors, groups, targets and buckets fit the server's series?
  sereno validate --prometheus http://127.0.0.1:9090 --format json
      the same for scripts
"""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
@click.option(
    "--prometheus",
    "url",
    metavar="URL",
    help="Judge alerts by the traffic that this server saw in the last seven days, and selectors by its series.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: one document on standard output, mistakes included.",
)
def command(specs: tuple[Path, ...], settings: Path | None, url: str | None, format_: str) -> ExitCode:
    """Check specs: syntax and meaning, every mistake at once with file:line:column and cure.

    Without SPEC all of slo/specs is checked. Exit code 2 means that there are mistakes. Specs of Sloth, OpenSLO and
    Pyrra are taken as they are (see sereno convert).

    With --prometheus a table for each SLO tells what its alerts need at its busiest and at its quietest hour, and
    selectors, groups, targets and buckets are compared with the server's series (docs/spec.md, "With a Prometheus").
    Exit code 3 means that the server didn't answer.
    """
    from sereno_slo import has_errors, validate_specs

    from sereno_cli.specs import load_specs

    loaded = load_specs(specs, settings)
    if loaded is None:
        return ExitCode.INVALID_INPUT
    validation = validate_specs(loaded.sources, loaded.settings, are_all=loaded.are_all)
    answer = Answer(validation.services, (*loaded.diagnostics, *validation.diagnostics), is_json=format_ == "json")
    if url is None or has_errors(answer.diagnostics):
        return _told(answer)
    return _beside_server(url, answer, loaded.sources, loaded.settings)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the specs mean, and what is wrong with them."""

    services: "Sequence[Service]"
    diagnostics: "Sequence[Diagnostic]"
    is_json: bool


def _told(answer: Answer, judgements: "Sequence[Judgement] | None" = None, questions: int = 0) -> ExitCode:
    """Tables on standard output, mistakes on standard error; or both as one document."""
    from sereno_slo import has_errors

    from sereno_cli.feasibility_screen import print_judgement
    from sereno_cli.specs import print_diagnostics
    from sereno_cli.validation_json import as_json

    found = [diagnostic for judgement in judgements or () for diagnostic in judgement.diagnostics]
    diagnostics = [*answer.diagnostics, *found]
    code = ExitCode.INVALID_INPUT if has_errors(diagnostics) else ExitCode.OK
    if answer.is_json:
        click.echo(as_json(answer.services, diagnostics, judgements, questions))
        return code
    for judgement in judgements or ():
        print_judgement(judgement)
    for journey in (each for service in answer.services for each in service.journeys) if judgements else ():
        steps = ", ".join(map(str, journey.steps))
        click.echo(f"{journey.service}/{journey.name}: a journey, as good as its steps: {steps}")
    print_diagnostics(diagnostics)
    if code is ExitCode.OK:
        slos, services = sum(len(service.objectives) for service in answer.services), len(answer.services)
        click.echo(f"valid: {services} service{'s'[: services != 1]}, {slos} SLO{'s'[: slos != 1]}")
    return code


def _beside_server(url: str, answer: Answer, sources: "Sequence[SourceFile]", settings: "Settings") -> ExitCode:
    """Nothing is told where the server's answers are not complete."""
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusError
    from sereno_slo.diagnostics import on_one_line

    from sereno_cli.specs import print_diagnostics

    try:
        judgements, questions = _judgements(url, answer.services, sources, settings)
    except PrometheusError as error:
        if not answer.is_json:
            print_diagnostics(answer.diagnostics)
        click.echo(on_one_line(f"sereno validate: {error}"), err=True)
        is_wrong = isinstance(error, PrometheusAddressInvalid)
        return ExitCode.INVALID_INPUT if is_wrong else ExitCode.UNREACHABLE
    return _told(answer, judgements, questions)


def _judgements(
    url: str, services: "Sequence[Service]", sources: "Sequence[SourceFile]", settings: "Settings"
) -> "tuple[list[Judgement], int]":
    """And how many questions were asked."""
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.history import Reader, judged

    from sereno_cli.backfill_screen import progress

    count = sum(len(service.slos) for service in services)
    questions = 0

    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress(count) as (begin, show):

        def asked() -> None:
            nonlocal questions
            questions += 1
            show()

        now = datetime.now(UTC)
        judgements = list(judged(Reader(client, asked), services, sources, settings, now=now, begin=begin))
    return judgements, questions
