"""What was read of a Redis: frozen, in base units; None is what can't be known."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListQueue:
    """A list that is used as a queue."""

    key: str
    length: int
    oldest_age_seconds: float | None
    lacks_time: bool | None
    """Whether the oldest entry has no readable time; None where none is looked for."""


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group of a stream."""

    name: str
    consumers: int
    lag: int | None
    """Entries that were not delivered to it; None before Redis 7, and where Redis can't tell."""
    entries_read: int | None
    pending: int
    oldest_waiting_age_seconds: float | None
    """Of the first entry that was not delivered to it; 0 if there is none."""
    oldest_pending_age_seconds: float | None
    """Of the first entry that was delivered and not confirmed; 0 if there is none."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream with its groups."""

    key: str
    length: int
    oldest_age_seconds: float | None
    groups: tuple[Group, ...]
