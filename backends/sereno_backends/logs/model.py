"""What goes into a log store, what is asked of it and what it answers; every store speaks in these values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class LogStoreError(Exception):
    """A log store could not do what it was asked; the message names the store and the cause."""


class LogStoreUnreachable(LogStoreError):  # noqa: N818 - reads as what happened
    """The store gave no answer: nothing is known to be written."""


class LogStoreRefused(LogStoreError):  # noqa: N818 - reads as what happened
    """The store answered and said no to the whole request (credentials, read-only, mapping)."""


class LogStoreReadOnly(LogStoreRefused):
    """The store can be read but not written by this user."""


class LogStoreCorrupt(LogStoreRefused):
    """The file is no log store, or a damaged one."""


class LogStoreTooNew(LogStoreRefused):
    """The store was written by a newer Sereno than this one."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One ECS log document with its identity.

    `record_id` is deterministic (same line of the same file, same id), so that writing a record twice stores it once.
    `document` is the whole ECS document as a nested or dotted mapping, as it was read; stores keep it unchanged.
    """

    record_id: str
    timestamp: datetime
    """Aware, UTC: ECS `@timestamp`."""
    service: str
    """ECS `service.name`."""
    level: str
    """ECS `log.level`, lower case: debug, info, warning, error, critical."""
    message: str
    dataset: str = "app"
    """ECS `event.dataset`; names the data stream `logs-<dataset>-<namespace>`."""
    trace_id: str | None = None
    error_type: str | None = None
    action: str | None = None
    """ECS `event.action`; set on records that tell of a deed: `fault_started`, `fault_stopped`, `deployment`."""
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which records: all given conditions must hold; the window is half-open, `start <= timestamp < end`."""

    start: datetime
    end: datetime
    services: tuple[str, ...] = ()
    """Empty: every service."""
    levels: tuple[str, ...] = ()
    """Empty: every level."""
    actions: tuple[str, ...] = ()
    """Empty: records with and without an action."""
    trace_id: str | None = None
    text: str | None = None
    """Words that must all occur in the message, in any order and case."""
    source: str | None = None
    """ECS `service.node.name`: whose lines; None: everybody's."""
    sequences: tuple[int, int] | None = None
    """First and last `event.sequence`, both included; a record without a sequence number is not among them."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class MessageCount:
    """One message of a window, how often it came, when first and last, and one trace to look at."""

    message: str
    level: str
    count: int
    first: datetime
    last: datetime
    trace_id: str | None
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that the store refused for good, and why; it must not be retried."""

    record_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of each record of a batch: `indexed + duplicates + len(rejections)` is the size of the batch."""

    indexed: int
    duplicates: int
    rejections: tuple[Rejection, ...] = ()


class LogStore(Protocol):
    """Where logs are kept and searched. Methods raise `LogStoreError`, never a client library's own exception."""

    @property
    def name(self) -> str:
        """What to call this store in messages and evidence: its kind and place, without secrets."""
        ...

    def write(self, records: Sequence[LogRecord]) -> WriteResult:
        """Store the records; when this returns, what is indexed survives a kill of this process."""
        ...

    def search(self, query: LogQuery) -> tuple[LogRecord, ...]:
        """The newest `limit` records that match, oldest of them first."""
        ...

    def count(self, query: LogQuery) -> int:
        """How many records match; `limit` is ignored."""
        ...

    def top_messages(self, query: LogQuery) -> tuple[MessageCount, ...]:
        """The `limit` most frequent messages among the matching records, most frequent first."""
        ...

    def close(self) -> None:
        """Release connections; further calls are errors."""
        ...
