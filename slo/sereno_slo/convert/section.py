"""Mappings of a source that know what was read of them, so that nothing is dropped without a word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sereno_slo.convert.formats import Document
from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.parse.yaml_tree import Path

# YAML 1.1, which these tools read, has more words for truth than YAML 1.2.
_TRUE = ("true", "yes", "on", "y")
_FALSE = ("false", "no", "off", "n")


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the source and where it stands."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Leftover:
    """A part of the source that nobody asked for."""

    name: str
    """`spec.slos[0].plugins`"""
    shown: str
    span: Span


@dataclass(slots=True)
class Section:
    """A mapping that remembers what was read of it. What has the wrong type is told in `mistakes` and is None."""

    document: Document
    path: Path
    value: dict[str, Any]
    mistakes: list[Diagnostic]
    """Shared by all sections of one part of the source."""
    _read: set[str] = field(default_factory=set)
    _inner: "dict[Path, Section]" = field(default_factory=dict)

    @property
    def span(self) -> Span:
        """Where the mapping stands."""
        return self.document.tree.span(self.path)

    def span_of(self, key: str) -> Span:
        """Where the key stands, or the mapping where it is missing."""
        return self.document.tree.key_span((*self.path, key))

    def has(self, key: str) -> bool:
        """Whether there is a value other than nothing."""
        return self.value.get(key) is not None

    def words(self, key: str) -> Words | None:
        """A text, or a number as text."""
        value = self._take(key)
        if isinstance(value, str):
            return Words(value, self._span(key)) if value.strip() else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Words(f"{value:.15g}", self._span(key))
        self._wrong(key, value, "text")
        return None

    def required(self, key: str, example: str) -> Words | None:
        """The same; that it is missing is a mistake."""
        found = self.words(key)
        if found is None and (not self.has(key) or isinstance(self.value[key], str)):
            message = f"{self.name or 'the document'} has no {key}"
            self.mistakes.append(Diagnostic("SLO063", self.span, message, f"write {key}: {example}"))
        return found

    def flag(self, key: str) -> bool | None:
        """A truth value."""
        value = self._take(key)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
            return value.lower() in _TRUE
        self._wrong(key, value, "true or false")
        return None

    def section(self, key: str) -> "Section | None":
        """A mapping within this one."""
        value = self._take(key)
        if isinstance(value, dict):
            return self._open((*self.path, key), value)
        self._wrong(key, value, "a mapping")
        return None

    def sections(self, key: str) -> "list[Section]":
        """The mappings of a list."""
        found = self.items(key)
        for item in found:
            if isinstance(item, Words):
                self._wrong(key, item.text, "a list of mappings")
        return [item for item in found if isinstance(item, Section)]

    def items(self, key: str) -> "list[Section | Words]":
        """The mappings and texts of a list."""
        value = self._take(key)
        if not isinstance(value, list):
            self._wrong(key, value, "a list")
            return []
        found: list[Section | Words] = []
        for index, item in enumerate(value):
            path = (*self.path, key, index)
            if isinstance(item, dict):
                found.append(self._open(path, item))
            else:
                found.append(Words(shown(item), self.document.tree.span(path)))
        return found

    def texts(self, key: str) -> tuple[Words, ...]:
        """The texts of a list; one text alone is a list, too."""
        value = self._take(key)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            self._wrong(key, value, "a list of texts")
            return ()
        spans = (self.document.tree.span((*self.path, key, index)) for index in range(len(values)))
        return tuple(Words(text, span) for text, span in zip(values, spans, strict=True))

    def labels(self, key: str) -> dict[str, Words]:
        """A mapping of texts, such as labels; lists within are joined by commas."""
        value = self._take(key)
        if not isinstance(value, dict):
            self._wrong(key, value, "a mapping")
            return {}
        return {
            name: Words(shown(inner), self.document.tree.span((*self.path, key, name))) for name, inner in value.items()
        }

    def ignore(self, *keys: str) -> None:
        """What says nothing that could be carried over, as `kind`."""
        self._read.update(keys)

    def leftovers(self) -> Iterator[Leftover]:
        """What nobody asked for, here and further in; it is told once."""
        for key, value in self.value.items():
            if key not in self._read and value not in (None, "", [], {}):
                self._read.add(key)
                yield Leftover(_name((*self.path, key)), shown(value), self.span_of(key))
        for inner in self._inner.values():
            yield from inner.leftovers()

    @property
    def name(self) -> str:
        """`spec.slos[0]`."""
        return _name(self.path)

    def _open(self, path: Path, value: dict[str, Any]) -> "Section":
        return self._inner.setdefault(path, Section(self.document, path, value, self.mistakes))

    def _take(self, key: str) -> Any:
        self._read.add(key)
        return self.value.get(key)

    def _span(self, key: str) -> Span:
        return self.document.tree.span((*self.path, key))

    def _wrong(self, key: str, value: Any, wanted: str) -> None:
        if value is not None:
            message = f"{_name((*self.path, key))} is {shown(value)}, it has to be {wanted}"
            self.mistakes.append(Diagnostic("SLO063", self._span(key), message, f"write {wanted}"))


def document_section(document: Document, mistakes: list[Diagnostic] | None = None) -> Section:
    """The document itself, with mistakes of its own unless others are given."""
    return Section(document, (), document.tree.value, [] if mistakes is None else mistakes)


def apart(section: Section) -> Section:
    """The same part of the source with mistakes of its own: they condemn it alone, not what is around it."""
    section.mistakes = []
    return section


_LONGEST_SHOWN = 60


def shown(value: Any) -> str:
    """A value as it is shown in a message."""
    match value:
        case dict():
            text = ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
            text = f"{{{text}}}"
        case list():
            text = ", ".join(map(shown, value))
        case bool():
            text = str(value).lower()
        case float():
            text = f"{value:.15g}"
        case _:
            text = str(value)
    text = " ".join(text.split()) or "empty"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1].rstrip()}…"


def _name(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
