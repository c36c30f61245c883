"""Which records a store can take at all; the same answer for every store, so that none is a surprise after a move."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from sereno_backends.logs.ecs import EARLIEST, LATEST
from sereno_backends.logs.model import LogRecord, Rejection

LONGEST_ID_BYTES = 512  # Elasticsearch's limit of `_id`; one longer id would refuse a whole bulk request


@dataclass(frozen=True, slots=True)
class Storable:
    """A record together with its document as JSON."""

    record: LogRecord
    document: bytes


def sort_out(records: Sequence[LogRecord]) -> tuple[tuple[Storable, ...], tuple[Rejection, ...]]:
    """Part the records into those that can be stored and those that never can, with the reason."""
    storable: list[Storable] = []
    rejections: list[Rejection] = []
    for record in records:
        try:
            storable.append(Storable(record, _checked_document(record)))
        except (ValueError, TypeError) as error:  # orjson's errors are TypeErrors, wrong encodings ValueErrors
            rejections.append(Rejection(record.record_id, f"can't be stored: {error}"))
    return tuple(storable), tuple(rejections)


def _checked_document(record: LogRecord) -> bytes:
    if not 0 < len(record.record_id.encode()) <= LONGEST_ID_BYTES:
        raise ValueError(f"the record's id is empty or longer than {LONGEST_ID_BYTES} bytes")
    if record.timestamp.tzinfo is None:
        raise ValueError("the timestamp has no time zone")
    if not EARLIEST <= record.timestamp < LATEST:
        raise ValueError(f"the timestamp {record.timestamp.isoformat()} is not in {EARLIEST.year}…{LATEST.year - 1}")
    for text in (record.service, record.level, record.message, record.dataset):
        text.encode()  # half a surrogate pair is no text
    for optional in (record.trace_id, record.error_type, record.action):
        (optional or "").encode()
    return orjson.dumps(record.document)
