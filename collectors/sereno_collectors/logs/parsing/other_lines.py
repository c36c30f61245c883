"""The careful path: events that are no clean ECS lines."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import PurePath
from typing import Any

import orjson
from sereno_backends.logs import LogRecord
from sereno_backends.logs.ecs import format_timestamp, lookup, parse_timestamp
from sereno_backends.logs.stored_documents import stored_source

from sereno_collectors.logs.model import Document, Origin, OriginKind
from sereno_collectors.logs.parsing.caches import Streams
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.formats import ReadingContext, Recognised, recognise_object, recognise_text
from sereno_collectors.logs.parsing.formats.json_lines import json_object, json_text
from sereno_collectors.logs.parsing.formats.levels import LEVELS
from sereno_collectors.logs.parsing.identity import record_id

DEFAULT_DATASET = "app"
DEFAULT_LEVEL = "info"


class OtherLines:
    """Documents of one origin's events, whatever they hold."""

    def __init__(self, origin: Origin, enrichment: Enrichment, streams: Streams, zone: tzinfo = UTC) -> None:
        self._origin = origin
        self._enrichment = enrichment
        self._streams = streams
        self._zone = zone
        self._path = origin.path.encode(errors="replace").decode()
        self._service = origin.service or (_service_of(self._path) if origin.kind is OriginKind.FILE else "unknown")

    def document(self, content: bytes, offset: int, read_at: datetime) -> tuple[Document, tuple[Flaw, ...]]:
        """The document of an event, and what was wrong with the event."""
        found = json_object(content)
        context = ReadingContext(read_at, self._zone)
        said, flaws = self._text(content, context) if found is None else self._object(found, context)
        fields, timestamp = said.fields, said.timestamp
        record = LogRecord(
            record_id=record_id(self._origin.identity, offset, content, found),
            timestamp=timestamp or read_at,
            service=_text(fields, "service.name") or self._service,
            level=_level(fields),
            message=_message(fields, content),
            dataset=_text(fields, "event.dataset") or self._origin.dataset or DEFAULT_DATASET,
            trace_id=_text(fields, "trace.id"),
            error_type=_text(fields, "error.type"),
            action=_text(fields, "event.action"),
            document=fields,
        )
        original = None if found is None else json_text(found, otherwise=content.decode(errors="replace"))
        source = stored_source(record, original, changed=fields is not found)
        self._enrich(source, offset, flaws)
        node, sequence = lookup(fields, "service.node.name"), lookup(fields, "event.sequence")
        numbered = isinstance(node, str) and type(sequence) is int and sequence > 0
        document = Document(
            record.record_id,
            self._streams[record.dataset],
            orjson.dumps(source),
            record.service,
            node if numbered else "",
            sequence if numbered else 0,
            format_timestamp(record.timestamp)[:13],
        )
        return document, flaws

    def _object(self, found: Mapping[str, Any], context: ReadingContext) -> tuple[Recognised, tuple[Flaw, ...]]:
        said = recognise_object(found, self._origin.format, context)
        if said is None:
            said = Recognised(found, parse_timestamp(lookup(found, "@timestamp")))
        return said, () if said.timestamp is not None else (Flaw.TIMESTAMP,)

    def _text(self, content: bytes, context: ReadingContext) -> tuple[Recognised, tuple[Flaw, ...]]:
        text = content.decode(errors="replace")
        said = recognise_text(text, self._origin.format, context)
        if said is not None:
            return said, () if said.timestamp is not None else (Flaw.TIMESTAMP,)
        return Recognised({"message": text}), (Flaw.NOT_JSON,)

    def _enrich(self, source: dict[str, Any], offset: int, flaws: tuple[Flaw, ...]) -> None:
        added: dict[str, Any] = {"host.name": self._enrichment.host}
        if self._origin.kind is OriginKind.FILE:
            added |= {"log.file.path": self._path, "log.offset": offset}
        for path, value in added.items():
            if value is not None and lookup(source, path) is None:
                source[path] = value
        tags = (*self._enrichment.tags, *(flaw.value for flaw in flaws))
        if tags:
            own = source.get("tags")
            source["tags"] = [*(own if isinstance(own, list) else [] if own is None else [own]), *tags]
        if self._enrichment.labels:
            source["labels"] = {**self._enrichment.labels, **(source.get("labels") or {})}


def _service_of(path: str) -> str:
    """The name of the file up to its first dot: `logs/checkout.log.1` is of checkout."""
    return PurePath(path).name.partition(".")[0] or "unknown"


def _text(document: Mapping[str, Any], path: str) -> str | None:
    value = lookup(document, path)
    return value if isinstance(value, str) and value else None


def _level(document: Mapping[str, Any]) -> str:
    level = (_text(document, "log.level") or DEFAULT_LEVEL).lower()
    return LEVELS.get(level, level)


def _message(document: Mapping[str, Any], content: bytes) -> str:
    message = lookup(document, "message")
    if isinstance(message, str):
        return message
    line = content.decode(errors="replace")
    return line if message is None else json_text(message, otherwise=line)
