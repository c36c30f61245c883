"""What a log store can say about the sequence numbers of its documents; the evidence of `sereno reconcile`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sereno_backends.logs.location import is_server

BLOCK = 1000
"""Sequence numbers that are counted together: block 0 is 0 to 999."""

DEAD_LETTER_STREAM = "logs-sereno.dead_letter-"


class Block(NamedTuple):
    """The documents of one source, hour and block of sequence numbers."""

    service: str
    source: str
    """`service.node.name`."""
    hour: datetime
    """The beginning of the UTC hour."""
    number: int
    documents: int
    total: int
    """The sum of their sequence numbers."""
    lowest: int
    highest: int


class Place(NamedTuple):
    """One sequence number of a source: how many documents carry it, and when they were written."""

    sequence: int
    documents: int
    first: datetime
    """Cut to milliseconds, as `last` is."""
    last: datetime


class SequenceReader(Protocol):
    """Reads sequence numbers; methods raise `LogStoreError`, and only `blocks` and `has_before` look at times."""

    @property
    def name(self) -> str:
        """What to call the store in messages."""
        ...

    def blocks(self, start: datetime, end: datetime, services: Sequence[str] = ()) -> Iterator[Block]:
        """Every block with documents in `start <= timestamp < end`; no service named: all."""
        ...

    def count(self, source: str, lowest: int, highest: int) -> int:
        """How many documents of the source lie between the two, both included, of whatever time."""
        ...

    def places(self, source: str, lowest: int, highest: int) -> tuple[Place, ...]:
        """Each number that is there, in order, of whatever time; the two are at most `BLOCK` apart."""
        ...

    def preceding(self, source: str, sequence: int) -> int | None:
        """The highest number of the source below `sequence`, of whatever time; None: there is none."""
        ...

    def has_before(self, service: str, moment: datetime) -> bool:
        """Whether any document of the service is older than that, numbered or not."""
        ...

    def renew(self) -> None:
        """The next question sees what has been written until then."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def open_sequence_reader(location: str) -> SequenceReader:
    """The reader of the store at `location`: an http(s) address is Elasticsearch, anything else a SQLite file.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    from sereno_backends.logs.sqlite_sequences import SqliteSequences  # noqa: PLC0415 - only the store that is meant

    return _elasticsearch(location) if is_server(location) else SqliteSequences(location)


def open_dead_letter_reader(location: str) -> SequenceReader | None:
    """The reader of the store's own dead letters; None where the store keeps none (the SQLite file).

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    return _elasticsearch(location, dead_letters=True) if is_server(location) else None


def _elasticsearch(url: str, *, dead_letters: bool = False) -> SequenceReader:
    from sereno_backends.logs.elasticsearch_sequences import ElasticsearchSequences  # noqa: PLC0415 - 0.2 s to import

    return ElasticsearchSequences(url, dead_letters=dead_letters)
