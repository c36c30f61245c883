"""Specs of other repositories (`imports` in sereno.yaml): read for the names in them, and never compiled here.

Only names and what they refer to are read, so that another repository may be compiled by a newer version, or by other
defaults.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Span, has_errors
from sereno_slo.model import Neighbour, Settings, SloReference
from sereno_slo.parse.yaml_tree import read_yaml
from sereno_slo.source import SourceFile, read_source

_PATTERN = "*.slo.yaml"
_CURE = "check it out beside this repository, or write another path; paths begin at sereno.yaml's folder"


def with_neighbours(settings: Settings, folder: Path, place: Span) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings with what the imported specs describe; `place` is the sereno.yaml, `folder` where it lies."""
    found = [one for imported in settings.imports for one in _neighbours(folder / imported, imported, place)]
    mistakes = tuple(one for one in found if isinstance(one, Diagnostic))
    return replace(settings, neighbours=tuple(one for one in found if isinstance(one, Neighbour))), mistakes


def _neighbours(path: Path, imported: str, place: Span) -> Iterator[Neighbour | Diagnostic]:
    files: Sequence[Path] = sorted(path.glob(_PATTERN)) if path.is_dir() else [path]
    if not files or not path.exists():
        what = f"no {_PATTERN} in it" if path.exists() else "no such file or folder"
        yield Diagnostic("SLO094", place, f"imports: {imported}: there is {what}", _CURE)
        return
    for file in files:
        shown = f"{imported.rstrip('/')}/{file.name}" if path.is_dir() else imported
        source = read_source(file)
        found = source if isinstance(source, Diagnostic) else neighbour_of(source, shown)
        if isinstance(found, Neighbour):
            yield found
        else:
            reason = found.message if found else "it names no service with SLOs"
            cure = "run sereno validate in its own repository"
            yield Diagnostic("SLO094", place, f"imports: {shown} can't be read as a spec: {reason}", cure)


def neighbour_of(source: SourceFile, shown: str) -> Neighbour | Diagnostic | None:
    """The names in a spec; None where it has none, and the mistake where it is no YAML."""
    tree, mistakes = read_yaml(source)
    if tree is None or has_errors(mistakes):
        return next(iter(mistakes), None)
    spec = tree.value if isinstance(tree.value, dict) else {}
    service, slos, journeys = spec.get("service"), _named(spec.get("slos")), _named(spec.get("journeys"))
    if not isinstance(service, str) or not slos:
        return None
    needs = [
        (slo, SloReference.parse(on))
        for key, those in (("depends_on", slos), ("steps", journeys))
        for slo, document in those.items()
        for on in _texts(document.get(key))
    ]
    return Neighbour(service, shown, tuple(slos), tuple(journeys), tuple(needs))


def _named(documents: Any) -> dict[str, dict[str, Any]]:
    listed = documents if isinstance(documents, list) else []
    return {one["name"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)}


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
