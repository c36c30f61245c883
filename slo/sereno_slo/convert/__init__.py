"""Specs of other tools as specs of `sereno/v1`: Sloth, OpenSLO and Pyrra.

Nothing is dropped silently: what isn't carried over as it was is a comment where it would stand, and a warning; an SLO
that can't be carried over at all is a comment, and an error.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sereno_slo.compilation import validate_spec
from sereno_slo.convert.draft import DraftSlo, LeftOut, ServicePart
from sereno_slo.convert.formats import Document, Format, is_foreign, read_documents
from sereno_slo.convert.merging import DraftService, merged, mistakes_of
from sereno_slo.convert.openslo import read_openslo
from sereno_slo.convert.pyrra import read_pyrra
from sereno_slo.convert.sloth import read_sloth
from sereno_slo.convert.spec_text import spec_text
from sereno_slo.diagnostics import Diagnostic, Severity, has_errors, in_reading_order
from sereno_slo.model import Settings
from sereno_slo.source import SourceFile

__all__ = ["Conversion", "Converted", "Readable", "convert", "converted_sources", "is_foreign", "readable"]


@dataclass(frozen=True, slots=True)
class Converted:
    """One spec of `sereno/v1`."""

    service: str
    source: SourceFile
    """Its text, named by the file that it comes from, with the places of its lines there."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The specs, and what isn't in them: warnings for parts, errors for whole SLOs."""

    specs: tuple[Converted, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every SLO was carried over."""
        return not has_errors(self.diagnostics)


@dataclass(frozen=True, slots=True)
class Readable:
    """Documents in known formats; with errors among the diagnostics they must not be converted."""

    documents: tuple[tuple[Document, SourceFile], ...]
    diagnostics: tuple[Diagnostic, ...]


def readable(sources: Sequence[SourceFile]) -> Readable:
    """The documents of all files, or why they are in none of the formats."""
    documents: list[tuple[Document, SourceFile]] = []
    mistakes: list[Diagnostic] = []
    for source in sources:
        found, problems = read_documents(source)
        documents += ((document, source) for document in found)
        mistakes += problems
    return Readable(tuple(documents), in_reading_order(mistakes))


def convert(documents: Sequence[tuple[Document, SourceFile]], *, is_shadow: bool = False) -> Conversion:
    """One spec for each service that the documents describe; with `is_shadow` no SLO of them alerts anybody.

    A service without any SLO that can be carried over has no spec.
    """
    parts = list(_parts(documents))
    lost = [part for part in parts if isinstance(part, LeftOut)]
    services = [_checked(service) for service in merged(part for part in parts if isinstance(part, ServicePart))]
    specs = (_written(service, is_shadow=is_shadow) for service in services if _has_slos(service))
    told = (*chain.from_iterable(map(_told, services)), *chain.from_iterable(map(mistakes_of, lost)))
    return Conversion(tuple(specs), in_reading_order(dict.fromkeys(told)))


def converted_sources(sources: Sequence[SourceFile]) -> tuple[tuple[SourceFile, ...], tuple[Diagnostic, ...]]:
    """The sources with those in other formats converted, for whoever compiles them; the rest as they are."""
    foreign = [source for source in sources if is_foreign(source)]
    if not foreign:
        return tuple(sources), ()
    read = readable(foreign)
    if has_errors(read.diagnostics):
        return tuple(source for source in sources if source not in foreign), read.diagnostics
    conversion = convert(read.documents)
    own = (source for source in sources if source not in foreign)
    return (*own, *(spec.source for spec in conversion.specs)), (*read.diagnostics, *conversion.diagnostics)


_Read = Callable[[Document, SourceFile], ServicePart | LeftOut]
_ONE_BY_ONE: dict[Format, _Read] = {
    Format.SLOTH: read_sloth,
    Format.SLOTH_KUBERNETES: read_sloth,
    Format.PYRRA: read_pyrra,
}


def _parts(documents: Sequence[tuple[Document, SourceFile]]) -> Iterator[ServicePart | LeftOut]:
    """Objects of OpenSLO refer to each other across documents; all others stand by themselves."""
    for document, source in documents:
        if document.format in _ONE_BY_ONE:
            yield _ONE_BY_ONE[document.format](document, source)
    yield from read_openslo([pair for pair in documents if pair[0].format is Format.OPENSLO])


def _has_slos(service: DraftService) -> bool:
    return any(isinstance(slo, DraftSlo) for slo in service.slos)


def _checked(service: DraftService) -> DraftService:
    """The service without the SLOs that the compiler would refuse: they are left out, with its reasons."""
    return replace(service, slos=tuple(_checked_slo(slo, service) for slo in service.slos))


def _checked_slo(slo: DraftSlo | LeftOut, service: DraftService) -> DraftSlo | LeftOut:
    if isinstance(slo, LeftOut):
        return slo
    alone = _written(replace(service, slos=(slo,)), is_shadow=False)
    found = validate_spec(alone.source, Settings()).diagnostics
    reasons = tuple(each for each in found if each.severity is Severity.ERROR)
    return LeftOut(slo.name.text, slo.name.span, reasons, slo.quote) if reasons else slo


def _written(service: DraftService, *, is_shadow: bool) -> Converted:
    page = spec_text(service, is_shadow=is_shadow)
    return Converted(service.name, SourceFile(service.paths[0], page.text, service.origin, tuple(page.places)))


def _told(service: DraftService) -> Iterator[Diagnostic]:
    yield from (remark.diagnostic for remark in service.remarks if _has_slos(service))
    for slo in service.slos:
        yield from mistakes_of(slo) if isinstance(slo, LeftOut) else (remark.diagnostic for remark in slo.remarks)
