"""`sereno convert`: specs of Sloth, OpenSLO and Pyrra as specs of sereno/v1."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Diagnostic, SourceFile
    from sereno_slo.convert import Conversion

_EPILOG = """\b
Examples:
  sereno convert sloth/checkout.yml
      one service: its spec is printed
  sereno convert sloth/ --out slo/specs
      all .yaml and .yml files of a folder: one spec for each service
  sereno convert openslo/*.yaml --shadow --out slo/specs
      the new alerts tell nobody: run them beside the old rules first
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write DIR/<service>.slo.yaml."
)
@click.option("--force", is_flag=True, help="Replace specs that are there.")
@click.option("--shadow", is_flag=True, help="Add alerting: {shadow: true}: evaluate and record, but tell nobody.")
def command(*, files: tuple[Path, ...], out: Path | None, force: bool, shadow: bool) -> ExitCode:
    """Convert specs of Sloth, OpenSLO v1 and Pyrra to sereno/v1, one spec for each service.

    Objects of one service, and OpenSLO's objects that refer to each other, may lie in several files. Nothing is dropped
    silently: what isn't carried over as it was is a comment in the spec and a warning (docs/convert.md).

    Exit codes: 0 every SLO was carried over; 1 some weren't, and stand in the spec as comments with the reason; 2 a
    file is in none of these formats, or would be overwritten: nothing was written.
    """
    from sereno_slo import has_errors
    from sereno_slo.convert import convert, readable

    from sereno_cli.specs import print_diagnostics

    sources, problems = _read(files)
    read = readable(sources)
    if has_errors(problems := [*problems, *read.diagnostics]):
        print_diagnostics(problems)
        return ExitCode.INVALID_INPUT
    conversion = convert(read.documents, is_shadow=shadow)
    if out is None and len(conversion.specs) > 1:
        names = ", ".join(spec.service for spec in conversion.specs)
        message = f"these files describe {len(conversion.specs)} services ({names}), and a spec describes one"
        click.echo(f"sereno convert: {message}: say where to write them with --out DIR", err=True)
        return ExitCode.INVALID_INPUT
    if out is not None and not _written(conversion, out, may_replace=force):
        return ExitCode.INVALID_INPUT
    if out is None:
        click.echo("".join(spec.source.text for spec in conversion.specs), nl=False)
    return _answer((*problems, *conversion.diagnostics), conversion)


def _read(files: "Sequence[Path]") -> "tuple[list[SourceFile], list[Diagnostic]]":
    """The files, those of folders among them; and those that can't be read."""
    from sereno_slo import Diagnostic, SourceFile, read_source

    paths = [path for file in files for path in (_below(file) if file.is_dir() else [file])]
    found = [read_source(path) for path in dict.fromkeys(paths)]
    return (
        [each for each in found if isinstance(each, SourceFile)],
        [each for each in found if isinstance(each, Diagnostic)],
    )


def _below(folder: Path) -> list[Path]:
    """The YAML files of a folder; without any, the folder itself: that it can't be read is told."""
    return sorted(path for ending in ("yaml", "yml") for path in folder.glob(f"*.{ending}")) or [folder]


def _written(conversion: "Conversion", out: Path, *, may_replace: bool) -> bool:
    """Whether all specs could be written; otherwise none was, and it is said why."""
    from sereno_slo.writing import write_new

    files = {f"{spec.service}.slo.yaml": spec.source.text for spec in conversion.specs}
    there = [name for name in files if (out / name).exists()]
    if there and not may_replace:
        for name in there:
            click.echo(f"sereno convert: {out / name} is there already; --force replaces it", err=True)
        click.echo("nothing was written", err=True)
        return False
    try:
        write_new(files, out, may_replace=may_replace)
    except OSError as error:
        click.echo(f"sereno convert: {error.filename or out}: {error.strerror}; nothing was written", err=True)
        return False
    for name in files:
        click.echo(f"wrote {out / name}")
    return True


def _answer(told: "Sequence[Diagnostic]", conversion: "Conversion") -> ExitCode:
    from sereno_slo import has_errors

    for diagnostic in told:
        click.echo(str(diagnostic), err=True)
    lost = sum(has_errors([diagnostic]) for diagnostic in told)
    services = len(conversion.specs)
    counted = f"{services} service{'s'[: services != 1]} converted"
    if lost:
        errors = f"{lost} error{'s'[: lost != 1]}"
        click.echo(f"{counted}; {errors}: what they name is left out (look for LEFT OUT in the specs)", err=True)
        return ExitCode.ANSWER_IS_NO
    click.echo(f"{counted}; nothing is left out", err=True)
    return ExitCode.OK
