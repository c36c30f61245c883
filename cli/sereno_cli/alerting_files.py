"""Alertmanager's configuration from the files that people write: teams and specs; mistakes are printed."""

from collections.abc import Iterator, Sequence
from os.path import relpath
from pathlib import Path

import click
from sereno_alerting.configuration import configuration_text
from sereno_alerting.teams import Owner, Teams, read_teams, strangers, unknown_waiting
from sereno_slo import Diagnostic, has_errors, read_source, validate_specs
from sereno_slo.alertmanager_file import rules_in
from sereno_slo.compilation import render_inhibitions
from sereno_slo.model import SloReference
from sereno_slo.parse import parse_spec

from sereno_cli.specs import LoadedSpecs, load_specs, print_diagnostics, repository_root

TEAMS_FILE = Path("alerting/alertmanager/teams.yaml")


def generated_configuration(specs: Sequence[Path], teams_file: Path | None, settings_file: Path | None) -> str | None:
    """The text; None where there are mistakes, which are printed."""
    root = repository_root()
    if root is None and (teams_file is None or not specs):
        click.echo(
            "sereno alertmanager generate: this is no repository with slo/specs; name --teams and SPEC", err=True
        )
        return None
    path = teams_file or (root or Path()) / TEAMS_FILE
    loaded = load_specs(specs, settings_file)
    if loaded is None:
        return None
    validation = validate_specs(loaded.sources, loaded.settings, are_all=loaded.are_all)
    teams, mistakes = _teams(path, loaded.root)
    found = (*loaded.diagnostics, *(each for each in validation.diagnostics if has_errors([each])), *mistakes)
    slos = {SloReference(service.name, slo.name) for service in validation.services for slo in service.objectives}
    unknown = (*unknown_waiting(teams, slos), *strangers(teams, tuple(_owners(loaded)))) if teams else ()
    print_diagnostics((*found, *unknown))
    if teams is None or has_errors(found):
        return None
    rules = rules_in(render_inhibitions(validation.dependencies, validation.standings, loaded.settings).content)
    return configuration_text(teams, loaded.settings.owner_label, rules)


def _teams(path: Path, root: Path) -> tuple[Teams | None, tuple[Diagnostic, ...]]:
    """Headers name the file by its path below the repository, wherever the command is called."""
    origin = path.resolve()
    inside = origin.relative_to(root.resolve()).as_posix() if origin.is_relative_to(root.resolve()) else path.name
    source = read_source(printed_path(path), origin=inside)
    if isinstance(source, Diagnostic):
        return None, (source,)
    read = read_teams(source)
    return read.teams, read.diagnostics


def _owners(loaded: LoadedSpecs) -> Iterator[Owner]:
    """Of all specs, in their order."""
    for source in loaded.sources:
        parsed = parse_spec(source)
        if parsed.document is not None and parsed.tree is not None:
            yield Owner(parsed.document.owner, parsed.tree.span(("owner",)))


def printed_path(path: Path) -> Path:
    """As short as possible: messages show it."""
    here = Path.cwd()
    return Path(relpath(path, here)) if path.is_absolute() and path.is_relative_to(here) else path
