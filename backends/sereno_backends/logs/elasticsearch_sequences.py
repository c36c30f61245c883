"""Sequence numbers in Elasticsearch, by aggregations: no document is fetched."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.elasticsearch_connection import Connection
from sereno_backends.logs.sequences import BLOCK, DEAD_LETTER_STREAM, Block, Place

_PAGE = 5000
"""Buckets an answer; the server's own limit for all of a request is 65,536."""
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ElasticsearchSequences:
    """A `SequenceReader` of all `logs-*` but the dead letters, whoever shipped them.

    Args:
        url: the servers.
        dead_letters: read the dead letters instead.
        environment: where the names of credentials files are (`elasticsearch_settings`).
    """

    def __init__(self, url: str, *, dead_letters: bool = False, environment: Mapping[str, str] = os.environ) -> None:
        self._connection = Connection(url, environment)
        self.name = f"Elasticsearch {self._connection.place}"
        dead = f"{DEAD_LETTER_STREAM}*"
        self._streams = [dead] if dead_letters else ["logs-*", f"-{dead}"]
        # A dead letter's own time is that of its refusal.
        self._time = "sereno.dead_letter.timestamp" if dead_letters else "@timestamp"
        self._fresh = False

    def blocks(self, start: datetime, end: datetime, services: Sequence[str] = ()) -> Iterator[Block]:
        """See `SequenceReader.blocks`; asked hour by hour, so that one answer stays small."""
        self._fresh = False  # a new reconciliation sees what was written until now
        while start < end:
            hour = _EPOCH + (start - _EPOCH) // _HOUR * _HOUR
            yield from self._blocks_of_hour(hour, _window(self._time, start, min(hour + _HOUR, end), services))
            start = hour + _HOUR

    def _blocks_of_hour(self, hour: datetime, conditions: list[dict[str, Any]]) -> Iterator[Block]:
        sources = [
            {"service": {"terms": {"field": "service.name", "missing_bucket": True}}},
            {"source": {"terms": {"field": "service.node.name"}}},
            {"block": {"histogram": {"field": "event.sequence", "interval": BLOCK}}},
        ]
        composite: dict[str, Any] = {"size": _PAGE, "sources": sources}
        figures = {name: {name: {"field": "event.sequence"}} for name in ("sum", "min", "max")}
        while True:
            answer = self._aggregate(conditions, {"blocks": {"composite": composite, "aggs": figures}})
            if not answer:
                return
            for bucket in answer["blocks"]["buckets"]:
                key = bucket["key"]
                total, lowest, highest = (int(bucket[name]["value"]) for name in ("sum", "min", "max"))
                number = int(key["block"]) // BLOCK
                service = key["service"] or ""
                yield Block(service, key["source"], hour, number, bucket["doc_count"], total, lowest, highest)
            if "after_key" not in answer["blocks"]:
                return
            composite["after"] = answer["blocks"]["after_key"]

    def count(self, source: str, lowest: int, highest: int) -> int:
        """See `SequenceReader.count`."""
        answer = self._aggregate(_of(source, lowest, highest), {"count": {"value_count": {"field": "event.sequence"}}})
        return int(answer["count"]["value"]) if answer else 0

    def places(self, source: str, lowest: int, highest: int) -> tuple[Place, ...]:
        """See `SequenceReader.places`."""
        times = {name: {name: {"field": self._time}} for name in ("min", "max")}
        histogram = {"field": "event.sequence", "interval": 1, "min_doc_count": 1}
        answer = self._aggregate(_of(source, lowest, highest), {"numbers": {"histogram": histogram, "aggs": times}})
        return tuple(
            Place(int(each["key"]), each["doc_count"], _moment(each["min"]["value"]), _moment(each["max"]["value"]))
            for each in (answer["numbers"]["buckets"] if answer else ())
        )

    def preceding(self, source: str, sequence: int) -> int | None:
        """See `SequenceReader.preceding`."""
        answer = self._aggregate(_of(source, 1, sequence - 1), {"highest": {"max": {"field": "event.sequence"}}})
        highest = answer["highest"]["value"] if answer else None
        return None if highest is None else int(highest)

    def has_before(self, service: str, moment: datetime) -> bool:
        """See `SequenceReader.has_before`."""
        older = {"range": {self._time: {"lt": format_timestamp(moment)}}}
        answer = self._aggregate(
            [older, {"term": {"service.name": service}}], {"oldest": {"min": {"field": self._time}}}
        )
        return bool(answer) and answer["oldest"]["value"] is not None

    def renew(self) -> None:
        """See `SequenceReader.renew`."""
        self._fresh = False

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _aggregate(self, conditions: list[dict[str, Any]], aggregations: dict[str, Any]) -> Any:
        """The server's aggregations; empty where no stream exists. Nothing partial: a silent shard is a loss."""
        with explained(self.name):
            client = self._connection.client()
            if not self._fresh:
                client.options(ignore_status=[401, 403, 404]).indices.refresh(index=self._streams)
                self._fresh = True
            answer = client.search(
                index=self._streams,
                size=0,
                track_total_hits=False,
                allow_partial_search_results=False,
                query={"bool": {"filter": conditions}},
                aggs=aggregations,
            )
        return answer.get("aggregations", {})


def _window(field: str, start: datetime, end: datetime, services: Sequence[str]) -> list[dict[str, Any]]:
    when = {"range": {field: {"gte": format_timestamp(start), "lt": format_timestamp(end)}}}
    of_services = [{"terms": {"service.name": list(services)}}] if services else []
    return [when, {"range": {"event.sequence": {"gte": 1}}}, *of_services]


def _of(source: str, lowest: int, highest: int) -> list[dict[str, Any]]:
    between = {"gte": lowest, "lte": highest}
    return [{"term": {"service.node.name": source}}, {"range": {"event.sequence": between}}]


def _moment(milliseconds: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
