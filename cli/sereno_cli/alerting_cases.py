"""Cases tried against one configuration, and printed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from sereno_alerting.routing import (
    Case,
    CaseFile,
    Configuration,
    Observation,
    Refused,
    Silent,
    coverage_of,
    failures,
    observed,
    read_configuration,
    unknown_receivers,
)
from sereno_slo import Diagnostic, has_errors, read_source
from sereno_slo.diagnostics import Span, on_one_line

from sereno_cli.alerting_files import printed_path
from sereno_cli.exit_codes import ExitCode
from sereno_cli.specs import print_diagnostics

_NOTHING = "nothing was tried"
_MOST_NAMED = 10
"""Parts that no case touches, where they are no failure."""


def test_configuration(program: str, path: Path, files: Sequence[CaseFile], *, is_full: bool) -> ExitCode:
    """Try the cases of all files against one configuration, and print what became of them."""
    configuration = _read(path)
    if isinstance(configuration, tuple):
        print_diagnostics(configuration, consequence=_NOTHING)
        return ExitCode.INVALID_INPUT
    mistakes = [mistake for file in files for mistake in unknown_receivers(file, configuration.receivers)]
    if has_errors(mistakes):
        print_diagnostics(mistakes, consequence=_NOTHING)
        return ExitCode.INVALID_INPUT
    cases = [case for file in files for case in file.cases]
    try:
        seen = observed(program, configuration, cases, datetime.now(UTC))
    except Silent as error:
        click.echo(f"sereno alerting test: {on_one_line(str(error))}", err=True)
        return ExitCode.UNREACHABLE
    except (Refused, ValueError) as error:
        print_diagnostics((_refusal(configuration, error),), consequence=_NOTHING)
        return ExitCode.INVALID_INPUT
    return _printed(configuration, list(zip(cases, seen, strict=True)), is_full=is_full)


def _read(path: Path) -> Configuration | tuple[Diagnostic, ...]:
    source = read_source(printed_path(path))
    return (source,) if isinstance(source, Diagnostic) else read_configuration(source)


def _refusal(configuration: Configuration, error: Exception) -> Diagnostic:
    said = str(error) if isinstance(error, Refused) else f"a time interval can't be read: {error}"
    return Diagnostic("ALR023", Span(configuration.path), said, "amtool check-config tells what Alertmanager takes")


def _printed(configuration: Configuration, seen: Sequence[tuple[Case, Observation]], *, is_full: bool) -> ExitCode:
    """Failing cases on standard error, in the files' order; what no case touches; how many there are of each."""
    found = [(case, list(failures(case, observation, configuration))) for case, observation in seen]
    failed = sum(bool(each) for _, each in found)
    for _, each in found:
        for failure in each:
            click.echo(str(failure), err=True)
    coverage = coverage_of(configuration, seen)
    named = coverage.untouched if is_full else coverage.untouched[:_MOST_NAMED]
    for untouched in named:
        click.echo(str(untouched), err=is_full)
    if len(named) < len(coverage.untouched):
        click.echo(f"… and {len(coverage.untouched) - len(named)} more parts; --full names all")
    held = (
        f"{len(seen) - failed} of {len(seen)} cases hold"
        if failed
        else f"{len(seen)} {'case holds' if len(seen) == 1 else 'cases hold'}"
    )
    click.echo(f"{configuration.path}: {held}; touched: {coverage}")
    return ExitCode.ANSWER_IS_NO if failed or (is_full and coverage.untouched) else ExitCode.OK
