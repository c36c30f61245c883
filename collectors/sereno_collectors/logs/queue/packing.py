"""From documents to what the queue keeps of them; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import orjson

from sereno_collectors.logs.model import Document, Position

MOST_DOCUMENTS = 2_000
MOST_BYTES = 5_000_000
"""Of one parcel; a larger document is a parcel of its own."""


def pack(documents: Sequence[Document]) -> list[tuple[int, bytes]]:
    """Parcels in Elasticsearch's bulk format, each with the number of its documents.

    Names of streams and ids have no characters that JSON would escape: the one are cleaned, the other digests.
    """
    parcels: list[tuple[int, bytes]] = []
    lines: list[bytes] = []
    size = 0
    for document in documents:
        line = b'{"create":{"_index":"%b","_id":"%b"}}\n%b\n' % (
            document.stream.encode(),
            document.record_id.encode(),
            document.body,
        )
        if lines and (len(lines) >= MOST_DOCUMENTS or size + len(line) > MOST_BYTES):
            parcels.append((len(lines), b"".join(lines)))
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        parcels.append((len(lines), b"".join(lines)))
    return parcels


def tallies(documents: Sequence[Document]) -> Iterator[tuple[str, str, str, int, int, int]]:
    """Rows of the ledger: hour, source, service, first and last sequence number, and how many documents."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for document in documents:
        key = (document.hour, document.source, document.service)
        sequences = found.get(key)
        if sequences is None:
            found[key] = [document.sequence, document.sequence, 1]
            continue
        sequence = document.sequence
        sequences[0] = min(sequences[0], sequence)
        sequences[1] = max(sequences[1], sequence)
        sequences[2] += 1
    for (hour, source, service), (first, last, count) in found.items():
        yield hour, source, service, first, last, count


def positions_as_json(positions: Sequence[Position]) -> str:
    """The positions as text."""
    return orjson.dumps([asdict(position) for position in positions]).decode()


def positions_from_json(saved: str) -> tuple[Position, ...]:
    """What `positions_as_json` was given."""
    return tuple(Position(**position) for position in orjson.loads(saved))
