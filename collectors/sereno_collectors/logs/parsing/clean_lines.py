"""The fast path: an ECS line as Sereno's telemetry writes it goes on as the bytes that it is.

What can be said of a line by its keys and the types of its values is said once for all lines of that shape.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sereno_backends.logs.stored_documents import MOST_LABEL_CHARACTERS, fits

from sereno_collectors.logs.model import Document, Format, Origin, OriginKind
from sereno_collectors.logs.parsing.caches import MOST_ENTRIES, Hours, Streams
from sereno_collectors.logs.parsing.document_ends import BEFORE_WORDS, end_of, words_of
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.identity import id_of_numbered, id_of_place
from sereno_collectors.logs.parsing.line_templates import LEVELS, LineTemplates, Surroundings

_TEXTS = frozenset({"@timestamp", "log.level", "message", "service.name", "event.dataset"})
_TEXTS_IF_THERE = frozenset({"service.node.name", "trace.id", "error.type", "event.action"})
_PLACE = frozenset({"log.file.path", "log.offset"})
_LABELS_BEGIN = b'"labels":{'
_LINE_FEED = ord("\n")  # bytes look for a number faster than for a byte
_FRACTIONS = frozenset(f".{number:03d}Z" for number in range(1000))
_make: Any = tuple.__new__
"""A named tuple from a tuple, in a quarter of the time that its own constructor takes."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done with each line of a shape."""

    types: list[type]
    quotes: int
    """How many there are in such a line, those in labels and tags apart, where no text holds one and no name is there
    twice: Elasticsearch refuses a document with a name that is."""
    is_numbered: bool
    has_more: bool
    """There are labels or tags."""
    added: bytes
    """JSON of the fields that are added, each with its comma before it, up to the offset."""


