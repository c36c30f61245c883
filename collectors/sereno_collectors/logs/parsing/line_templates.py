"""The fastest path: a line that differs from those before it in nothing but some values is known without reading JSON.

A process writes the same few shapes of lines again and again. Of a shape that was read often enough a regular
expression is made: what was the same in all of its lines stands there as it is, what changed is matched by its type.
Whatever matches would have been read as the same document; everything else goes the way that it went before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sereno_backends.logs.stored_documents import MOST_LABEL_CHARACTERS

from sereno_collectors.logs.model import Document
from sereno_collectors.logs.parsing.caches import MOST_ENTRIES, Hours, Streams
from sereno_collectors.logs.parsing.document_ends import (
    BEFORE_WORDS,
    END,
    PLAIN_WORD_BYTES,
    SHORT,
    SPECIAL,
    end_of,
    has_long_word,
    words_of,
)
from sereno_collectors.logs.parsing.identity import id_of_numbered, id_of_place

LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical"})
LINES_TO_LEARN = 200
"""Making an expression takes as long as reading so many lines."""
MOST_TEMPLATES = 4
"""Of one origin; the one that matched last is tried first."""
MOST_STUDIES = 64
MOST_BUILDS = 8
"""Of one shape: values that still change after that are not worth it."""

_BACKSLASH = ord("\\")
_TEXT = rb"[ !#-\[\]-~]"
"""A printable sign of ASCII that is itself in JSON."""
_PATTERNS: Final[Mapping[str, bytes]] = {
    "@timestamp": rb'"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d)\.\d\d\dZ"',
    "log.level": b'"(?:%b)"' % "|".join(sorted(LEVELS)).encode(),
    "message": rb'"(?P<message>[^"]*+)"',
}
_NAMES = {"service.name": b"service", "service.node.name": b"node", "event.dataset": b"dataset"}
_NUMBER = rb"(?P<number>[1-9]\d{0,17})"
_OF_TYPES: Final[Mapping[type, bytes]] = {
    str: b'"%b*+"' % _TEXT,
    int: rb"-?(?:0|[1-9]\d{0,17})",
    bool: rb"(?:true|false)",
}

_make: Any = tuple.__new__


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What templates of one origin need to make documents."""

    identity: bytes
    """Of the origin."""
    is_file: bool
    streams: Streams
    hours: Hours
    labels_at: bytes
    """Where labels begin in a line; empty where none are added."""
    labels: bytes
    """The same with those that are added."""


class _Seconds(dict[bytes, str]):
    """The hour of each second, both as they stand in lines."""

    def __init__(self, hours: Hours) -> None:
        super().__init__()
        self._hours = hours

    def __missing__(self, second: bytes) -> str:
        if len(self) >= MOST_ENTRIES:
            self.clear()
        hour = self[second] = self._hours[second.decode()]
        return hour


