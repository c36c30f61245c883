"""`sereno alertmanager`: its configuration, generated from teams and specs, or rules merged into a handwritten one."""

from pathlib import Path

import click

from sereno_cli.exit_codes import ExitCode

_FOLDER = Path("alerting/alertmanager")
_EPILOG = """\b
Examples:
  sereno alertmanager merge --out /etc/alertmanager/alertmanager.yml
      the repository's configuration and the rules that sereno compile wrote
  sereno alertmanager merge alertmanager.yml --with out/alertmanager/inhibit_rules.yml --out alertmanager.yml
      into the file itself: its own lines stay, an earlier merge is replaced
  sereno alertmanager merge --out /etc/alertmanager/alertmanager.yml --check
      is what is installed what the repository says?
"""

_GENERATE_EPILOG = """\b
Examples:
  sereno alertmanager generate
      alerting/alertmanager/alertmanager.yml from teams.yaml beside it and slo/specs
  sereno alertmanager generate --teams teams.yaml --out /etc/alertmanager/alertmanager.yml slo/
      from other places
  sereno alertmanager generate --check
      in CI: is the file what teams and specs say?
"""


@click.group()
def command() -> None:
    """What Alertmanager needs of teams and specs."""


@command.command(epilog=_GENERATE_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC]...")
@click.option(
    "--teams",
    "teams_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Who is told what [{_FOLDER}/teams.yaml].",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write here; - is stdout [alertmanager.yml beside the team file].",
)
@click.option(
    "--settings", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Another sereno.yaml."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is something else.")
def generate(
    *, specs: tuple[Path, ...], teams_file: Path | None, out: Path | None, settings: Path | None, check: bool
) -> ExitCode:
    """Write Alertmanager's whole configuration from a team file, and from specs for what depends on what.

    Without SPEC all specs of the repository. Owners that specs name and the team file doesn't are told; their alerts
    go to the default receivers. Mistakes are told with their place, and then nothing is written.
    """
    from sereno_cli.alerting_files import generated_configuration, printed_path

    out = None if out == Path("-") else out or _beside(teams_file)
    if check and out is None:
        click.echo("sereno alertmanager generate: --check compares a file: name it with --out", err=True)
        return ExitCode.INVALID_INPUT
    text = generated_configuration(specs, teams_file, settings)
    if text is None:
        return ExitCode.INVALID_INPUT
    if out is None:
        click.echo(text, nl=False)
        return ExitCode.OK
    try:
        if check:
            return _compared(out, text, "teams and specs say", "generate")
        _replaced(out, text)
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "this is no text in UTF-8"
        click.echo(f"sereno alertmanager generate: {printed_path(out)}: {said}", err=True)
        return ExitCode.INVALID_INPUT
    click.echo(f"{printed_path(out)}: written from teams and specs")
    return ExitCode.OK


def _beside(teams_file: Path | None) -> Path | None:
    from sereno_cli.specs import repository_root

    if teams_file is not None:
        return teams_file.with_name("alertmanager.yml")
    root = repository_root()
    return None if root is None else root / _FOLDER / "alertmanager.yml"


@command.command(epilog=_EPILOG)
@click.argument("base", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[BASE]")
@click.option(
    "--with",
    "rules",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Generated inhibition rules [{_FOLDER}/generated/inhibit_rules.yml].",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write here [stdout].")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file of --out is something else.")
def merge(*, base: Path | None, rules: Path | None, out: Path | None, check: bool) -> ExitCode:
    """Put generated inhibition rules (depends_on, journeys) behind the own ones of a handwritten alertmanager.yml.

    BASE is alerting/alertmanager/alertmanager.yml of the repository, unless another is named. Its lines and comments
    stay as they are. Let `amtool check-config` judge the result: receivers and routes aren't looked at here.
    """
    from sereno_slo.alertmanager_file import UnmergeableError, merged, rules_in

    if check and out is None:
        click.echo("sereno alertmanager merge: --check compares a file: name it with --out", err=True)
        return ExitCode.INVALID_INPUT
    places = _places(base, rules)
    if places is None:
        return ExitCode.INVALID_INPUT
    current = places[0]
    try:
        found = rules_in(_text(current := places[1]))
        text = merged(_text(current := places[0]), found)
        if out is None:
            click.echo(text, nl=False)
            return ExitCode.OK
        current = out
        return _check(out, text) if check else _write(out, text, len(found))
    except UnmergeableError as error:
        click.echo(f"sereno alertmanager merge: {current}:{error.line}: {error}", err=True)
    except UnicodeDecodeError:
        click.echo(f"sereno alertmanager merge: {current}: this is no text in UTF-8", err=True)
    except OSError as error:
        click.echo(f"sereno alertmanager merge: {error.filename or current}: {error.strerror}", err=True)
    return ExitCode.INVALID_INPUT


def _places(base: Path | None, rules: Path | None) -> tuple[Path, Path] | None:
    """The configuration and the rules, by default those of the repository."""
    from sereno_cli.specs import repository_root

    root = repository_root()
    if root is None and (base is None or rules is None):
        click.echo("sereno alertmanager merge: this is no repository with slo/specs; name BASE and --with", err=True)
        return None
    folder = (root or Path()) / _FOLDER
    return base or folder / "alertmanager.yml", rules or folder / "generated" / "inhibit_rules.yml"


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _check(out: Path, text: str) -> ExitCode:
    return _compared(out, text, "the configuration and the specs say", "merge")


def _compared(out: Path, text: str, said_by: str, command_name: str) -> ExitCode:
    if out.exists() and _text(out) == text:
        click.echo(f"{out} is what {said_by}")
        return ExitCode.OK
    click.echo(f"{out} {'differs' if out.exists() else 'is missing'}; run sereno alertmanager {command_name}", err=True)
    return ExitCode.ANSWER_IS_NO


def _write(out: Path, text: str, count: int) -> ExitCode:
    _replaced(out, text)
    click.echo(f"{out}: {count} generated inhibition rule{'s'[: count != 1]}")
    return ExitCode.OK


def _replaced(out: Path, text: str) -> None:
    """All of it or nothing: Alertmanager may read at any moment."""
    from sereno_slo.writing import replace_file

    if not out.exists() or out.read_bytes() != text.encode():
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(out, text)
