"""`sereno alerting test`: cases of who is told what, tried on a real Alertmanager."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_alerting.routing import CaseFile

_FOLDER = Path("alerting/tests")
_CONFIGURATION = Path("alerting/alertmanager/alertmanager.yml")
_EPILOG = """\b
Examples:
  sereno alerting test
      every case of alerting/tests, against the repository's configuration
  sereno alerting test --full cases.yaml
      and fail where a route, an inhibition rule or a time interval is touched by no case
  sereno alerting test --configuration /etc/alertmanager/alertmanager.yml cases.yaml
      the same cases against what is installed
\b
A file of cases:
  version: sereno/v1
  cases:
    - name: a page goes to its owner
      labels: {severity: critical, owner: payments}
      receivers: [payments-page]
    - name: a page takes its ticket's place
      labels: {severity: warning, service: shop, slo: calls}
      given: [{severity: critical, service: shop, slo: calls}]
      inhibited: true
    - name: tickets wait for the morning
      labels: {severity: warning, owner: payments}
      at: 2026-11-28T03:00:00+01:00
      muted: true
"""


@click.group()
def command() -> None:
    """Who is told what: tried, before somebody needs it."""


@command.command("test", epilog=_EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]...")
@click.option(
    "--configuration",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Of Alertmanager, whatever the cases say [{_CONFIGURATION}].",
)
@click.option("--full", is_flag=True, help="Exit 1, too, when a part of the configuration is touched by no case.")
def test(*, files: tuple[Path, ...], configuration: Path | None, full: bool) -> ExitCode:
    """Try cases (labels → receivers, inhibited or not, muted at a time or not) on a real Alertmanager.

    FILE are YAML files of cases; without one, those of alerting/tests. The command starts an Alertmanager of its own
    on loopback with the configuration's routes, inhibition rules and time intervals; nobody is told, and no secret is
    read. Every case that fails is told with its line, and so is every part that no case touches.

    Exit code 1 if a case fails, 2 if cases or configuration are wrong, 3 without Alertmanager.
    """
    from sereno_alerting.routing import alertmanager_program

    from sereno_cli.alerting_cases import test_configuration
    from sereno_cli.demo.places import HOW_TO_INSTALL

    read = _read(files)
    if read is None:
        return ExitCode.INVALID_INPUT
    program = alertmanager_program()
    if program is None:
        click.echo(f"sereno alerting test: alertmanager is not on PATH\n{HOW_TO_INSTALL}", err=True)
        return ExitCode.UNREACHABLE
    by_configuration: dict[Path, list[CaseFile]] = {}
    for file in read:
        chosen = configuration or file.configuration or _repositorys(_CONFIGURATION)
        if chosen is None:
            click.echo(f"sereno alerting test: {file.path} names no configuration: write it there", err=True)
            return ExitCode.INVALID_INPUT
        by_configuration.setdefault(chosen, []).append(file)
    answers = [test_configuration(program, path, group, is_full=full) for path, group in by_configuration.items()]
    return max(answers)


def _read(files: Sequence[Path]) -> "list[CaseFile] | None":
    """All cases; None where there are mistakes, which are printed."""
    from sereno_alerting.routing import read_cases
    from sereno_slo import Diagnostic, has_errors, read_source

    from sereno_cli.alerting_files import printed_path
    from sereno_cli.specs import print_diagnostics

    folder = _repositorys(_FOLDER)
    named = list(files) or (sorted(folder.glob("*.yaml")) if folder else [])
    if not named:
        click.echo(f"sereno alerting test: there are no cases in {_FOLDER}; name a file", err=True)
        return None
    read, mistakes = [], []
    for path in named:
        source = read_source(printed_path(path))
        if isinstance(source, Diagnostic):
            mistakes.append(source)
            continue
        found = read_cases(source)
        mistakes += found.diagnostics
        read += [found.file] if found.file else []
    print_diagnostics(mistakes, consequence="nothing was tried")
    return None if has_errors(mistakes) else read


def _repositorys(place: Path) -> Path | None:
    from sereno_cli.specs import repository_root

    root = repository_root()
    return None if root is None else root / place
