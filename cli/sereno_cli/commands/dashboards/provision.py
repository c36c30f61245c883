"""`sereno dashboards provision`: Grafana's folders, one for each owner."""

from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_cli.dashboard_folders import Wanted

_GRAFANA = Path("dashboards/grafana")
_OUT = _GRAFANA / "owners"
_HERE = f"$SERENO_HOME/{_OUT}"
_EPILOG = """\b
Examples:
  sereno dashboards provision
      the repository: dashboards/grafana/owners from slo/specs and dashboards/grafana/generated
  sereno dashboards provision --check
      in CI: is it what the specs say?
  sereno compile --out out && sereno dashboards provision --dashboards out/dashboards --out grafana --copy
      files of their own, to be copied into an image; Grafana finds them by --seen-as
"""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC]...")
@click.option(
    "--dashboards",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Compiled dashboards [dashboards/grafana/generated].",
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help=f"Write here [{_OUT}].")
@click.option("--seen-as", metavar="PATH", help=f"The same folder as Grafana sees it [{_HERE}, or DIR].")
@click.option("--copy", "copied", is_flag=True, help="Copy dashboards instead of linking to them.")
@click.option(
    "--settings", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Another sereno.yaml."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when anything is otherwise.")
def command(
    *,
    specs: tuple[Path, ...],
    folder: Path | None,
    out: Path | None,
    seen_as: str | None,
    copied: bool,
    settings: Path | None,
    check: bool,
) -> ExitCode:
    """Write what Grafana's provisioning needs to show each owner's dashboards in a folder of their own.

    DIR/provisioning is the folder to name as Grafana's provisioning path; DIR/folders has a folder for each owner that
    the specs name, of links to the compiled dashboards. What is of all services has one, too, and
    so have the repository's handwritten dashboards. Uids of folders and dashboards never change, so links last.
    """
    from sereno_cli.specs import repository_root, valid_specs

    root = repository_root()
    place = out or (None if root is None else root / _OUT)
    compiled = folder or (None if root is None else root / _GRAFANA / "generated")
    if place is None or compiled is None:
        message = "this is no repository with slo/specs; name SPEC, --dashboards and --out"
        click.echo(f"sereno dashboards provision: {message}", err=True)
        return ExitCode.INVALID_INPUT
    valid = valid_specs(specs, settings, warnings=False)
    if valid is None:
        return ExitCode.INVALID_INPUT
    owners = {service.name: service.owner for service in valid.services}
    home = None if root is None or folder is not None else root / _GRAFANA
    wanted = _wanted(compiled, owners, home, seen_as or (_HERE if out is None else str(place.absolute())))
    try:
        return _compared(wanted, place, copied=copied) if check else _written(wanted, place, copied=copied)
    except OSError as error:
        click.echo(f"sereno dashboards provision: {error.filename or place}: {error.strerror}", err=True)
        return ExitCode.INVALID_INPUT


def _wanted(compiled: Path, owners: dict[str, str], home: Path | None, seen_as: str) -> "tuple[Wanted, ...]":
    """Compiled dashboards and data sources; of a repository's `home` handwritten dashboards, too."""
    from sereno_cli.dashboard_folders import COMPILED_SOURCES, Folder, folders_of, wanted_files

    folders = folders_of(sorted(compiled.glob("*.json")), owners)
    sources = next(filter(Path.is_file, (compiled.parent / place for place in COMPILED_SOURCES)), None)
    if home is not None:
        own = Folder("sereno-handwritten", "Sereno, handwritten", tuple(sorted((home / "handwritten").glob("*.json"))))
        folders = (*folders, own) if own.files else folders
    return tuple(wanted_files(folders, sources, seen_as))


def _compared(wanted: "Sequence[Wanted]", place: Path, *, copied: bool) -> ExitCode:
    from sereno_cli.dashboard_folders import differences

    found = list(differences(wanted, place, copied=copied))
    for name, what in found:
        click.echo(f"{_printed(place / name)}: {what}", err=True)
    if found:
        click.echo("run sereno dashboards provision", err=True)
        return ExitCode.ANSWER_IS_NO
    click.echo(f"{_printed(place)} is what the specs say")
    return ExitCode.OK


def _written(wanted: "Sequence[Wanted]", place: Path, *, copied: bool) -> ExitCode:
    from sereno_cli.dashboard_folders import bring_about

    changed = bring_about(wanted, place, copied=copied)
    removed = sum(what == "stray" for _, what in changed)
    unchanged = len(wanted) - (len(changed) - removed)
    click.echo(f"{_printed(place)}: {len(changed) - removed} written, {unchanged} unchanged, {removed} removed")
    return ExitCode.OK


def _printed(path: Path) -> str:
    """As short as possible: messages show it."""
    here = Path.cwd()
    return relpath(path, here) if path.is_absolute() and path.is_relative_to(here) else str(path)
