"""OpenSLO's objects by kind and name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from sereno_slo.convert.formats import Document
from sereno_slo.convert.section import Section, document_section
from sereno_slo.diagnostics import Diagnostic, Span


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What references lead to; the first of a name."""

    objects: dict[tuple[str, str], Document]
    references: frozenset[str]
    """Every name that anything refers to."""

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Self:
        """The catalogue of all documents that are read together."""
        objects: dict[tuple[str, str], Document] = {}
        references: set[str] = set()
        for document in documents:
            objects.setdefault((str(document.tree.value.get("kind")), _name(document)), document)
            references.update(_references(document.tree.value))
        return cls(objects, frozenset(references))

    def name_of(self, document: Document) -> str:
        """The object's name, or nothing."""
        return _name(document)

    def is_referred_to(self, kind: str, name: str) -> bool:
        """Whether anything refers to this object, and means it: not another one of that name before it."""
        return (kind, name) in self.objects and name in self.references

    def get(self, kind: str, name: str, mistakes: list[Diagnostic]) -> Section | None:
        """The object; what is wrong within is a mistake of whoever refers to it."""
        document = self.objects.get((kind, name))
        return None if document is None else headless(document_section(document, mistakes))

    def required(self, kind: str, name: str, span: Span, mistakes: list[Diagnostic]) -> Section | None:
        """The same; that it is missing is a mistake of whoever refers to it."""
        found = self.get(kind, name, mistakes)
        if found is None:
            message = f"there is no {kind} named {name} in these files"
            mistakes.append(Diagnostic("SLO063", span, message, "give the file that holds it as well"))
        return found


def headless(section: Section) -> Section:
    """An object of which the head says nothing new but what else stands in its metadata."""
    section.ignore("apiVersion", "kind")
    metadata = section.section("metadata")
    if metadata is not None:
        metadata.ignore("name")
    return section


def _name(document: Document) -> str:
    metadata = document.tree.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


_REFERRING = ("indicatorRef", "alertPolicyRef", "conditionRef", "targetRef", "metricSourceRef")


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _REFERRING and isinstance(inner, str):
                yield inner
            elif key == "alertPolicies" and isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, str))
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
