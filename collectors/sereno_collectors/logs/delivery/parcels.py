"""What is in a parcel; pure."""

from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from sereno_backends.logs import LogRecord
from sereno_backends.logs.ecs import lookup
from sereno_backends.logs.elasticsearch_documents import record_of

_ADDED = ("host.name", "labels", "log.file.path", "log.offset", "tags")
"""What the collector itself adds to documents; it belongs to the original document, too, where that one is kept."""


class Queued(NamedTuple):
    """One document of a parcel."""

    record_id: str
    lines: bytes
    """Its two lines of the parcel, with their ends."""
    record: LogRecord

    @property
    def stream(self) -> str:
        """The data stream that it is meant for."""
        found: str = orjson.loads(self.lines.split(b"\n", 1)[0])["create"]["_index"]
        return found

    @property
    def body(self) -> bytes:
        """The second line, without its end."""
        return self.lines.split(b"\n", 2)[1]


def documents_of(body: bytes) -> list[Queued]:
    """The documents of a parcel, in their order."""
    lines = body.split(b"\n")
    return [
        _queued(action, document, b"%b\n%b\n" % (action, document))
        for action, document in zip(lines[0:-1:2], lines[1::2], strict=True)
    ]


def _queued(action: bytes, document: bytes, lines: bytes) -> Queued:
    record_id: str = orjson.loads(action)["create"]["_id"]
    source: dict[str, Any] = orjson.loads(document)
    added = {name: source[name] for name in _ADDED if name in source}
    record = record_of({"_id": record_id, "_source": source, "sort": [lookup(source, "@timestamp")]})
    return Queued(record_id, lines, replace(record, document={**record.document, **added}))
