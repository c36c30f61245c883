"""Sequence numbers of the embedded log store, by SQL."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from sereno_backends.logs.ecs import EPOCH
from sereno_backends.logs.sequences import BLOCK, Block, Place
from sereno_backends.logs.sqlite_file import explained, open_for_reading

_HOUR_US = 3_600_000_000
_HIGHEST = 2**53 // BLOCK  # as far as sums of a block are exact in every store
_MICROSECOND = timedelta(microseconds=1)

# A document is kept as it was read: its field names dotted, nested, or a mixture of both.
_SOURCE = (
    """coalesce(document ->> '$."service.node.name"', document ->> '$.service."node.name"', """
    """document ->> '$."service.node".name', document ->> '$.service.node.name')"""
)
_SEQUENCE = """coalesce(document ->> '$."event.sequence"', document ->> '$.event.sequence')"""
_NUMBERED = f"(SELECT service, timestamp_us, {_SOURCE} AS source, {_SEQUENCE} AS sequence FROM record)"  # noqa: S608
_IS_NUMBERED = "typeof(source) = 'text' AND source <> '' AND typeof(sequence) = 'integer'"
_ALL_NUMBERS = (
    f"CREATE TEMP TABLE numbered AS SELECT source, sequence, timestamp_us FROM {_NUMBERED} WHERE {_IS_NUMBERED}",  # noqa: S608 - ours
    "CREATE INDEX temp.by_number ON numbered (source, sequence)",
)
_OF_SOURCE = "FROM temp.numbered WHERE source = ? AND sequence BETWEEN ? AND ?"


class SqliteSequences:
    """A `SequenceReader` of one SQLite file.

    `blocks` reads all documents of its window. The first question for numbers reads all of the file, once, into a
    temporary table beside it (on disk, about 100 bytes a document), from which it and all others are answered until
    `renew`.
    """

    def __init__(self, path: str | PathLike[str], *, busy_timeout_seconds: float = 5.0) -> None:
        self._path = Path(path)
        self._busy_timeout_seconds = busy_timeout_seconds
        self._numbers: sqlite3.Connection | None = None
        """Of its own, with the temporary table."""

    @property
    def name(self) -> str:
        """Kind and path."""
        return f"SQLite {self._path}"

    def blocks(self, start: datetime, end: datetime, services: Sequence[str] = ()) -> Iterator[Block]:
        """See `SequenceReader.blocks`."""
        self.renew()
        of_services = f"AND service IN ({', '.join('?' * len(services))})" if services else ""
        sql = (
            f"SELECT service, source, timestamp_us / {_HOUR_US} AS hour, sequence / {BLOCK} AS block, count(*), "  # noqa: S608
            f"sum(sequence), min(sequence), max(sequence) FROM {_NUMBERED} "
            f"WHERE timestamp_us >= ? AND timestamp_us < ? AND {_IS_NUMBERED} AND sequence BETWEEN 1 AND {_HIGHEST} "
            f"{of_services} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
        rows = self._read(sql, ((start - EPOCH) // _MICROSECOND, (end - EPOCH) // _MICROSECOND, *services))
        for service, source, hour, *figures in rows:
            yield Block(service, source, EPOCH + timedelta(hours=hour), *figures)

    def count(self, source: str, lowest: int, highest: int) -> int:
        """See `SequenceReader.count`."""
        ((count,),) = self._ask(f"SELECT count(*) {_OF_SOURCE}", (source, lowest, highest))
        return int(count)

    def places(self, source: str, lowest: int, highest: int) -> tuple[Place, ...]:
        """See `SequenceReader.places`."""
        rows = self._ask(
            f"SELECT sequence, count(*), min(timestamp_us), max(timestamp_us) {_OF_SOURCE} "
            "GROUP BY sequence ORDER BY sequence",
            (source, lowest, highest),
        )
        return tuple(Place(sequence, count, _moment(first), _moment(last)) for sequence, count, first, last in rows)

    def preceding(self, source: str, sequence: int) -> int | None:
        """See `SequenceReader.preceding`."""
        ((highest,),) = self._ask(f"SELECT max(sequence) {_OF_SOURCE}", (source, 1, sequence - 1))
        return None if highest is None else int(highest)

    def has_before(self, service: str, moment: datetime) -> bool:
        """See `SequenceReader.has_before`."""
        sql = "SELECT EXISTS (SELECT 1 FROM record WHERE service = ? AND timestamp_us < ?)"
        ((found,),) = self._read(sql, (service, (moment - EPOCH) // _MICROSECOND))
        return bool(found)

    def renew(self) -> None:
        """See `SequenceReader.renew`."""
        if self._numbers is not None:
            self._numbers.close()
            self._numbers = None

    def close(self) -> None:
        """The temporary table goes with its connection."""
        self.renew()

    def _ask(self, sql: str, values: Sequence[object]) -> list[Any]:
        """A question to all numbers, of whatever time."""
        with explained(self._path):
            if self._numbers is None:
                self._numbers = self._numbered()
            return self._numbers.execute(sql, values).fetchall()

    def _numbered(self) -> sqlite3.Connection:
        connection = open_for_reading(self._path, self._busy_timeout_seconds)
        try:
            for statement in _ALL_NUMBERS:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _read(self, sql: str, values: Sequence[object]) -> list[Any]:
        with explained(self._path), closing(open_for_reading(self._path, self._busy_timeout_seconds)) as connection:
            return connection.execute(sql, values).fetchall()


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=microseconds // 1000)
