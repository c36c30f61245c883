"""Dead letters are sent again, into the streams that they were meant for, once somebody has mended the reason."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from elastic_transport import TransportError
from elasticsearch import ApiError

from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.elasticsearch_client import FORBIDDEN, connect, explained, without_secrets
from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore
from sereno_backends.logs.fingerprint import fingerprint
from sereno_backends.logs.model import LogStoreUnreachable

PAGE = 100
"""Letters in a request: the document of a letter may be as long as a line, 1 MiB."""
_KEPT = ("stream", "record_id", "document")
"""What is needed of a letter."""


@dataclass(frozen=True, slots=True)
class Redelivered:
    """What became of the letters of a window."""

    delivered: int = 0
    """Stored now, or found stored already."""
    refused: Mapping[str, int] | None = None
    """How many are refused again, by a reason of each kind; they stay letters."""
    foreign: int = 0
    """Letters without their document: of other shippers."""
    kept: int = 0
    """Delivered, but the credentials may not delete the letter: it stays, and is harmless."""

    @property
    def refused_again(self) -> int:
        """How many are refused again."""
        return sum((self.refused or {}).values())


@dataclass(frozen=True, slots=True)
class _Letter:
    index: str
    """The index behind the stream: deleting needs it."""
    letter_id: str
    stream: str
    record_id: str
    document: str

    @property
    def lines(self) -> bytes:
        """As it was sent first."""
        action = orjson.dumps({"create": {"_index": self.stream, "_id": self.record_id}})
        return b"%b\n%b\n" % (action, self.document.encode())


class Redelivery:
    """Sends dead letters of one namespace again.

    A document that is stored meanwhile is not stored twice: it has the id that it had. A letter is deleted when the
    store has its document; a kill in between leaves a letter that the next run finds delivered.

    Args:
        url: the server.
        namespace: the last part of the streams' names.
    """

    def __init__(self, url: str, namespace: str = "default") -> None:
        self.name = f"Elasticsearch {without_secrets(url)}"
        self._client = connect(url, os.environ)
        self._store = ElasticsearchLogStore(url, namespace)

    def run(self, start: datetime, end: datetime, services: Sequence[str] = ()) -> Redelivered:
        """Send the letters that were refused in `start <= refusal < end`; no service named: of all.

        Raises:
            LogStoreError: the server takes nothing now; what is delivered by then stays delivered.
        """
        delivered = foreign = kept = 0
        refused: Counter[str] = Counter()
        kinds: dict[str, str] = {}
        for hits in self._pages(start, end, services):
            letters = [letter for letter in map(_letter, hits) if letter is not None]
            foreign += len(hits) - len(letters)
            done, reasons = self._send(letters)
            # A reason names the document and its value: those of one kind are told by the first of them.
            refused.update(kinds.setdefault(fingerprint(reason).identity, reason) for reason in reasons)
            delivered += len(done)
            kept += self._remove(done)
        return Redelivered(delivered, dict(refused), foreign, kept)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()
        self._client.close()

    def _send(self, letters: Sequence[_Letter]) -> tuple[list[_Letter], list[str]]:
        """The letters that are delivered now, and why the others are refused again."""
        stored: set[tuple[str, str]] = set()
        for stream in {letter.stream for letter in letters}:
            ids = [letter.record_id for letter in letters if letter.stream == stream]
            stored |= {(stream, found) for found in self._store.stored_ids(stream, ids)}
        done = [letter for letter in letters if (letter.stream, letter.record_id) in stored]
        left = [letter for letter in letters if (letter.stream, letter.record_id) not in stored]
        if not left:
            return done, []
        streams = {letter.stream for letter in left}
        answer = self._store.create_lines(b"".join(letter.lines for letter in left), len(left), streams)
        failed = {*answer.waiting, *(refusal.position for refusal in answer.refusals)}
        done += [letter for position, letter in enumerate(left) if position not in failed]
        if answer.trouble is not None:
            self._remove(done)
            raise LogStoreUnreachable(answer.trouble.message)
        return done, [refusal.reason for refusal in answer.refusals]

    def _remove(self, letters: Sequence[_Letter]) -> int:
        """Delete letters; how many had to stay."""
        if not letters:
            return 0
        actions = [{"delete": {"_index": letter.index, "_id": letter.letter_id}} for letter in letters]
        with explained(self.name):
            try:
                answer = self._client.bulk(operations=actions)
            except ApiError as error:
                if error.status_code in FORBIDDEN:
                    return len(letters)
                raise
        return sum(item["delete"]["status"] not in (200, 404) for item in answer["items"])

    def _pages(self, start: datetime, end: datetime, services: Sequence[str]) -> Iterator[list[Mapping[str, Any]]]:
        """The hits, oldest refusal first, over one frozen view of the stream: letters are deleted meanwhile."""
        stream = self._store.dead_letters
        filters: list[dict[str, Any]] = [
            {"range": {"@timestamp": {"gte": format_timestamp(start), "lt": format_timestamp(end)}}}
        ]
        if services:
            filters.append({"terms": {"service.name": list(services)}})
        request: dict[str, Any] = {"query": {"bool": {"filter": filters}}, "sort": ["@timestamp", "_shard_doc"]}
        request["source_includes"] = [f"sereno.dead_letter.{name}" for name in _KEPT]
        with explained(self.name):
            if not self._client.indices.exists(index=stream):
                return
            self._client.indices.refresh(index=stream)
            view = self._client.open_point_in_time(index=stream, keep_alive="5m")["id"]
        try:
            while True:
                with explained(self.name):
                    pit = {"id": view, "keep_alive": "5m"}
                    hits = self._client.search(pit=pit, size=PAGE, track_total_hits=False, **request)["hits"]["hits"]
                if not hits:
                    return
                yield hits
                request["search_after"] = hits[-1]["sort"]
        finally:
            with suppress(ApiError, TransportError):  # it ends by itself; what went wrong before is what is told
                self._client.close_point_in_time(id=view)


def _letter(hit: Mapping[str, Any]) -> _Letter | None:
    kept = (hit["_source"].get("sereno") or {}).get("dead_letter") or {}
    if not all(isinstance(kept.get(name), str) for name in _KEPT):
        return None
    return _Letter(hit["_index"], hit["_id"], kept["stream"], kept["record_id"], kept["document"])
