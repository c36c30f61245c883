"""Where parcels go: each sink sends some and says what became of every document."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol

from sereno_backends.logs import LogStore
from sereno_backends.logs.elasticsearch_bulk import BulkAnswer
from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore

from sereno_collectors.logs.delivery.dead_letters import DeadLetter
from sereno_collectors.logs.delivery.parcels import Queued, documents_of
from sereno_collectors.logs.model import Parcel
from sereno_collectors.logs.queue import Settlement

_ID = re.compile(rb'^\{"create":\{"_index":"([^"]+)","_id":"([^"]+)"\}\}$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of some parcels."""

    indexed: int = 0
    duplicates: int = 0
    letters: tuple[DeadLetter, ...] = ()
    """What is refused for good: kept aside before anything is settled."""
    settled: tuple[Settlement, ...] = ()
    returned: tuple[Parcel, ...] = ()
    """Of these nothing is known."""
    trouble: str | None = None
    """Why something waits; None exactly where nothing does."""


class Sink(Protocol):
    """A store, as delivery sees it."""

    @property
    def in_flight(self) -> int:
        """How many requests may be on their way at once."""
        ...

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """Send them in one request.

        Raises:
            LogStoreError: nothing is known of any of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogStoreSink:
    """Any log store, document by document: for the embedded one."""

    store: LogStore

    @property
    def in_flight(self) -> int:
        """One: a SQLite file has one writer."""
        return 1

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """See `Sink.send`; the store knows by their ids what it has already."""
        documents = {one.record_id: one for parcel in parcels for one in documents_of(parcel.body)}
        answer = self.store.write([one.record for one in documents.values()])
        letters = tuple(_letter(documents[refused.record_id], refused.reason) for refused in answer.rejections)
        return Sent(answer.indexed, answer.duplicates, letters, tuple(Settlement(parcel) for parcel in parcels))


@dataclass(frozen=True, slots=True)
class ElasticsearchSink:
    """Elasticsearch: bodies are sent as they are, and looked into only where the answer is not "created" for all."""

    store: ElasticsearchLogStore

    @property
    def in_flight(self) -> int:
        """Two: one is indexed while the other is on its way."""
        return 2

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """See `Sink.send`; what may have been sent before is looked for in all indices of its stream first."""
        known, left = self._without_known(parcels)
        if not left:
            return Sent(duplicates=known, settled=tuple(Settlement(parcel) for parcel in parcels))
        body = b"".join(parcel.body for parcel in left)
        streams = frozenset().union(*(parcel.streams for parcel in left))
        compressed = left[0].compressed if len(left) == 1 else b""
        answer = self.store.create_lines(body, sum(parcel.documents for parcel in left), streams, compressed=compressed)
        sent = _sent(answer, parcels, left)
        if sent.returned:
            return sent
        return Sent(sent.indexed, sent.duplicates + known, sent.letters, sent.settled, sent.returned, sent.trouble)

    def _without_known(self, parcels: Sequence[Parcel]) -> tuple[int, list[Parcel]]:
        """How many documents of repeated parcels are stored already, and the parcels without those."""
        repeated = [parcel for parcel in parcels if parcel.repeated]
        if not repeated:
            return 0, list(parcels)
        ids: dict[str, list[str]] = {}
        for parcel in repeated:
            for stream, record_id in _ID.findall(parcel.body):
                ids.setdefault(stream.decode(), []).append(record_id.decode())
        stored = {found for stream, asked in ids.items() for found in self.store.stored_ids(stream, asked)}
        left: list[Parcel] = []
        known = 0
        for parcel in parcels:
            kept = parcel if not parcel.repeated or not stored else _without(parcel, stored)
            known += parcel.documents - kept.documents
            if kept.documents:
                left.append(kept)
        return known, left


def _without(parcel: Parcel, stored: set[str]) -> Parcel:
    lines = [one.lines for one in documents_of(parcel.body) if one.record_id not in stored]
    return replace(parcel, documents=len(lines), body=b"".join(lines), compressed=b"")


def _sent(answer: BulkAnswer, parcels: Sequence[Parcel], left: Sequence[Parcel]) -> Sent:
    """What the answer says of each parcel; `left` is what was sent of `parcels`."""
    if answer.trouble is not None and len(answer.waiting) == answer.documents:
        return Sent(returned=tuple(parcels), trouble=answer.trouble.message)
    letters: list[DeadLetter] = []
    waiting: dict[int, bytes] = {}
    if answer.refusals or answer.waiting:
        refused = {refusal.position: refusal.reason for refusal in answer.refusals}
        asked_again = set(answer.waiting)
        for parcel, first in _placed(left):
            documents = documents_of(parcel.body)
            letters.extend(
                _letter(documents[place - first], refused[place]) for place in _within(parcel, first, refused)
            )
            rest = b"".join(documents[place - first].lines for place in _within(parcel, first, asked_again))
            if rest:
                waiting[parcel.number] = rest
    settled = tuple(Settlement(parcel, waiting.get(parcel.number, b"")) for parcel in parcels)
    trouble = answer.trouble.message if answer.trouble else None
    return Sent(answer.indexed, len(answer.duplicates), tuple(letters), settled, (), trouble)


def _placed(parcels: Sequence[Parcel]) -> Iterator[tuple[Parcel, int]]:
    """Each parcel with the place of its first document in the request."""
    ends = list(accumulate(parcel.documents for parcel in parcels))
    yield from zip(parcels, [0, *ends[:-1]], strict=True)


def _within(parcel: Parcel, first: int, places: set[int] | dict[int, str]) -> list[int]:
    return sorted(place for place in places if first <= place < first + parcel.documents)


def _letter(refused: Queued, reason: str) -> DeadLetter:
    return DeadLetter(reason, refused.record, refused.stream, refused.body)


def sink_of(store: LogStore) -> Sink:
    """The fastest way into a store."""
    return ElasticsearchSink(store) if isinstance(store, ElasticsearchLogStore) else LogStoreSink(store)
