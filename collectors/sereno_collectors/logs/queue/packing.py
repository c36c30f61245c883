"""From documents to what the queue keeps of them; pure."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import orjson
from isal import igzip

from sereno_collectors.logs.model import Document, Position
from sereno_collectors.logs.queue.file import QueueDamaged

MOST_DOCUMENTS = 2_000
MOST_BYTES = 5_000_000
"""Of one parcel; a larger document is a parcel of its own."""


COMPRESSION_LEVEL = 1
_ACTION_BYTES = 120
"""About the length of an action's line, for the limit's sake."""
_STREAM = re.compile(rb'^\{"create":\{"_index":"([^"]+)","_id":"[^"]+"\}\}$', re.MULTILINE)
_ledger_row = attrgetter("hour", "source", "service")
_sequence = attrgetter("sequence")


class Packed(NamedTuple):
    """What will be a parcel."""

    documents: int
    body: bytes
    """In Elasticsearch's bulk format."""
    streams: frozenset[str]
    """The data streams that it names."""
    compressed: bytes
    """The body as gzip."""


def pack(documents: Sequence[Document]) -> list[Packed]:
    """Parcels in Elasticsearch's bulk format.

    Names of streams and ids have no characters that JSON would escape: the one are cleaned, the other digests.
    """
    parcels: list[Packed] = []
    pieces: list[bytes] = []
    actions: dict[str, bytes] = {}
    count = size = 0
    for record_id, stream, body, *_ in documents:
        length = len(body) + _ACTION_BYTES
        if count and (count >= MOST_DOCUMENTS or size + length > MOST_BYTES):
            parcels.append(_packed(count, b"".join(pieces), actions))
            pieces, actions, count, size = [], {}, 0, 0
        action = actions.get(stream)
        if action is None:
            action = actions[stream] = b'{"create":{"_index":"%b","_id":"' % stream.encode()
        pieces += (action, record_id.encode(), b'"}}\n', body, b"\n")
        count += 1
        size += length
    if count:
        parcels.append(_packed(count, b"".join(pieces), actions))
    return parcels


def _packed(count: int, body: bytes, streams: Iterable[str]) -> Packed:
    return Packed(count, body, frozenset(streams), compress(body))


def compress(body: bytes) -> bytes:
    """The body as gzip: a quarter of its size. It costs less than writing and sending the other three would."""
    return igzip.compress(body, COMPRESSION_LEVEL, mtime=0)


def decompress(queued: bytes) -> bytes:
    """The body of a parcel; those of older versions stand in the queue as they are.

    Raises:
        QueueDamaged: it is not what was written.
    """
    if queued[:1] == b"{":
        return queued
    try:
        return gzip.decompress(queued)
    except (OSError, EOFError, zlib.error) as error:
        raise QueueDamaged(f"a parcel can't be decompressed: {error}") from error


def streams_of(body: bytes) -> frozenset[str]:
    """The data streams that a parcel of an older version names, which did not note them down."""
    return frozenset(name.decode() for name in _STREAM.findall(body))


def tallies(documents: Sequence[Document]) -> Iterator[tuple[str, str, str, int, int, int]]:
    """Rows of the ledger: hour, source, service, first and last sequence number, and how many documents."""
    found: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for key, group in groupby(documents, _ledger_row):  # neighbours mostly are of one row
        numbers = [*map(_sequence, group)]
        first, last, count = found.get(key, (numbers[0], 0, 0))
        found[key] = min(first, *numbers), max(last, *numbers), count + len(numbers)
    for (hour, source, service), (first, last, count) in found.items():
        yield hour, source, service, first, last, count


def positions_as_json(positions: Sequence[Position]) -> str:
    """The positions as text."""
    return orjson.dumps([asdict(position) for position in positions]).decode()


def positions_from_json(saved: str) -> tuple[Position, ...]:
    """What `positions_as_json` was given."""
    return tuple(Position(**position) for position in orjson.loads(saved))
