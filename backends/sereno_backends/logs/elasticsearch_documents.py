"""A record as an Elasticsearch document and back, and as a line of a bulk request."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from sereno_backends.logs.ecs import format_timestamp, lookup, parse_timestamp, without
from sereno_backends.logs.model import LogRecord, MessageCount
from sereno_backends.logs.storable import Storable
from sereno_backends.logs.words import message_head, words

LONGEST_DATASET = 100
_NOT_IN_DATASET = re.compile(r"[^a-z0-9_.]+")


def stream_name(dataset: str, namespace: str) -> str:
    """The data stream of a dataset: `logs-<dataset>-<namespace>`, with what a name may not hold replaced by `_`.

    >>> stream_name("Payments-API access", "default")
    'logs-payments_api_access-default'
    """
    cleaned = _NOT_IN_DATASET.sub("_", dataset.lower()).strip(".")[:LONGEST_DATASET]
    return f"logs-{cleaned or 'app'}-{namespace}"


def bulk_lines(item: Storable, stream: str) -> bytes:
    """The two lines that create one document; the id makes a second attempt a conflict instead of a copy."""
    action = orjson.dumps({"create": {"_index": stream, "_id": item.record.record_id}})
    return action + b"\n" + orjson.dumps(_source(item)) + b"\n"


def _source(item: Storable) -> dict[str, Any]:
    """The document with the record's fields at their ECS places; what was there before is kept as `sereno.document`."""
    record = item.record
    source = {key: value for key, value in record.document.items() if key.partition(".")[0] != "sereno"}
    changed = len(source) != len(record.document)
    for path, wanted in _ecs_fields(record):
        found = lookup(source, path)
        if found == wanted or (isinstance(wanted, datetime) and parse_timestamp(found) == wanted):
            continue
        changed = True
        source = without(source, path)
        if wanted is not None:
            source[path] = format_timestamp(wanted) if isinstance(wanted, datetime) else wanted
    own: dict[str, Any] = {"words": " ".join(words(record.message))}
    if (head := message_head(record.message)) != record.message:
        own["message_head"] = head
    if changed:
        own["document"] = item.document.decode()
    source["sereno"] = own
    return source


def _ecs_fields(record: LogRecord) -> tuple[tuple[str, datetime | str | None], ...]:
    return (
        ("@timestamp", record.timestamp),
        ("service.name", record.service),
        ("log.level", record.level),
        ("message", record.message),
        ("event.dataset", record.dataset),
        ("trace.id", record.trace_id),
        ("error.type", record.error_type),
        ("event.action", record.action),
    )


def record_of(hit: Mapping[str, Any]) -> LogRecord:
    """The record of a search hit whose first sort value is its formatted timestamp.

    Other shippers' documents are read, too, as far as they keep to ECS.
    """
    source: dict[str, Any] = dict(hit["_source"])
    own = source.pop("sereno", {})
    return LogRecord(
        record_id=hit["_id"],
        timestamp=_moment(hit["sort"][0]),
        service=_text(source, "service.name") or "",
        level=_text(source, "log.level") or "info",
        message=_text(source, "message") or "",
        dataset=_text(source, "event.dataset") or "app",
        trace_id=_text(source, "trace.id"),
        error_type=_text(source, "error.type"),
        action=_text(source, "event.action"),
        document=orjson.loads(own["document"]) if "document" in own else source,
    )


def message_counts(aggregations: Mapping[str, Any]) -> list[MessageCount]:
    """The groups of the aggregation that `elasticsearch_queries.frequent_messages` asks for, in no particular order."""
    return [
        MessageCount(
            message=group["key"],
            level=level["key"],
            count=group["doc_count"],
            first=_moment(_newest(group["first"], "@timestamp")),
            last=_moment(_newest(group["last"], "@timestamp")),
            trace_id=_newest(group["traced"]["newest"], "trace.id"),
            error_type=_newest(group["typed"]["newest"], "error.type"),
        )
        for level in aggregations["levels"]["buckets"]
        for group in level["messages"]["buckets"]
    ]


def _newest(top_hits: Mapping[str, Any], field: str) -> Any:
    hits = top_hits["hits"]["hits"]
    return hits[0]["fields"][field][0] if hits else None


def _text(source: Mapping[str, Any], path: str) -> str | None:
    value = lookup(source, path)
    return value if isinstance(value, str) else None


def _moment(formatted: str) -> datetime:
    moment = parse_timestamp(formatted)
    if moment is None:
        raise ValueError(f"Elasticsearch formatted a timestamp as {formatted!r}")
    return moment