class CleanLines:
    """Documents of one origin's clean lines."""

    def __init__(self, origin: Origin, enrichment: Enrichment, streams: Streams, hours: Hours) -> None:
        self._is_file = origin.kind is OriginKind.FILE
        self._identity = origin.identity.encode(errors="surrogatepass")
        self._path = origin.path.encode(errors="replace").decode()
        self._asked = origin.format in (Format.AUTO, Format.ECS, Format.JSON)
        self._enrichment = enrichment
        self._labels = orjson.dumps(dict(enrichment.labels))[1:-1]
        self._streams = streams
        self._hours = hours
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._shapes: dict[tuple[object, ...], _Plan | None] = {}
        self._label_names: set[tuple[str, ...]] = set()
        labels_at = _LABELS_BEGIN if self._labels else b""
        with_labels = b"%b%b," % (_LABELS_BEGIN, self._labels) if self._labels else b""
        self._templates = LineTemplates(
            Surroundings(self._identity, self._is_file, streams, hours, labels_at, with_labels)
        )

    def document(self, content: bytes, offset: int) -> Document | None:
        """The document of a clean line; None for every other event."""
        return self._templates.document(content, offset) or self._read(content, offset)

    def _read(self, content: bytes, offset: int) -> Document | None:
        if content[-1:] != b"}" or _LINE_FEED in content:
            return None
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        plan = self._plans.get(tuple(found))
        if plan is None or plan.types != [*map(type, found.values())]:
            plan = self._learn(found)
        if plan is None:
            return None
        quotes = plan.quotes + _quotes_within(found) if plan.has_more else plan.quotes
        if content.count(b'"') != quotes and not _are_in_texts(content, quotes, found):
            return None
        line = self._labelled(content, found) if plan.has_more else content
        timestamp, dataset, service = found["@timestamp"], found["event.dataset"], found["service.name"]
        hour = self._hours[timestamp[:19]]
        if plan.is_numbered:
            node, sequence, record_id = found["service.node.name"], found["event.sequence"], id_of_numbered(content)
            known = node and sequence > 0
        else:
            node, sequence, record_id = "", 0, id_of_place(self._identity, offset, content)
            known = True
        if not (line and known and hour and dataset and service) or (
            timestamp[19:] not in _FRACTIONS or found["log.level"] not in LEVELS
        ):
            return None
        place = b"%d" % offset if self._is_file else b""
        message = found["message"]
        body = b"".join((line[:-1], plan.added, place, BEFORE_WORDS, words_of(message), end_of(message)))
        self._templates.learn(content, found, plan.added)
        document: Document = _make(Document, (record_id, self._streams[dataset], body, service, node, sequence, hour))
        return document

    def _learn(self, found: dict[str, Any]) -> _Plan | None:
        """The plan for lines of this one's names and types; it becomes the one of its names."""
        names = tuple(found)
        shape = (names, *map(type, found.values()))
        if len(self._shapes) >= MOST_ENTRIES:
            self._shapes.clear()
            self._plans.clear()
        plan = self._shapes[shape] if shape in self._shapes else self._plan(found)
        self._shapes[shape] = plan
        if plan is not None:
            self._plans[names] = plan
        return plan

    def _plan(self, found: dict[str, Any]) -> _Plan | None:
        fields = self._added(found) if self._asked else None
        types = {name: type(value) for name, value in found.items() if name not in ("labels", "tags")}
        is_numbered = types.get("event.sequence") is int and types.get("service.node.name") is str
        texts = (*_TEXTS, *(name for name in _TEXTS_IF_THERE if name in found))
        if (
            fields is None
            or not {str, int, bool}.issuperset(types.values())
            or not all(types.get(name) is str for name in texts)
            or not all(fits(name, found[name]) for name in types)
            or ("event.sequence" in types and not is_numbered)
        ):
            return None
        added = b"," + orjson.dumps(fields)[1:-1] if fields else b""
        return _Plan(
            [*map(type, found.values())],
            2 * len(found) + 2 * list(types.values()).count(str),
            is_numbered,
            len(types) != len(found),
            added + b',"log.offset":' if self._is_file else added,
        )

    def _added(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """The fields that are added behind a line; None where they can't be."""
        enrichment = self._enrichment
        names = {"labels": dict, "tags": list}
        if (
            not _PLACE.isdisjoint(found)
            or any(name in found and type(found[name]) is not wanted for name, wanted in names.items())
            or any(name.startswith(("labels.", "tags.")) for name in found)
            or (enrichment.tags and "tags" in found)
        ):
            return None
        fields: dict[str, Any] = {}
        if enrichment.host and "host.name" not in found:
            fields["host.name"] = enrichment.host
        if enrichment.labels and "labels" not in found:
            fields["labels"] = dict(enrichment.labels)
        if enrichment.tags:
            fields["tags"] = list(enrichment.tags)
        if self._is_file:
            fields["log.file.path"] = self._path
        return fields

    def _labelled(self, content: bytes, found: dict[str, Any]) -> bytes | None:
        """The line with the collector's labels among its own; None where that or its labels and tags are not plain."""
        labels = found.get("labels")
        try:
            most = len("".join(labels.values())) if labels else 0
            "".join(found.get("tags", ()))
        except TypeError:
            return None
        if labels is None:
            return content
        names = tuple(labels)
        if names not in self._label_names:
            if not fits("labels", dict.fromkeys(names, "")) or not self._enrichment.labels.keys().isdisjoint(names):
                return None
            if len(self._label_names) >= MOST_ENTRIES:
                self._label_names.clear()
            self._label_names.add(names)
        if most > MOST_LABEL_CHARACTERS:
            return None
        if not self._labels:
            return content
        line = content.replace(_LABELS_BEGIN, b"%b%b," % (_LABELS_BEGIN, self._labels), 1)
        return line if labels and line is not content else None


def _quotes_within(found: dict[str, Any]) -> int:
    """How many quotes labels and tags have, where each is a text without any."""
    return 4 * len(found.get("labels", ())) + 2 * len(found.get("tags", ()))


def _are_in_texts(content: bytes, quotes: int, found: dict[str, Any]) -> bool:
    """Whether quotes that are there beyond those expected are all within the texts."""
    within = sum(value.count('"') for value in found.values() if type(value) is str)
    return content.count(b'"') == quotes + within and b"\\u0022" not in content
