"""The log store for scale: Elasticsearch data streams `logs-<dataset>-<namespace>`, by the official client."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from sereno_backends.logs import elasticsearch_queries as queries
from sereno_backends.logs.elasticsearch_bulk import LARGEST_REQUEST, BulkAnswer, BulkWriter
from sereno_backends.logs.elasticsearch_client import FORBIDDEN, explained
from sereno_backends.logs.elasticsearch_connection import REQUEST_SECONDS, Connection
from sereno_backends.logs.elasticsearch_documents import bulk_lines, message_counts, record_of, stream_name
from sereno_backends.logs.elasticsearch_template import TEMPLATE_VERSION, index_template
from sereno_backends.logs.model import (
    LogQuery,
    LogRecord,
    LogStoreError,
    LogStoreRefused,
    LogStoreUnreachable,
    MessageCount,
    Rejection,
    WriteResult,
)
from sereno_backends.logs.sequences import DEAD_LETTER_STREAM
from sereno_backends.logs.storable import sort_out
from sereno_backends.logs.trouble import Trouble, WaitReason

BULK_BYTES = 5_000_000
"""Size at which a bulk request is sent; servers and proxies refuse requests that are much larger."""
PAGE = 5_000
"""Records per search request; the server refuses more than 10,000."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One document of a bulk request."""

    record_id: str
    content: bytes


