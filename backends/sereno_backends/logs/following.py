"""A search that goes on: what matches is given once, when it comes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sereno_backends.logs.model import LogQuery, LogRecord, LogStore

LATE = timedelta(seconds=60)
"""A record that is stored so long after its timestamp is still given."""
AHEAD = timedelta(minutes=5)
"""Clocks that are so far ahead don't hide their records."""
MOST_RECORDS = 10_000
"""Of one look; the store is asked for no more."""


@dataclass(frozen=True, slots=True)
class News:
    """What one look found."""

    records: tuple[LogRecord, ...]
    """New ones, oldest first; none that was given before."""
    is_cut: bool
    """There were more new ones than a look can hold; the older of them are left out."""


class FollowedSearch:
    """The records of a query and then, look by look, those that came since.

    Looks overlap by `LATE`, so that records are found that are stored late or in another order than their timestamps.

    Args:
        store: where to search.
        query: its window's beginning and its limit hold for the first look, its other conditions for all.
        now: the time, aware.
        most_records: of one look.
    """

    def __init__(
        self, store: LogStore, query: LogQuery, *, now: Callable[[], datetime], most_records: int = MOST_RECORDS
    ) -> None:
        self._store = store
        self._query = query
        self._now = now
        self._most_records = most_records
        self._start = query.start
        self._given: dict[str, datetime] = {}
        """The timestamps of records from `_start` on that were given, or stood before the first look's newest."""

    def first(self) -> News:
        """The newest records up to now, at most the query's limit.

        Raises:
            LogStoreError: the store can't say; looking again is right.
        """
        now = self._now()
        start = max(self._query.start, now - LATE)
        # Asked before what is shown: what comes in between is news, not passed over.
        before = self._search(start, now, self._most_records)
        records = self._search(self._query.start, now, self._query.limit)
        self._remember((*before, *records), start)
        return News(records, is_cut=False)

    def look(self) -> News:
        """The records that came since the last look that was answered.

        Raises:
            LogStoreError: the store can't say; the next look makes up for it.
        """
        now = self._now()
        found = self._search(self._start, now, self._most_records)
        records = tuple(record for record in found if record.record_id not in self._given)
        is_cut = len(found) == self._most_records and bool(records) and found[0] is records[0]
        self._remember(found, max(self._start, now - LATE))
        return News(records, is_cut)

    def _search(self, start: datetime, now: datetime, limit: int) -> tuple[LogRecord, ...]:
        return self._store.search(replace(self._query, start=start, end=now + AHEAD, limit=limit))

    def _remember(self, records: tuple[LogRecord, ...], start: datetime) -> None:
        self._start = start
        known = {**self._given, **{record.record_id: record.timestamp for record in records}}
        self._given = {record_id: timestamp for record_id, timestamp in known.items() if timestamp >= start}