class Template:
    """What all lines of a shape have in common.

    Args:
        found: the values of one of the lines.
        varying: the names of those that are not the same in all lines.
        added: JSON of the fields that are added, up to the offset.
        surroundings: what else a document is made of.
    """

    def __init__(self, found: Mapping[str, Any], varying: set[str], added: bytes, surroundings: Surroundings) -> None:
        fields = (orjson.dumps(name) + b":" for name in found)
        values = (_pattern(name, value, varying) for name, value in found.items())
        pairs = (re.escape(name) + value for name, value in zip(fields, values, strict=True))
        expression = re.compile(rb"\{%b\}" % b",".join(pairs))
        groups = expression.groupindex
        self.fullmatch = expression.fullmatch
        self._numbered = groups.get("number", 0)
        self._groups = (groups["second"], groups["message"], self._numbered)
        self._identities = tuple(groups.get(group.decode(), 0) for group in _NAMES.values())
        self._has_labels = "labels" in found
        service, node, dataset = (found.get(name, "") for name in _NAMES)
        self._is_one_process = not any(self._identities)
        self._known = (surroundings.streams[dataset], service, node if self._numbered else "")
        self._added = added
        self._surroundings = surroundings
        self._labels_at = surroundings.labels_at if self._has_labels else b""
        self._seconds = _Seconds(surroundings.hours)

    def document(self, match: re.Match[bytes], content: bytes, offset: int) -> Document | None:
        """The document of a line that matched; None where it has to be read."""
        second, message, number = match.group(*self._groups)
        words, hour = message.translate(PLAIN_WORD_BYTES), self._seconds[second]
        if SPECIAL in words or not hour or (self._has_labels and len(content) > MOST_LABEL_CHARACTERS):
            return None
        if has_long_word(words):
            words = words_of(message.decode())
        around = self._surroundings
        stream, service, node = self._known if self._is_one_process else self._named(match)
        if self._numbered:
            sequence, record_id = int(number), id_of_numbered(content)
        else:
            sequence, record_id = 0, id_of_place(around.identity, offset, content)
        line = content.replace(self._labels_at, around.labels, 1) if self._labels_at else content
        place = b"%d" % offset if around.is_file else b""
        end = END if len(message) <= SHORT else end_of(message.decode())
        body = b"".join((line[:-1], self._added, place, BEFORE_WORDS, words, end))
        document: Document = _make(Document, (record_id, stream, body, service, node, sequence, hour))
        return document

    def _named(self, match: re.Match[bytes]) -> tuple[str, str, str]:
        """Stream, service and node, where not all of them are the same in all lines."""
        stream, service, node = self._known
        of_service, of_node, of_dataset = self._identities
        if of_service:
            service = match[of_service].decode()
        if of_node and self._numbered:
            node = match[of_node].decode()
        if of_dataset:
            stream = self._surroundings.streams[match[of_dataset].decode()]
        return stream, service, node


def _pattern(name: str, value: Any, varying: set[str]) -> bytes:
    if name in _PATTERNS:
        return _PATTERNS[name]
    if name == "event.sequence":
        return _NUMBER
    if name == "labels":
        labels = (b'%b:"%b*+"' % (re.escape(orjson.dumps(label)), _TEXT) for label in value)
        return rb"\{%b\}" % b",".join(labels)
    if name not in varying:
        return re.escape(orjson.dumps(value))
    if name in _NAMES:
        return b'"(?P<%b>%b++)"' % (_NAMES[name], _TEXT)
    return _OF_TYPES[type(value)]


@dataclass(slots=True)
class _Study:
    """What is known of the lines of a shape."""

    first: dict[str, Any]
    added: bytes
    varying: set[str] = field(default_factory=set)
    lines: int = 0
    """Read since the last template was made."""
    builds: int = 0
    template: Template | None = None


class LineTemplates:
    """The templates of one origin's lines."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._templates: list[Template] = []
        self._studies: dict[tuple[str, ...], _Study] = {}

    def document(self, content: bytes, offset: int) -> Document | None:
        """The document of a line that a template knows; None for all others."""
        if not self._templates or _BACKSLASH in content:
            return None
        for place, template in enumerate(self._templates):
            match = template.fullmatch(content)
            if match is not None:
                if place:
                    self._templates.insert(0, self._templates.pop(place))
                return template.document(match, content, offset)
        return None

    def learn(self, content: bytes, found: dict[str, Any], added: bytes) -> None:
        """See a clean line that had to be read."""
        if _BACKSLASH in content or not content.isascii() or "tags" in found:
            return
        names = tuple(found)
        study = self._studies.get(names)
        if study is None:
            if len(self._studies) >= MOST_STUDIES:
                self._studies.clear()
            study = self._studies[names] = _Study(found, added)
        if study.builds >= MOST_BUILDS:
            return
        study.varying.update(name for name, value in found.items() if value != study.first[name])
        study.lines += 1
        if study.lines >= LINES_TO_LEARN:
            study.lines, study.builds = 0, study.builds + 1
            self._build(study)

    def _build(self, study: _Study) -> None:
        if study.template in self._templates:
            self._templates.remove(study.template)
        study.template = Template(study.first, study.varying, study.added, self._surroundings)
        self._templates = [study.template, *self._templates[: MOST_TEMPLATES - 1]]
