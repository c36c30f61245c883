"""What is in a parcel; pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from sereno_backends.logs import LogRecord
from sereno_backends.logs.ecs import lookup
from sereno_backends.logs.elasticsearch_documents import record_of

from sereno_collectors.logs.model import Parcel


_ADDED = ("host.name", "labels", "log.file.path", "log.offset", "tags")
"""What the collector itself adds to documents; it belongs to the original document, too, where that one is kept."""


class Queued(NamedTuple):
    """One document of a parcel."""

    record_id: str
    lines: bytes
    """Its two lines of the parcel, with their ends."""
    record: LogRecord


def contents(parcels: Sequence[Parcel]) -> list[list[Queued]]:
    """The documents of each parcel, in their order."""
    return [_documents(parcel.body) for parcel in parcels]


def rest_of(documents: Sequence[Queued], wanted: Collection[str]) -> bytes:
    """The lines of those documents that are to be sent again."""
    return b"".join(one.lines for one in documents if one.record_id in wanted)


def _documents(body: bytes) -> list[Queued]:
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
