"""The specs' files brought up to date, or checked: by several processes, and only what changed since last time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sereno_slo.building.memory import Known, Memory
from sereno_slo.building.order import Order
from sereno_slo.building.team import Outcome, Progress, Task, Team, processes_for
from sereno_slo.compilation import (
    ValidatedSpec,
    mistakes_between,
    render_datasources,
    render_inhibitions,
    render_overview,
    render_template,
)
from sereno_slo.diagnostics import Diagnostic, has_errors, in_reading_order
from sereno_slo.model import Service
from sereno_slo.render.artefact import Artefact
from sereno_slo.source import SourceFile
from sereno_slo.validate.description import Description, dependencies, described, standings
from sereno_slo.writing import Difference, Staged, Stamp, Written, outdated, stage, strays

__all__ = ["Built", "Checked", "Order", "build", "check", "processes_for"]


@dataclass(frozen=True, slots=True)
class Built:
    """What was written; nothing where the diagnostics hold an error."""

    written: Written | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """How the files differ, of so many; none were looked at where the diagnostics hold an error."""

    differences: tuple[Difference, ...]
    files: int
    diagnostics: tuple[Diagnostic, ...]


def build(
    sources: Sequence[SourceFile],
    order: Order,
    *,
    before: Sequence[Diagnostic],
    processes: int,
    has_memory: bool,
    progress: Progress,
) -> Built:
    """Write what is outdated, unless there are mistakes, or were `before`.

    Neither the number of processes nor the memory changes what is in the files.

    Raises:
        OSError: a file can't be read or written; nothing was replaced.
    """
    memory = Memory.of(order) if has_memory else Memory(order, {}, None)
    # The form of postmortems names all SLOs: where it has to be written, all specs have to be read.
    lacks_template = order.lacks_template()
    known = {} if lacks_template else memory.intact(sources)
    unknown = [source for source in sources if source not in known]
    task = Task(order, is_check=False, returns_services=lacks_template)
    with Team(unknown, task, processes=processes) as team:
        specs = team.validated(progress)
        descriptions = _descriptions(sources, known, dict(zip(unknown, specs, strict=True)))
        between = _between(descriptions, order, is_broken=len(descriptions) < len(sources) or has_errors(before))
        mistakes = (*_mistakes(specs, known.values()), *between)
        if has_errors((*before, *mistakes)):
            return Built(None, (*before, *in_reading_order(mistakes)))
        outcomes = team.produced(progress)
    found = memory.intact_overview(descriptions) if order.has_overview() else None
    services = [spec.service for spec in specs if spec.service]
    staged = [one for outcome in outcomes for one in outcome.staged]
    with _discarded_on_failure(staged, order):
        overview = stage(_overview(descriptions, order) if found is None else (), order.layout, order.root)
        staged += overview
        staged += stage(_inhibitions(descriptions, order), order.layout, order.root)
        staged += stage(_datasources(order), order.layout, order.root)
        staged += stage(_template(services, order), order.layout, order.root)
    untouched = [stamp for entry in known.values() for stamp in entry.files] + list(found or ())
    if order.has_template() and not lacks_template:
        untouched.append(Stamp(order.template_path(), -1, 0))
    written = _put_in_place(staged, untouched, order)
    if has_memory:
        stamps = tuple(one.stamp for one in overview) or found
        memory.save(known | _learnt(unknown, specs, outcomes), descriptions, stamps)
    warnings = (warning for outcome in outcomes for warning in outcome.warnings)
    return Built(written, (*before, *in_reading_order((*mistakes, *warnings))))


def check(
    sources: Sequence[SourceFile],
    order: Order,
    *,
    before: Sequence[Diagnostic],
    processes: int,
    progress: Progress,
) -> Checked:
    """Compile everything and compare, whatever is remembered.

    Raises:
        OSError: a file is there, but can't be read.
    """
    with Team(sources, Task(order, is_check=True, returns_services=False), processes=processes) as team:
        specs = team.validated(progress)
        descriptions = [spec.description for spec in specs if spec.description]
        between = _between(descriptions, order, is_broken=len(descriptions) < len(sources) or has_errors(before))
        mistakes = (*_mistakes(specs, ()), *between)
        if has_errors((*before, *mistakes)):
            return Checked((), 0, (*before, *in_reading_order(mistakes)))
        outcomes = team.produced(progress)
    spanning = [*_overview(descriptions, order), *_inhibitions(descriptions, order), *_datasources(order)]
    paths = [path for outcome in outcomes for path in outcome.paths] + [order.layout.path(one) for one in spanning]
    differences = [difference for outcome in outcomes for difference in outcome.differences]
    differences += outdated(spanning, order.layout, order.root)
    if order.lacks_template():
        differences.append(Difference(order.template_path(), "missing"))
    if order.is_complete:
        differences += (Difference(path, "stray") for path in strays(paths, order.layout, order.root, order.kinds))
    warnings = (warning for outcome in outcomes for warning in outcome.warnings)
    return Checked(
        tuple(sorted(differences, key=lambda difference: difference.path)),
        len(paths) + order.has_template(),
        (*before, *in_reading_order((*mistakes, *warnings))),
    )


def _descriptions(
    sources: Sequence[SourceFile], known: Mapping[SourceFile, Known], read: Mapping[SourceFile, ValidatedSpec]
) -> list[Description]:
    """Of all specs in their order, without those that have mistakes."""
    found = (known[source].description if source in known else read[source].description for source in sources)
    return [description for description in found if description]


def _mistakes(specs: Sequence[ValidatedSpec], known: Iterable[Known]) -> tuple[Diagnostic, ...]:
    return (
        *(mistake for spec in specs for mistake in spec.diagnostics),
        *(warning for entry in known for warning in entry.warnings),
    )


def _between(descriptions: Sequence[Description], order: Order, *, is_broken: bool) -> tuple[Diagnostic, ...]:
    neighbours = order.settings.neighbours
    return mistakes_between(descriptions, are_all=order.are_all, are_broken=is_broken, neighbours=neighbours)


def _overview(descriptions: Sequence[Description], order: Order) -> Iterator[Artefact]:
    if order.has_overview():
        yield from render_overview(descriptions, order.settings)


def _datasources(order: Order) -> Iterator[Artefact]:
    if order.has_datasources():
        yield render_datasources(order.settings)


def _inhibitions(descriptions: Sequence[Description], order: Order) -> Iterator[Artefact]:
    """Of all services, whichever were read and whichever remembered."""
    if order.has_inhibitions():
        everywhere = (*descriptions, *map(described, order.settings.neighbours))
        yield render_inhibitions(dependencies(everywhere), standings(descriptions), order.settings)


def _template(services: Sequence[Service], order: Order) -> Iterator[Artefact]:
    if order.lacks_template():
        yield render_template(services, order.settings)


@contextmanager
def _discarded_on_failure(staged: Sequence[Staged], order: Order) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for one in staged:
            one.discard(order.root)
        raise


def _put_in_place(staged: Sequence[Staged], untouched: Sequence[Stamp], order: Order) -> Written:
    for one in staged:
        one.put_in_place(order.root)
    expected = [*(one.stamp.path for one in staged), *(stamp.path for stamp in untouched)]
    removed: tuple[str, ...] = ()
    if order.layout.is_exclusive and order.is_complete:
        removed = strays(expected, order.layout, order.root, order.kinds)
    for path in removed:
        (order.root / path).unlink()
    changed = tuple(one.stamp.path for one in staged if one.temporary)
    return Written(changed, len(expected) - len(changed), removed)


def _learnt(
    sources: Sequence[SourceFile], specs: Sequence[ValidatedSpec], outcomes: Sequence[Outcome]
) -> dict[SourceFile, Known]:
    return {
        source: Known(
            spec.description,
            (*spec.diagnostics, *outcome.warnings),
            tuple(sorted((one.stamp for one in outcome.staged), key=lambda stamp: stamp.path)),
        )
        for source, spec, outcome in zip(sources, specs, outcomes, strict=True)
        if spec.description
    }
