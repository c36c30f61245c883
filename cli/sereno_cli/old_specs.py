"""The old side of a plan: specs and `sereno.yaml` as a commit or a folder has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sereno_slo import Diagnostic, Settings, SourceFile, read_source
from sereno_slo.diagnostics import Span

from sereno_cli.git import Commit, GitRefused, commit_of, is_shallow, merge_base, top_of
from sereno_cli.specs import (
    SETTINGS_FILE,
    SPEC_PATTERN,
    SPECS_FOLDER,
    nearest_settings,
    of_our_own,
    read_settings_of,
    repository_root,
    resolved,
)

_ENDING = SPEC_PATTERN.removeprefix("*")
# What a change goes into, where nobody says so.
_USUAL_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True, slots=True)
class OldSpecs:
    """What could be read, and mistakes found on the way."""

    sources: tuple[SourceFile, ...]
    settings: Settings
    diagnostics: tuple[Diagnostic, ...]
    label: str
    """What they are, in words."""
    are_all: bool
    """Whether no others are known of; where files are named, others may describe what they depend on."""


def old_from_folder(folder: Path, named: Sequence[Path], settings_file: Path | None) -> OldSpecs:
    """Specs of a folder, or of `slo/specs` in it; of the named ones only those of the same names.

    `sereno.yaml` is the folder's own, else the one of today.

    Raises:
        GitRefused: it is no folder.
    """
    if not folder.is_dir():
        raise GitRefused(f"--old {folder} is no folder")
    within = folder / SPECS_FOLDER if (folder / SPECS_FOLDER).is_dir() else folder
    only = {path.name for path in named if not path.is_dir()}
    paths = [path for path in sorted(within.glob(SPEC_PATTERN)) if not only or path.name in only]
    found = [read_source(path, origin=path.name) for path in paths]
    own = folder / SETTINGS_FILE
    settings_path = own if own.is_file() else settings_file or nearest_settings()
    old_settings = None if settings_path is None else read_source(settings_path)
    settings, problems = _read_settings(old_settings, settings_path)
    return _old_specs(found, settings, problems, f"the folder {folder}", are_all=not only)


def old_from_git(base: str | None, named: Sequence[Path], settings_file: Path | None) -> OldSpecs:
    """Specs of the commit at which the present branch left `base`, or the usual branch.

    Raises:
        GitRefused: there is no repository, or no such commit; the message has a cure.
        GitMissing: there is no git.
    """
    root = repository_root() or Path.cwd()
    top = top_of(root)
    commit, label = _chosen(top, base)
    places = list(_places(named, root, top))
    paths = [path for place in places for path in _specs_of(commit, place)]
    contents = commit.contents(paths)
    found = [_source(commit, path, contents[path]) for path in paths if path in contents]
    settings, problems = _settings(commit, top, settings_file or nearest_settings() or root / SETTINGS_FILE)
    are_all = not any(place.endswith(_ENDING) for place in places)
    return _old_specs(found, settings, problems, label, are_all=are_all)


def _old_specs(
    found: Sequence[SourceFile | Diagnostic],
    settings: Settings,
    problems: Sequence[Diagnostic],
    label: str,
    *,
    are_all: bool,
) -> OldSpecs:
    """Specs of other tools are converted, as those of today are."""
    sources, told = of_our_own(tuple(each for each in found if isinstance(each, SourceFile)))
    mistakes = (*problems, *(each for each in found if isinstance(each, Diagnostic)), *told)
    return OldSpecs(sources, settings, mistakes, label, are_all)


def _chosen(top: Path, base: str | None) -> tuple[Commit, str]:
    """The commit to compare with, and what it is."""
    head = commit_of(top, "HEAD")
    if head is None:
        raise GitRefused("the repository has no commit yet; compare with --old FOLDER instead")
    refs = _USUAL_BASES if base is None else (base,)
    ref, commit = next(((ref, found) for ref in refs if (found := commit_of(top, ref))), ("HEAD", None))
    if commit is None and base is not None:
        fetch = "; the clone is shallow: fetch it (actions/checkout: fetch-depth: 0)" if is_shallow(top) else ""
        raise GitRefused(f"--base {base} is no branch, tag or commit here{fetch or '; see `git branch --all`'}")
    if commit is None:
        return head, f"{head.short} (HEAD; there is none of {', '.join(_USUAL_BASES)})"
    shared = merge_base(top, commit, head)
    if shared is None:
        why = "the clone is shallow and doesn't know where they parted" if is_shallow(top) else "they share no past"
        return commit, f"{commit.short} ({ref} itself: {why})"
    if shared == commit:
        return commit, f"{commit.short} ({ref})"
    return shared, f"{shared.short} (where HEAD left {ref})"


def _places(named: Sequence[Path], root: Path, top: Path) -> Iterator[str]:
    """Files and folders as paths from the top of the working tree."""
    for path in named or (root / SPECS_FOLDER,):
        place = resolved(path)
        if not place.is_relative_to(resolved(top)):
            raise GitRefused(f"{path} lies outside of the repository {top}; compare with --old FOLDER instead")
        yield place.relative_to(resolved(top)).as_posix()


def _specs_of(commit: Commit, place: str) -> tuple[str, ...]:
    """A file itself, or the specs of a folder."""
    return (place,) if place.endswith(_ENDING) else commit.files_in(place, _ENDING)


def _source(commit: Commit, path: str, content: bytes) -> SourceFile | Diagnostic:
    """Messages name the commit, so that nobody looks for the mistake in today's file."""
    shown = f"{commit.short}:{path}"
    try:
        return SourceFile(shown, content.decode(), path)
    except UnicodeDecodeError as error:
        return Diagnostic("SLO001", Span(shown), f"byte {error.start} is not UTF-8", "choose another commit")


def _settings(commit: Commit, top: Path, path: Path) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """Today's file, as it was; one outside of the repository is as it is."""
    place = resolved(path)
    if not place.is_relative_to(resolved(top)):
        return _read_settings(read_source(path), path)
    name = place.relative_to(resolved(top)).as_posix()
    content = commit.contents([name]).get(name)
    return _read_settings(None if content is None else _source(commit, name, content), path)


def _read_settings(
    source: SourceFile | Diagnostic | None, path: Path | None
) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """Specs of other repositories are as they are today: no commit of this one says how they were."""
    if isinstance(source, Diagnostic):
        return Settings(), (source,)
    return read_settings_of(source, path.parent if path else None)
