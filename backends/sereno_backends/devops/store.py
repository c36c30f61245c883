"""The seam between DevOps events and where they are kept; every store speaks in these values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sereno_backends.devops.model import DevOpsEvent, EventKind, Provider


class DevOpsStoreUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The store can't be read or written now; the message names it and the cause. Nothing was written."""


class DevOpsStoreTooNew(DevOpsStoreUnavailable):
    """The store was written by a newer Sereno than this one."""


class DevOpsStoreForeign(DevOpsStoreUnavailable):
    """The file belongs to another program, or is damaged."""


class Disposition(StrEnum):
    """What a kept delivery came to."""

    TRANSLATED = "translated"
    """Its events are stored."""
    UNKNOWN_SCHEMA = "unknown_schema"
    """It is of a type that is known, and yet doesn't fit: only the original is kept, with the reason."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One authentic delivery of a webhook, with everything that it said."""

    source: str
    provider: Provider
    delivery_id: str
    """The provider's, else the content's hash."""
    content_hash: str
    """SHA-256 of the body: the same delivery under another id is still the same."""
    event_type: str
    """As the provider names it, such as `deployment_status`."""
    received_at: datetime
    body: bytes
    """The original payload; stores keep it compressed."""
    events: tuple[DevOpsEvent, ...]
    disposition: Disposition = Disposition.TRANSLATED
    reason: str = ""
    """Why it has no events; empty where it is translated."""


class Recorded(StrEnum):
    """What became of a delivery."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    """Its id or its content was stored before; nothing changed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `record` did."""

    outcome: Recorded
    new_events: tuple[DevOpsEvent, ...] = ()
    """Those of the delivery's events that were not known before."""


@dataclass(frozen=True, slots=True)
class DevOpsQuery:
    """Which events: all given conditions must hold; the window is half-open, `start <= occurred_at < end`."""

    start: datetime | None = None
    """None: from the beginning."""
    end: datetime | None = None
    """None: to the newest."""
    kinds: tuple[EventKind, ...] = ()
    """Empty: every kind; likewise below."""
    repositories: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    limit: int | None = None
    """The newest so many; None: all."""


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """An event with its place in the order in which the store took it."""

    number: int
    event: DevOpsEvent


class DevOpsEventStore(Protocol):
    """Where DevOps events are kept. Every method may raise `DevOpsStoreUnavailable`."""

    @property
    def name(self) -> str:
        """What to call this store in messages and evidence."""
        ...

    def record(self, deliveries: Sequence[Delivery]) -> tuple[Receipt, ...]:
        """Store deliveries with those of their events that are new; all or nothing, and durable when this returns.

        One that was kept as `UNKNOWN_SCHEMA` and comes again translated (by a newer Sereno) gets its events now.
        """
        ...

    def events(self, query: DevOpsQuery) -> tuple[DevOpsEvent, ...]:
        """The events that match, by `occurred_at`, then id: the same whatever order they came in."""
        ...

    def deployments_between(
        self, start: datetime, end: datetime, *, service: str | None = None
    ) -> tuple[DevOpsEvent, ...]:
        """The events of deployments in the window, oldest first; for timelines and suspects."""
        ...

    def events_after(self, number: int, *, limit: int) -> Sequence[NumberedEvent]:
        """The first `limit` events that the store took after that one, in that order; 0: from its first."""
        ...

    def original(self, event: DevOpsEvent) -> bytes | None:
        """The payload that told the event first, as it came; None if it isn't kept."""
        ...

    def kept(self, disposition: Disposition, *, limit: int = 100) -> tuple[Delivery, ...]:
        """The newest deliveries of that disposition, newest first, without their events."""
        ...

    def heard(self, source: str, period: timedelta) -> tuple[datetime, ...]:
        """When kept deliveries of a source were received: the newest and those up to `period` before it, in order."""
        ...

    def counts(self) -> Mapping[EventKind, int]:
        """How many events there are of each kind, zeros included."""
        ...