class ElasticsearchLogStore:
    """A log store in Elasticsearch 8.

    Args:
        client_or_url: a client of one's own, or the servers' addresses (credentials: see `Connection`).
        namespace: the last part of the data streams' names; reading sees the streams `logs-*-<namespace>` only.
        page: records per search request.
        dead_letters: read what the server refused instead; other readers never see that.
        request_seconds: how long an answer is waited for.

    A record is written with its id by `create`, so that writing it again is a duplicate, not a copy. Elasticsearch
    checks that within the stream's newest index: a record written again after a rollover is stored again.
    Searching refreshes the streams first: what was written is found.
    """

    def __init__(
        self,
        client_or_url: Elasticsearch | str,
        namespace: str = "default",
        *,
        page: int = PAGE,
        dead_letters: bool = False,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        if isinstance(client_or_url, str):
            connection = Connection(client_or_url, os.environ, request_seconds=request_seconds)
            self._current, renew, place = connection.client, connection.renew, connection.place
            compress = connection.compress
        else:
            # The caller decides about retrying: the client's own retries would hide a server that is down.
            own = client_or_url.options(request_timeout=request_seconds, max_retries=0, retry_on_timeout=False)
            self._current, renew, compress = lambda: own, lambda: False, False
            place = ", ".join(node.base_url for node in own.transport.node_pool.all())
        self._namespace = namespace
        self._place = place
        self._page = page
        self._dead_letters = f"{DEAD_LETTER_STREAM}{namespace}"
        # With the asterisk: the server leaves a data stream out by a pattern, not by its bare name.
        others = [f"logs-*-{namespace}", f"-{self._dead_letters}*"]
        self._streams = [self._dead_letters] if dead_letters else others
        self._prepared: set[str] = set()
        self._closed = False
        self._bulk = BulkWriter(self._current, self.name, renew=renew, compress=compress)

    @property
    def _client(self) -> Elasticsearch:
        return self._current()

    @property
    def name(self) -> str:
        """Kind, address without credentials, data streams."""
        return f"Elasticsearch {self._place} ({self._streams[0]})"

    @property
    def namespace(self) -> str:
        """The last part of its data streams' names."""
        return self._namespace

    @property
    def dead_letters(self) -> str:
        """The data stream of what was refused for good."""
        return self._dead_letters

    def write(self, records: Sequence[LogRecord]) -> WriteResult:
        """Store the records; see `LogStore.write`.

        Raises:
            LogStoreUnreachable: no answer, or a document's answer was "not now" (429, 503, a write block); some of the
                records may be stored, writing all of them again is right and stores none twice.
        """
        storable, rejections = sort_out(records)
        lines: list[_Line] = []
        results = [WriteResult(0, 0, rejections)]
        try:
            with self._asking():
                for item in storable:
                    stream = stream_name(item.record.dataset, self._namespace)
                    self._prepare(stream)
                    lines.append(_Line(item.record.record_id, bulk_lines(item, stream)))
                results.extend(self._create(chunk) for chunk in _chunks(lines))
        except LogStoreError:
            self._prepared.clear()  # the server that comes back may be one with nothing in it
            raise
        return WriteResult(
            sum(result.indexed for result in results),
            sum(result.duplicates for result in results),
            tuple(rejection for result in results for rejection in result.rejections),
        )

    def create_lines(
        self,
        body: bytes,
        documents: int,
        streams: Collection[str],
        *,
        most: int = LARGEST_REQUEST,
        compressed: bytes = b"",
    ) -> BulkAnswer:
        """Create documents that are ready lines of the bulk format; never raises for what a server does.

        Args:
            body: `create` actions and documents.
            documents: how many these are.
            streams: the data streams that they name.
            most: how many may go in one request.
            compressed: the body as gzip, where somebody has it already: it is sent in the body's place.
        """
        try:
            with self._asking():
                for stream in streams:
                    self._prepare(stream)
        except LogStoreError as error:
            self._prepared.clear()
            unreachable = isinstance(error, LogStoreUnreachable)
            trouble = Trouble(WaitReason.UNREACHABLE if unreachable else WaitReason.UNPREPARED, str(error))
            return BulkAnswer(documents, waiting=tuple(range(documents)), trouble=trouble)
        answer = self._bulk.create(body, documents, most=most, compressed=compressed)
        if answer.trouble is not None:
            self._prepared.clear()  # the server that comes back may be one with nothing in it
        return answer

    def stored_ids(self, stream: str, ids: Sequence[str]) -> set[str]:
        """Which of the ids any index of the stream has, those before a rollover included.

        Raises:
            LogStoreError: the server can't say.
        """
        with self._asking():
            self._client.indices.refresh(index=stream, ignore_unavailable=True)
            found = self._client.search(
                index=stream,
                query={"ids": {"values": list(ids)}},
                size=len(ids),
                source=False,
                ignore_unavailable=True,
                allow_partial_search_results=False,
            )
        return {hit["_id"] for hit in found["hits"]["hits"]}

    def search(self, query: LogQuery) -> tuple[LogRecord, ...]:
        """See `LogStore.search`; records of one timestamp come in the order of their writing."""
        with self._asking():
            self._refresh()
            newest = [record_of(hit) for hit in self._hits(query)]
        return tuple(reversed(newest))

    def count(self, query: LogQuery) -> int:
        """See `LogStore.count`."""
        with self._asking():
            self._refresh()
            answer = self._client.count(index=self._streams, ignore_unavailable=True, query=queries.conditions(query))
        return int(answer["count"])

    def top_messages(self, query: LogQuery) -> tuple[MessageCount, ...]:
        """See `LogStore.top_messages`; messages are told apart by their first 1,024 characters and their level."""
        if query.limit <= 0:
            return ()
        with self._asking():
            self._refresh()
            answer = self._client.search(
                index=self._streams,
                ignore_unavailable=True,
                size=0,
                track_total_hits=False,
                query=queries.conditions(query),
                aggs=queries.frequent_messages(query),
            )
        if "aggregations" not in answer:  # no stream exists yet
            return ()
        counts = message_counts(answer["aggregations"])
        return tuple(sorted(counts, key=lambda one: (-one.count, one.message, one.level))[: query.limit])

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._client.close()

    def _asking(self) -> Any:
        if self._closed:
            raise LogStoreError(f"{self.name} is closed")
        return explained(self.name)

    def _prepare(self, stream: str) -> None:
        """Install the stream's index template when the server has none, or an older one."""
        if stream in self._prepared:
            return
        name = f"sereno-{stream}"
        try:
            found = self._client.indices.get_index_template(name=name)
            version = found["index_templates"][0]["index_template"].get("version", 0)
        except NotFoundError:
            version = 0
        if version < TEMPLATE_VERSION:
            self._client.indices.put_index_template(name=name, **index_template(stream))
        self._prepared.add(stream)

    def _create(self, chunk: Sequence[_Line]) -> WriteResult:
        """Send one bulk request; where the server finds it too large, its parts."""
        answer = self._bulk.create(b"".join(line.content for line in chunk), len(chunk))
        if answer.trouble is not None:
            raise _error_of(answer.trouble)
        rejections = (Rejection(chunk[refusal.position].record_id, refusal.reason) for refusal in answer.refusals)
        return WriteResult(answer.indexed, len(answer.duplicates), tuple(rejections))

    def _refresh(self) -> None:
        try:
            self._client.indices.refresh(index=self._streams, ignore_unavailable=True)
        except ApiError as error:
            if error.status_code not in FORBIDDEN:  # a reader without that right sees the newest second late
                raise

    def _hits(self, query: LogQuery) -> Iterator[Mapping[str, Any]]:
        """The newest `limit` hits, newest first, page by page over one frozen view of the streams."""
        request: dict[str, Any] = {
            "query": queries.conditions(query),
            "sort": queries.NEWEST_FIRST,
            "track_total_hits": False,
        }
        # Of the dead letters there is no stream before the first one.
        where: dict[str, Any] = {"index": self._streams, "ignore_unavailable": True}
        if 0 < query.limit <= self._page:
            yield from self._client.search(**where, size=query.limit, **request)["hits"]["hits"]
            return
        left = query.limit
        view = self._client.open_point_in_time(**where, keep_alive="1m")["id"] if left > 0 else None
        try:
            while left > 0:
                pit = {"id": view, "keep_alive": "1m"}
                hits = self._client.search(pit=pit, size=min(left, self._page), **request)["hits"]["hits"]
                yield from hits
                if len(hits) < min(left, self._page):
                    return
                left -= len(hits)
                request["search_after"] = hits[-1]["sort"]
        finally:
            if view is not None:
                self._client.close_point_in_time(id=view)


def _chunks(lines: Sequence[_Line]) -> Iterator[Sequence[_Line]]:
    """Runs of lines that stay below BULK_BYTES; a line that is larger by itself is a run of its own."""
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and size + len(line.content) > BULK_BYTES:
            yield lines[start:index]
            start, size = index, 0
        size += len(line.content)
    if start < len(lines):
        yield lines[start:]


def _error_of(trouble: Trouble) -> LogStoreError:
    match trouble.reason:
        case WaitReason.UNREACHABLE | WaitReason.BUSY | WaitReason.BLOCKED:
            return LogStoreUnreachable(trouble.message)
        case WaitReason.FORBIDDEN | WaitReason.UNPREPARED | WaitReason.NONSENSE:
            return LogStoreRefused(trouble.message)
        case _:
            assert_never(trouble.reason)
