"""Which specs a command works on: those named on the command line, or all of the repository's."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import click
from sereno_slo import Diagnostic, Settings, SourceFile, has_errors, read_settings, read_source, validate_specs
from sereno_slo.diagnostics import Span
from sereno_slo.model import Service
from sereno_slo.neighbours import with_neighbours
from sereno_slo.source import may_be_foreign

SPECS_FOLDER = Path("slo/specs")
SETTINGS_FILE = "sereno.yaml"
SPEC_PATTERN = "*.slo.yaml"


@dataclass(frozen=True, slots=True)
class LoadedSpecs:
    """Sources that could be read, the settings, and mistakes found on the way."""

    sources: tuple[SourceFile, ...]
    settings: Settings
    diagnostics: tuple[Diagnostic, ...]
    root: Path
    """The repository, or the current folder where there is none."""
    is_complete: bool
    """Whether these are all specs of the repository."""
    are_all: bool
    """Whether no others are known of: those of the repository, or whole folders; not single files."""


def repository_root() -> Path | None:
    """The nearest folder, from the current one upwards, that has slo/specs."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / SPECS_FOLDER).is_dir()), None)


def load_specs(named: Sequence[Path], settings_file: Path | None) -> LoadedSpecs | None:
    """Read the specs and settings; says what is wrong and returns None where there is nothing to read."""
    root = repository_root()
    every = () if root is None else tuple(sorted((root / SPECS_FOLDER).glob(SPEC_PATTERN)))
    paths = [path for name in named for path in _expanded(name)] or list(every)
    if not paths:
        where = "here or in a folder above" if root is None else f"in {root / SPECS_FOLDER}"
        click.echo(f"sereno: there is no {SPECS_FOLDER}/{SPEC_PATTERN} {where}; name a spec's file", err=True)
        return None
    found = [_read(path, root, os.getcwd()) for path in paths]
    is_complete = paths == list(every) or _are_same(paths, every)
    settings, problems = _settings(settings_file or nearest_settings())
    sources, told = of_our_own(tuple(source for source in found if isinstance(source, SourceFile)))
    return LoadedSpecs(
        sources=sources,
        settings=settings,
        diagnostics=(*problems, *(problem for problem in found if isinstance(problem, Diagnostic)), *told),
        root=root or Path.cwd(),
        is_complete=is_complete,
        are_all=is_complete or all(map(os.path.isdir, named)),
    )


def of_our_own(sources: tuple[SourceFile, ...]) -> tuple[tuple[SourceFile, ...], tuple[Diagnostic, ...]]:
    """Specs of other tools are converted, and what they lose is told; all others are what they were."""
    if not any(may_be_foreign(source.text) for source in sources):
        return sources, ()
    from sereno_slo.convert import converted_sources

    return converted_sources(sources)


@dataclass(frozen=True, slots=True)
class ValidSpecs:
    """Specs without mistakes, and what they mean."""

    loaded: LoadedSpecs
    services: tuple[Service, ...]

    @property
    def settings(self) -> Settings:
        """The defaults for all of them."""
        return self.loaded.settings


def valid_specs(named: Sequence[Path], settings_file: Path | None, *, warnings: bool = True) -> ValidSpecs | None:
    """Read and validate the specs that a command works on; None where there are mistakes, which are printed.

    Without `warnings` specs that have no error are silent.
    """
    loaded = load_specs(named, settings_file)
    if loaded is None:
        return None
    validation = validate_specs(loaded.sources, loaded.settings, are_all=loaded.are_all)
    diagnostics = (*loaded.diagnostics, *validation.diagnostics)
    if warnings or has_errors(diagnostics):
        print_diagnostics(diagnostics)
    return None if has_errors(diagnostics) else ValidSpecs(loaded, validation.services)


def _are_same(paths: Sequence[Path], every: Sequence[Path]) -> bool:
    return bool(every) and set(map(resolved, every)) == set(map(resolved, paths))


def _expanded(name: Path) -> list[Path]:
    """A folder means the specs in it."""
    # os.path's isdir: pathlib's raises where a name is too long to be one.
    is_folder = os.path.isdir(name)
    return sorted(name.glob(SPEC_PATTERN)) or [name / SPEC_PATTERN] if is_folder else [name]


def resolved(path: Path) -> Path:
    """The path without symbolic links; one that leads to itself stays as it is, and can't be read."""
    return Path(_place(str(path), os.getcwd()))


def _place(path: str, here: str) -> str:
    """Where a path leads. Thousands of specs lie in one folder: it is looked at once, and links among them singly."""
    folder, name = os.path.split(os.path.join(here, path))
    if name in {"", ".", ".."} or os.path.islink(path):
        return os.path.realpath(path)
    return os.path.join(_real_folder(folder), name)


@lru_cache(maxsize=16)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _read(path: Path, root: Path | None, here: str) -> SourceFile | Diagnostic:
    """The spec, named as short as possible; headers of generated files name it by its path below the repository.

    Messages show it relative to the current folder, headers mustn't depend on where the compiler is called.
    """
    place = _place(str(path), here)
    short = _below(place, here)
    return read_source(Path(short) if short else path, origin=_below(place, str(root)) if root else "")


def _short(path: Path) -> Path:
    """Relative to the current folder where possible: it is shown in messages."""
    here = os.getcwd()
    return Path(_below(_place(str(path), here), here) or path)


def _below(place: str, folder: str) -> str:
    """The way from the folder to the place; empty where the place lies elsewhere."""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return place.removeprefix(start).replace(os.sep, "/") if place.startswith(start) else ""


def nearest_settings() -> Path | None:
    """The nearest `sereno.yaml`, from the current folder upwards."""
    here = Path.cwd()
    return next(
        (folder / SETTINGS_FILE for folder in (here, *here.parents) if (folder / SETTINGS_FILE).is_file()), None
    )


def _settings(path: Path | None) -> tuple[Settings, tuple[Diagnostic, ...]]:
    source = None if path is None else read_source(_short(path))
    if isinstance(source, Diagnostic):
        return Settings(), (source,)
    return read_settings_of(source)


def read_settings_of(source: SourceFile | None, folder: Path | None = None) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings, with what specs of other repositories describe; their ways begin at the file's own folder."""
    settings, mistakes = read_settings(source)
    if source is None or not settings.imports:
        return settings, mistakes
    found, missing = with_neighbours(settings, folder or Path(source.path).parent, Span(source.path))
    return found, (*mistakes, *missing)


def print_diagnostics(diagnostics: Sequence[Diagnostic], consequence: str = "nothing was written") -> None:
    """One line each on standard error, and how many errors there were and what came of them."""
    for diagnostic in diagnostics:
        click.echo(str(diagnostic), err=True)
    if has_errors(diagnostics):
        count = sum(has_errors([diagnostic]) for diagnostic in diagnostics)
        click.echo(f"{count} {'error' if count == 1 else 'errors'}; {consequence}", err=True)
