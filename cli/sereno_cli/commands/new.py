"""`sereno new`: a first spec from a template."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_slo.starting import FirstSpec, Kind

_EPILOG = """\b
Examples:
  sereno new --list
      the kinds of services that there are templates for
  sereno new http-api checkout --owner payments --tier critical
      slo/specs/checkout.slo.yaml (outside of a repository: checkout.slo.yaml)
  sereno new istio checkout --job envoy-stats --out specs
      another job, another folder
"""
_SCHEMA = Path("slo/schema/sereno-v1.schema.json")


@click.command(epilog=_EPILOG)
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--list", "is_list", is_flag=True, help="The kinds, one line each.")
@click.option("--owner", default="unknown", show_default=True, metavar="TEAM", help="The team that is paged.")
@click.option("--tier", type=click.Choice(["critical", "standard"]), default="standard", show_default=True)
@click.option("--job", default="", metavar="JOB", help="The label job of its metrics [the kind's usual one, or NAME].")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write into this folder [the repository's slo/specs, else the current one].",
)
def command(
    *, kind: str | None, name: str | None, is_list: bool, owner: str, tier: str, job: str, out: Path | None
) -> ExitCode:
    """Write the first spec of a service from a template: metrics and labels as its ecosystem names them.

    NAME is the service: lower-case words with hyphens. A spec that is there is never replaced.
    """
    from sereno_slo.starting import KINDS, FirstSpec

    if is_list:
        width = max(len(each.name) for each in KINDS)
        click.echo("\n".join(f"{each.name:<{width}}  {each.says}" for each in KINDS))
        return ExitCode.OK
    if kind is None or name is None:
        raise click.UsageError("name a KIND (sereno new --list tells them) and a NAME, for example http-api checkout")
    chosen = next((each for each in KINDS if each.name == kind), None)
    if chosen is None:
        raise click.UsageError(f"there is no template {kind!r}{_nearest(kind, KINDS)}; sereno new --list tells all")
    folder, schema = _place(out)
    return _write(FirstSpec(chosen, name, owner, tier, job, schema), folder)


def _nearest(kind: str, kinds: "tuple[Kind, ...]") -> str:
    import difflib

    near = difflib.get_close_matches(kind, [each.name for each in kinds], n=1, cutoff=0.4)
    return f", did you mean {near[0]}?" if near else ""


def _place(out: Path | None) -> tuple[Path, str]:
    """Where the spec goes, and where editors find the grammar from there."""
    import os

    from sereno_slo.starting import SCHEMA_URL

    from sereno_cli.specs import SPECS_FOLDER, repository_root

    root = repository_root()
    folder = out or (Path() if root is None else Path(os.path.relpath(root / SPECS_FOLDER)))
    if root is None or not (root / _SCHEMA).is_file() or folder.resolve() != (root / SPECS_FOLDER).resolve():
        return folder, SCHEMA_URL
    return folder, os.path.relpath(root / _SCHEMA, root / SPECS_FOLDER)


def _write(wanted: "FirstSpec", folder: Path) -> ExitCode:
    from sereno_slo import Settings, SourceFile, validate_specs
    from sereno_slo.diagnostics import has_errors, on_one_line
    from sereno_slo.starting import first_spec
    from sereno_slo.writing import write_new

    text, file = first_spec(wanted), f"{wanted.name}.slo.yaml"
    mistakes = validate_specs([SourceFile(file, text)], Settings()).diagnostics
    if has_errors(mistakes):
        for mistake in mistakes:
            click.echo(on_one_line(f"sereno new: {mistake.message} ({mistake.hint})"), err=True)
        return ExitCode.INVALID_INPUT
    try:
        write_new({file: text}, folder, may_replace=False)
    except FileExistsError:
        click.echo(f"sereno new: {folder / file} is there already; it is yours, so nothing was written", err=True)
        return ExitCode.INVALID_INPUT
    except OSError as error:
        click.echo(f"sereno new: {error.filename or folder}: {error.strerror}; nothing was written", err=True)
        return ExitCode.INVALID_INPUT
    click.echo(f"wrote {folder / file}\n\nNext:\n{_next(folder / file)}")
    return ExitCode.OK


def _next(path: Path) -> str:
    """The two commands that come next: does the server have these metrics, and what are the rules?"""
    from sereno_cli.specs import SPECS_FOLDER, repository_root

    root = repository_root()
    is_inside = root is not None and path.resolve().parent == (root / SPECS_FOLDER).resolve()
    compile_ = "sereno compile" if is_inside else f"sereno compile {path} --out build"
    return f"  sereno validate {path} --prometheus http://127.0.0.1:9090\n  {compile_}"
