"""Questions to a log store in Elasticsearch's words; pure."""

from typing import Any

from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.model import LogQuery
from sereno_backends.logs.words import words

# Nanoseconds on both sides: other shippers' streams map the field as a `date` in milliseconds.
NEWEST_FIRST: list[dict[str, Any]] = [
    {
        "@timestamp": {
            "order": "desc",
            "numeric_type": "date_nanos",
            "unmapped_type": "date_nanos",
            "format": "strict_date_optional_time_nanos",
        }
    },
    {"_seq_no": {"order": "desc"}},  # the order of writing
]
_OLDEST_FIRST = [{"@timestamp": {**NEWEST_FIRST[0]["@timestamp"], "order": "asc"}}]

# Every shard's candidates: counts are exact unless one shard holds more different messages than these in a window.
SHARD_CANDIDATES = 10_000
DIFFERENT_LEVELS = 50


def conditions(query: LogQuery) -> dict[str, Any]:
    """The Elasticsearch query of a `LogQuery`."""
    window = {"gte": format_timestamp(query.start), "lt": format_timestamp(query.end)}
    filters: list[dict[str, Any]] = [{"range": {"@timestamp": window}}]
    for field, wanted in (
        ("service.name", query.services),
        ("log.level", query.levels),
        ("event.action", query.actions),
    ):
        if wanted:
            filters.append({"terms": {field: list(wanted)}})
    if query.trace_id is not None:
        filters.append({"term": {"trace.id": query.trace_id}})
    if query.source is not None:
        filters.append({"term": {"service.node.name": query.source}})
    if query.sequences is not None:
        first, last = query.sequences
        filters.append({"range": {"event.sequence": {"gte": first, "lte": last}}})
    if asked := " ".join(words(query.text or "")):
        filters.append(_has_words(asked))
    return {"bool": {"filter": filters}}


def _has_words(asked: str) -> dict[str, Any]:
    """All words, in the words that our writer found; other shippers' messages by Elasticsearch's own analysis."""
    every = {"query": asked, "operator": "and"}
    foreign = {
        "bool": {
            "must_not": [{"exists": {"field": "sereno.words"}}],
            "must": [{"match": {"message": every}}],
        }
    }
    return {"bool": {"should": [{"match": {"sereno.words": every}}, foreign], "minimum_should_match": 1}}


def frequent_messages(query: LogQuery) -> dict[str, Any]:
    """The aggregation of the most frequent messages of each level; the most frequent of all are among them."""
    newest = {"size": 1, "_source": False, "sort": NEWEST_FIRST}
    groups = {
        "terms": {"field": "sereno.message_head", "size": query.limit, "shard_size": SHARD_CANDIDATES + query.limit},
        "aggs": {
            "first": {"top_hits": {**newest, "sort": _OLDEST_FIRST, "docvalue_fields": [_formatted("@timestamp")]}},
            "last": {"top_hits": {**newest, "docvalue_fields": [_formatted("@timestamp")]}},
            "traced": _newest_with("trace.id", newest),
            "typed": _newest_with("error.type", newest),
        },
    }
    return {"levels": {"terms": {"field": "log.level", "size": DIFFERENT_LEVELS}, "aggs": {"messages": groups}}}


def _newest_with(field: str, newest: dict[str, Any]) -> dict[str, Any]:
    top = {"top_hits": {**newest, "docvalue_fields": [field]}}
    return {"filter": {"exists": {"field": field}}, "aggs": {"newest": top}}


def _formatted(field: str) -> dict[str, str]:
    return {"field": field, "format": "strict_date_optional_time_nanos"}
