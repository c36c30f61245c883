"""`sereno compile`: from specs to rules, behaviour tests, dashboards, runbooks, template and bucket bounds."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_slo.render.artefact import Artefact
    from sereno_slo.render.layout import Layout

    from sereno_cli.specs import LoadedSpecs

_EPILOG = """\b
Examples:
  sereno compile                              the repository: slo/specs → alerting/, dashboards/, runbooks/, …
  sereno compile --check                      do the committed files say what the specs say?
  sereno compile checkout.slo.yaml --out DIR  one spec → DIR/rules, DIR/tests, DIR/dashboards, …
"""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Write into this folder.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when files differ from the specs.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["prometheus", "operator", "mimir"]),
    default="prometheus",
    show_default=True,
    help="How rules are written (operator and mimir: not yet there).",
)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(specs: tuple[Path, ...], out: Path | None, check: bool, format_: str, settings: Path | None) -> ExitCode:
    """Compile specs into alert rules, behaviour tests, dashboards, runbooks, template and bucket bounds.

    Without SPEC all of slo/specs is compiled; without --out into the repository's layout. Generated files are
    overwritten, scaffolds (runbooks, template) are written once. A spec with mistakes writes nothing and exits 2.
    """
    from sereno_slo import FOLDER, REPOSITORY, compile_specs, has_errors

    from sereno_cli.specs import load_specs, print_diagnostics

    if format_ != "prometheus":
        click.echo(f"sereno compile: --format {format_} isn't implemented in this version; use prometheus", err=True)
        return ExitCode.INVALID_INPUT
    loaded = load_specs(specs, settings)
    if loaded is None or (out is None and not _belongs_to_repository(specs, loaded)):
        return ExitCode.INVALID_INPUT
    layout, root = (REPOSITORY, loaded.root) if out is None else (FOLDER, out)
    compilation = compile_specs(loaded.sources, loaded.settings, layout)
    diagnostics = (*loaded.diagnostics, *compilation.diagnostics)
    print_diagnostics(diagnostics)
    if has_errors(diagnostics):
        return ExitCode.INVALID_INPUT
    is_complete = out is not None or loaded.is_complete
    artefacts = compilation.artefacts if is_complete else _of_one_service(compilation.artefacts)
    return (_check if check else _write)(artefacts, layout, root, is_complete)


def _belongs_to_repository(specs: Sequence[Path], loaded: "LoadedSpecs") -> bool:
    from sereno_cli.specs import SPECS_FOLDER, resolved

    folder = resolved(loaded.root / SPECS_FOLDER)
    # What isn't there has a diagnostic of its own; os.path, as pathlib's exists raises where a name is too long.
    there = [spec for spec in specs if os.path.exists(spec)]  # noqa: PTH110
    outside = [spec for spec in there if folder not in (resolved(spec), *resolved(spec).parents)]
    if outside:
        click.echo(
            f"sereno compile: {outside[0]} is not in {SPECS_FOLDER}; say where to write with --out DIR", err=True
        )
    return not outside


def _of_one_service(artefacts: Sequence["Artefact"]) -> tuple["Artefact", ...]:
    """Without what spans all services, which some of the specs can't tell."""
    from sereno_slo.render.artefact import Kind

    return tuple(a for a in artefacts if a.name != "overview.json" and a.kind is not Kind.POSTMORTEM_TEMPLATE)


def _check(artefacts: Sequence["Artefact"], layout: "Layout", root: Path, is_complete: bool) -> ExitCode:
    from sereno_slo import differences

    try:
        found = differences(artefacts, layout, root, is_complete=is_complete)
    except OSError as error:
        click.echo(f"sereno compile: {error.filename or root}: {error.strerror}", err=True)
        return ExitCode.INVALID_INPUT
    for difference in found:
        click.echo(f"{difference.path}: {difference.what}", err=True)
    if found:
        click.echo(f"{len(found)} of {len(artefacts)} files are not what the specs say; run sereno compile", err=True)
        return ExitCode.ANSWER_IS_NO
    click.echo(f"{len(artefacts)} files are what the specs say")
    return ExitCode.OK


def _write(artefacts: Sequence["Artefact"], layout: "Layout", root: Path, is_complete: bool) -> ExitCode:
    from sereno_slo import write

    try:
        written = write(artefacts, layout, root, is_complete=is_complete)
    except OSError as error:
        click.echo(f"sereno compile: {error.filename or root}: {error.strerror}; nothing was replaced", err=True)
        return ExitCode.INVALID_INPUT
    for path in written.changed:
        click.echo(f"wrote {path}")
    for path in written.removed:
        click.echo(f"removed {path}")
    click.echo(f"{len(written.changed)} files written, {written.unchanged} up to date, {len(written.removed)} removed")
    return ExitCode.OK
