"""The fast path: an ECS line as Sereno's telemetry writes it goes on as the bytes that it is.

What can be said of a line by its keys and the types of its values is said once for all lines of that shape.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any, Final

import orjson
from sereno_backends.logs.ecs import parse_timestamp
from sereno_backends.logs.stored_documents import fits
from sereno_backends.logs.words import HEAD_UNITS, LONGEST_WORD, message_head, words

from sereno_collectors.logs.model import Document, Format, Origin, OriginKind
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.identity import digest, source_of

LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical"})
MOST_SHAPES = 1_024

_NEEDED = ("@timestamp", "log.level", "message", "service.name", "event.dataset", "service.node.name")
_ADDED = frozenset({"log.file.path", "log.offset", "tags"})
_SECONDS = re.compile(r"[0-5]\d\.\d{3}Z", re.ASCII)
_WORD_SIGNS = frozenset((ascii_letters + digits).encode())
_WORD_BYTES = bytes(byte if byte in _WORD_SIGNS else ord(" ") for byte in bytes(range(256)).lower())
"""For `bytes.translate`: ASCII letters in lower case, digits, and blanks for everything else, as in `words`."""
_LONG_WORD = re.compile(rb"[a-z0-9]{%d}" % (LONGEST_WORD + 1))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done with each line of a shape."""

    added: bytes
    """JSON of the fields that are added, each with its comma before it; the offset comes behind it."""


class CleanLines:
    """Documents of one origin's clean lines."""

    def __init__(self, origin: Origin, enrichment: Enrichment, stream: Callable[[str], str]) -> None:
        self._is_file = origin.kind is OriginKind.FILE
        self._path = origin.path
        self._asked = origin.format in (Format.AUTO, Format.ECS, Format.JSON)
        self._enrichment = enrichment
        self._stream = stream
        self._plans: dict[tuple[object, ...], _Plan | None] = {}
        self._minutes: dict[str, bool] = {}
        self._sources: dict[tuple[object, ...], bytes] = {}

    def document(self, content: bytes, offset: int) -> Document | None:
        """The document of a clean line; None for every other event."""
        if content[:1] != b"{" or not self._asked or b"\n" in content or b"\r" in content:
            return None
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        shape = (*found, *map(type, found.values()))
        plan = self._plans.get(shape, _UNKNOWN)
        if plan is _UNKNOWN:
            plan = self._learn(shape, found)
        # As many names as fields: none is there twice, which Elasticsearch refuses.
        if plan is None or content.count(b'":') != len(found):
            return None
        timestamp, dataset, sequence = found["@timestamp"], found["event.dataset"], found["event.sequence"]
        if found["log.level"] not in LEVELS or not dataset or sequence <= 0 or not self._is_usable(timestamp):
            return None
        service, node = found["service.name"], found["service.node.name"]
        if not service or not node:
            return None
        place = b'%b,"log.offset":%d' % (plan.added, offset) if self._is_file else plan.added
        body = b'%b%b,"sereno":{%b}}' % (content.rstrip()[:-1], place, _own(found["message"]))
        process = (service, node, found.get("process.start"), found.get("process.pid"))
        source = self._sources.get(process) or self._new_source(process)
        return Document(
            digest(source, sequence, content), self._stream(dataset), body, service, node, sequence, timestamp[:13]
        )

    def _learn(self, shape: tuple[object, ...], found: dict[str, Any]) -> _Plan | None:
        if len(self._plans) >= MOST_SHAPES:
            self._plans.clear()
        plan = self._plans[shape] = self._plan(found)
        return plan

    def _plan(self, found: dict[str, Any]) -> _Plan | None:
        types = {type(value) for value in found.values()}
        if not types <= {str, int} or not all(type(found.get(name)) is str for name in _NEEDED):
            return None
        if type(found.get("event.sequence")) is not int or not all(fits(name, value) for name, value in found.items()):
            return None
        if not _ADDED.isdisjoint(found) or any(name.startswith("labels") for name in found):
            return None
        fields: dict[str, Any] = {}
        if self._enrichment.host and "host.name" not in found:
            fields["host.name"] = self._enrichment.host
        if self._enrichment.labels:
            fields["labels"] = dict(self._enrichment.labels)
        if self._enrichment.tags:
            fields["tags"] = list(self._enrichment.tags)
        if self._is_file:
            fields["log.file.path"] = self._path.encode(errors="replace").decode()
        return _Plan(b"," + orjson.dumps(fields)[1:-1] if fields else b"")

    def _is_usable(self, timestamp: str) -> bool:
        """Whether it is written as RFC 3339 in UTC with milliseconds, at a minute that a store keeps."""
        minute = timestamp[:17]
        known = self._minutes.get(minute)
        if known is None:
            if len(self._minutes) >= MOST_SHAPES:
                self._minutes.clear()
            known = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:", minute, re.ASCII) is not None
            known = self._minutes[minute] = known and parse_timestamp(f"{minute}00Z") is not None
        return known and _SECONDS.fullmatch(timestamp, 17) is not None

    def _new_source(self, process: tuple[Any, ...]) -> bytes:
        if len(self._sources) >= MOST_SHAPES:
            self._sources.clear()
        source = self._sources[process] = source_of(*process)
        return source


_UNKNOWN: Any = object()


def _own(message: str) -> bytes:
    """The inside of `sereno`: the message's words, and its head where it is long."""
    if not message.isascii():
        own = b'"words":"%b"' % " ".join(words(message)).encode()
    else:
        text = message.encode().translate(_WORD_BYTES)
        if len(text) > LONGEST_WORD and _LONG_WORD.search(text):
            text = " ".join(words(message)).encode()
        own = b'"words":"%b"' % text
    if len(message) <= HEAD_UNITS // 2 or (head := message_head(message)) == message:
        return own
    return b'%b,"message_head":%b' % (own, orjson.dumps(head))
