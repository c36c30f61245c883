"""What a reconciliation is asked and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Whereabouts(StrEnum):
    """Where a document is that the store does not have."""

    DEAD_LETTERS = "dead_letters"
    QUEUE = "queue"
    FILE = "file"
    """It was written, as its log file shows; where it went is what is to be found out."""
    RECEIVED = "received"
    """The collector's queue had it, as its ledger shows: the first and the last number of a source and hour."""


@dataclass(frozen=True, slots=True)
class Known:
    """Consecutive sequence numbers that are known from elsewhere than the store."""

    where: Whereabouts
    service: str
    source: str
    lowest: int
    highest: int
    hour: datetime
    """Beginning of the UTC hour of their records."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive sequence numbers that are nowhere: lost documents."""

    service: str
    source: str
    hour: datetime
    """That of the neighbour before; without one, of the neighbour behind."""
    lowest: int
    highest: int
    after: datetime | None
    """When the neighbour before was written; None where the store has none."""
    before: datetime | None
    """When the neighbour behind was written; None where the store has none."""

    @property
    def documents(self) -> int:
        """How many are missing."""
        return self.highest - self.lowest + 1


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One sequence number that the store has more than once."""

    service: str
    source: str
    hour: datetime
    sequence: int
    documents: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One service in one hour: `emitted + twice = indexed + dead_lettered + queued + missing`."""

    service: str
    hour: datetime
    indexed: int
    dead_lettered: int
    queued: int
    missing: int
    twice: int
    """Documents too many: two copies of one are one too many."""

    @property
    def emitted(self) -> int:
        """How many different documents were written, as far as their numbers prove it."""
        return self.indexed - self.twice + self.dead_lettered + self.queued + self.missing


@dataclass(frozen=True, slots=True)
class SourceRange:
    """From and to which sequence number a source is proven."""

    service: str
    source: str
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The answer, sorted by service, hour, source and number."""

    start: datetime
    end: datetime
    hours: tuple[HourFigures, ...]
    gaps: tuple[Gap, ...]
    duplicates: tuple[Duplicate, ...]
    sources: tuple[SourceRange, ...]

    @property
    def is_proven(self) -> bool:
        """Whether something was emitted, and nothing of it is missing or double."""
        return bool(self.hours) and not self.gaps and not self.duplicates
