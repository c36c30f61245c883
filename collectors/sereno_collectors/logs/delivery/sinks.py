"""Where parcels go: each sink sends some and says what became of every document."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol

from sereno_backends.logs import LogStore
from sereno_backends.logs.elasticsearch_bulk import BulkAnswer
from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore

from sereno_collectors.logs.delivery.letter import DeadLetter
from sereno_collectors.logs.delivery.parcels import Queued, documents_of
from sereno_collectors.logs.delivery.request_size import Limits, RequestSize
from sereno_collectors.logs.model import Parcel
from sereno_collectors.logs.queue import Settlement

_ID = re.compile(rb'^\{"create":\{"_index":"([^"]+)","_id":"([^"]+)"\}\}$', re.MULTILINE)

FULL = Limits(documents=2_000, size_bytes=5_000_000)
"""Of one request, when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of some parcels."""

    indexed: int = 0
    duplicates: int = 0
    letters: tuple[DeadLetter, ...] = ()
    """What is refused for good: kept aside before anything is settled."""
    settled: tuple[Settlement, ...] = ()
    returned: tuple[Parcel, ...] = ()
    """Of these nothing is known, or that nothing is stored."""
    in_doubt: bool = True
    """What is returned may be stored."""
    trouble: str | None = None
    """Why something waits; None exactly where nothing does."""


class Sink(Protocol):
    """A store, as delivery sees it."""

    @property
    def in_flight(self) -> int:
        """How many requests may be on their way at once."""
        ...

    @property
    def most(self) -> Limits:
        """How much it wants to be given at once, as of now."""
        ...

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """Send them.

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

    @property
    def most(self) -> Limits:
        """Always the same."""
        return FULL

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """See `Sink.send`; the store knows by their ids what it has already."""
        documents = {one.record_id: one for parcel in parcels for one in documents_of(parcel.body)}
        answer = self.store.write([one.record for one in documents.values()])
        letters = tuple(_letter(documents[refused.record_id], refused.reason) for refused in answer.rejections)
        same = sum(parcel.documents for parcel in parcels) - len(documents)
        return Sent(answer.indexed, answer.duplicates + same, letters, tuple(Settlement(parcel) for parcel in parcels))


@dataclass(frozen=True, slots=True)
class ElasticsearchSink:
    """Elasticsearch: bodies are sent as they are, and looked into only where the answer is not "created" for all."""

    store: ElasticsearchLogStore
    size: RequestSize = field(default_factory=lambda: RequestSize(FULL))

    @property
    def in_flight(self) -> int:
        """Two: one is indexed while the other is on its way."""
        return 2

    @property
    def most(self) -> Limits:
        """What the server copes with now."""
        return self.size.limits

    def send(self, parcels: Sequence[Parcel]) -> Sent:
        """See `Sink.send`; what may have been sent before is looked for in all indices of its stream first."""
        left = self._without_known(parcels)
        if not left:
            known = sum(parcel.documents for parcel in parcels)
            return Sent(duplicates=known, settled=tuple(Settlement(parcel) for parcel in parcels))
        body = b"".join(parcel.body for parcel in left)
        streams = frozenset().union(*(parcel.streams for parcel in left))
        compressed = left[0].compressed if len(left) == 1 else b""
        answer = self._created(body, sum(parcel.documents for parcel in left), streams, compressed)
        return _sent(answer, parcels, left)

    def _created(self, body: bytes, documents: int, streams: Collection[str], compressed: bytes) -> BulkAnswer:
        """Send within the limits of now, a single large parcel in parts, and learn from the answer."""
        limits = self.size.limits
        most = min(limits.documents, max(1, documents * limits.size_bytes // len(body)))
        answer = self.store.create_lines(body, documents, streams, most=most, compressed=compressed)
        if answer.was_too_much:
            self.size.was_too_much(limits)
        elif answer.trouble is None:
            self.size.went_well(min(documents, most), len(body) * min(documents, most) // documents)
        return answer

    def _without_known(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """The parcels without those documents of repeated ones that are stored already."""
        repeated = [parcel for parcel in parcels if parcel.repeated]
        if not repeated:
            return list(parcels)
        ids: dict[str, list[str]] = {}
        for parcel in repeated:
            for stream, record_id in _ID.findall(parcel.body):
                ids.setdefault(stream.decode(), []).append(record_id.decode())
        stored = {(stream, found) for stream, asked in ids.items() for found in self.store.stored_ids(stream, asked)}
        left = [parcel if not parcel.repeated or not stored else _without(parcel, stored) for parcel in parcels]
        return [parcel for parcel in left if parcel.documents]


def _without(parcel: Parcel, stored: set[tuple[str, str]]) -> Parcel:
    lines = [one.lines for one in documents_of(parcel.body) if (one.stream, one.record_id) not in stored]
    return replace(parcel, documents=len(lines), body=b"".join(lines), compressed=b"")


def _sent(answer: BulkAnswer, parcels: Sequence[Parcel], left: Sequence[Parcel]) -> Sent:
    """What the answer says of each parcel; `left` is what was sent of `parcels`, the rest is known to be stored."""
    trouble = answer.trouble.message if answer.trouble else None
    if answer.trouble is not None and len(answer.waiting) == answer.documents:
        return Sent(returned=tuple(parcels), in_doubt=answer.trouble.may_be_stored, trouble=trouble)
    waiting, refused = set(answer.waiting), {refusal.position: refusal.reason for refusal in answer.refusals}
    # A part of the request that may have been carried out unseen: its parcels come back whole, to be looked for.
    doubtful = answer.trouble is not None and answer.trouble.may_be_stored
    placed = list(_placed(left))
    returned = {parcel.number for parcel, first in placed if doubtful and _within(parcel, first, waiting)}
    letters: list[DeadLetter] = []
    rests: dict[int, bytes] = {}
    indexed = duplicates = 0
    for parcel, first in placed:
        if parcel.number in returned:
            continue
        again, bad = _within(parcel, first, waiting), _within(parcel, first, refused)
        if again or bad:
            documents = documents_of(parcel.body)
            letters.extend(_letter(documents[place - first], refused[place]) for place in bad)
            rests[parcel.number] = b"".join(documents[place - first].lines for place in again)
        doubled = len(_within(parcel, first, answer.duplicates))
        duplicates += doubled
        indexed += parcel.documents - doubled - len(again) - len(bad)
    settled = [parcel for parcel in parcels if parcel.number not in returned]
    known = sum(parcel.documents for parcel in settled) - sum(
        parcel.documents for parcel in left if parcel.number not in returned
    )
    return Sent(
        indexed,
        duplicates + known,
        tuple(letters),
        tuple(Settlement(parcel, rests.get(parcel.number, b"")) for parcel in settled),
        tuple(parcel for parcel in parcels if parcel.number in returned),
        trouble=trouble,
    )


def _placed(parcels: Sequence[Parcel]) -> Iterator[tuple[Parcel, int]]:
    """Each parcel with the place of its first document in the request."""
    ends = list(accumulate(parcel.documents for parcel in parcels))
    yield from zip(parcels, [0, *ends[:-1]], strict=True)


def _within(parcel: Parcel, first: int, places: Collection[int]) -> list[int]:
    return sorted(place for place in places if first <= place < first + parcel.documents)


def _letter(refused: Queued, reason: str) -> DeadLetter:
    return DeadLetter(reason, refused.record, refused.stream, refused.body)


def sink_of(store: LogStore) -> Sink:
    """The fastest way into a store."""
    return ElasticsearchSink(store) if isinstance(store, ElasticsearchLogStore) else LogStoreSink(store)
