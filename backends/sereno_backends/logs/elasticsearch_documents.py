"""A record as an Elasticsearch document and back, and as a line of a bulk request."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from sereno_backends.logs.ecs import lookup, parse_timestamp
from sereno_backends.logs.model import LogRecord, MessageCount
from sereno_backends.logs.sequences import DEAD_LETTER_STREAM
from sereno_backends.logs.storable import Storable
from sereno_backends.logs.stored_documents import stored_source

LONGEST_DATASET = 100
_NOT_IN_DATASET = re.compile(r"[^a-z0-9_.]+")


def stream_name(dataset: str, namespace: str) -> str:
    """The data stream of a dataset: `logs-<dataset>-<namespace>`, with what a name may not hold replaced by `_`.

    >>> stream_name("Payments-API access", "default")
    'logs-payments_api_access-default'
    """
    return f"logs-{dataset_in_stream(dataset)}-{namespace}"


def dataset_in_stream(dataset: str) -> str:
    """How the stream's name names a dataset: by this, retentions are looked up."""
    cleaned = _NOT_IN_DATASET.sub("_", dataset.lower()).strip(".")[:LONGEST_DATASET]
    if f"logs-{cleaned}-" == DEAD_LETTER_STREAM:  # nobody's own logs may be taken for what the store refused
        cleaned = cleaned.replace(".", "_")
    return cleaned or "app"


def bulk_lines(item: Storable, stream: str) -> bytes:
    """The two lines that create one document; the id makes a second attempt a conflict instead of a copy."""
    action = orjson.dumps({"create": {"_index": stream, "_id": item.record.record_id}})
    return action + b"\n" + orjson.dumps(stored_source(item.record, item.document.decode())) + b"\n"


def record_of(hit: Mapping[str, Any]) -> LogRecord:
    """The record of a search hit whose first sort value is its formatted timestamp.

    Other shippers' documents are read, too, as far as they keep to ECS.
    """
    source: dict[str, Any] = dict(hit["_source"])
    own = source.pop("sereno", {})
    if "dead_letter" in own:  # what it tells is the document
        source["sereno"] = {"dead_letter": own["dead_letter"]}
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
