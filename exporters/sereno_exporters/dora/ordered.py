"""Values in the order of time, of which one at a time comes or goes."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Chronicle(Generic[Key, Value]):
    """Values by time and key; keys decide between equal times, and no two values have both in common."""

    def __init__(self) -> None:
        self._places: list[tuple[datetime, Key]] = []
        self._values: list[Value] = []

    def __bool__(self) -> bool:
        return bool(self._values)

    def put(self, at: datetime, key: Key, value: Value) -> None:
        """One more."""
        index = bisect_left(self._places, (at, key))
        self._places.insert(index, (at, key))
        self._values.insert(index, value)

    def drop(self, at: datetime, key: Key) -> None:
        """One less; it has to be there."""
        index = bisect_left(self._places, (at, key))
        del self._places[index], self._values[index]

    def values(self) -> tuple[Value, ...]:
        """All of them."""
        return tuple(self._values)

    def last(self, until: datetime | None = None) -> Value | None:
        """The last one, at that time at the latest."""
        index = len(self._values) if until is None else self._after(until)
        return self._values[index - 1] if index else None

    def next_at(self, after: datetime) -> datetime | None:
        """The time of the first one that is later."""
        index = self._after(after)
        return self._places[index][0] if index < len(self._places) else None

    def between(self, start: datetime, end: datetime | None) -> Sequence[Value]:
        """Those of the half-open time [start, end); without an end, all from then on."""
        first = bisect_left(self._places, start, key=_time)
        return self._values[first : None if end is None else bisect_left(self._places, end, key=_time)]

    def _after(self, at: datetime) -> int:
        return bisect_right(self._places, at, key=_time)


def _time(place: tuple[datetime, object]) -> datetime:
    return place[0]
