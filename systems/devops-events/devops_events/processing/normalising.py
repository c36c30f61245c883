"""From what a node accepted to what is stored: one schema for all platforms, the original kept. Pure."""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sereno_backends.devops import Disposition
from sereno_backends.devops.documents import event_document
from sereno_collectors.devops.model import Ignored, Message
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.translation import delivery_of

from devops_events.envelope import Envelope, NotAnEnvelope
from devops_events.platforms import sources

IGNORED: Final = "ignored"
"""Beside the receiver's dispositions: of a type that the schema has no place for. The original is kept all the same."""

_SOURCES = sources()


@dataclass(frozen=True, slots=True)
class Event:
    """One fact in the common schema."""

    event_id: str
    """Follows from what it says: a fact that two deliveries tell is one."""
    kind: str
    service: str
    repository: str
    occurred_at: str
    document: str
    """As JSON."""


@dataclass(frozen=True, slots=True)
class Record:
    """One delivery, ready to be stored."""

    envelope: Envelope
    disposition: str
    reason: str
    """Why it has no events."""
    events: tuple[Event, ...] = ()


def normalised(envelope: Envelope) -> Record:
    """What is to be stored of a delivery.

    Raises:
        NotAnEnvelope: it is of no platform that we know, or no JSON: no ingestion node accepts such a thing.
    """
    source = _SOURCES.get(envelope.platform)
    if source is None:
        raise NotAnEnvelope(f"there is no platform {envelope.platform[:60]!r}")
    try:
        document: Any = orjson.loads(envelope.body)
    except orjson.JSONDecodeError as error:
        raise NotAnEnvelope(f"the body isn't JSON: {error.msg}") from error
    message = Message(envelope.headers, envelope.body, document)
    told = delivery_of(source, ADAPTERS[source.provider], message, envelope.received_at)
    if isinstance(told, Ignored):
        return Record(envelope, IGNORED, told.reason)
    if told.disposition is Disposition.UNKNOWN_SCHEMA:
        return Record(envelope, told.disposition.value, told.reason)
    events = tuple(
        Event(
            event_id=event.event_id,
            kind=event.kind.value,
            service=event.service,
            repository=event.repository,
            occurred_at=event.occurred_at.isoformat(),
            document=orjson.dumps(event_document(event)).decode(),
        )
        for event in told.events
    )
    return Record(envelope, told.disposition.value, "", events)
