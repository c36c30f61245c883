"""What goes over the queue: the payload as it came, tagged with time, platform and event type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sereno_collectors.devops.authentication import header_of
from sereno_collectors.devops.model import Message
from sereno_collectors.devops.providers import ADAPTERS

QUEUE: Final = "devops-events"
DEAD_LETTERS: Final = "devops-events.dead-letters"
"""What can't be stored, whatever is tried: kept for a person to look at."""
QUEUE_ARGUMENTS: Final[Mapping[str, str]] = {
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD_LETTERS,
}
MESSAGING_SYSTEM: Final = "rabbitmq"
"""How telemetry names the broker."""

_LONGEST_TEXT = 200
_MOST_HEADERS = 30
_KEPT = ("x-", "webhook-id", "webhook-timestamp", "idempotency-key", "user-agent")
_LEFT_OUT = ("x-forwarded-", "x-real-ip")
_CREDENTIALS = frozenset(header_of(scheme) for adapter in ADAPTERS.values() for scheme in adapter.schemes)


class NotAnEnvelope(Exception):  # noqa: N818 - reads as what it is
    """A message on the queue that no ingestion node has put there; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One delivery on its way to the store."""

    key: str
    """What it is known by: `idempotency_key`."""
    platform: str
    event_type: str
    """As the platform names it."""
    received_at: datetime
    """When a node accepted it; aware UTC."""
    node: str
    headers: Mapping[str, str]
    """Those of the webhook that say something about it; never credentials."""
    body: bytes
    """The payload, byte for byte."""

    def tags(self) -> dict[str, Any]:
        """The headers of the message on the queue."""
        return {
            "key": self.key,
            "platform": self.platform,
            "event-type": self.event_type,
            "received-at": self.received_at.isoformat(),
            "node": self.node,
            "webhook": dict(self.headers),
        }


def enclose(
    message: Message, *, key: str, platform: str, event_type: str, received_at: datetime, node: str
) -> Envelope:
    """The envelope of an authentic delivery."""
    told = {
        name: value[:_LONGEST_TEXT]
        for name, value in message.headers.items()
        if name.startswith(_KEPT) and not name.startswith(_LEFT_OUT) and name not in _CREDENTIALS
    }
    kept = dict(sorted(told.items())[:_MOST_HEADERS])
    return Envelope(key, platform, event_type[:_LONGEST_TEXT], received_at, node, kept, message.body)


def opened(tags: Mapping[str, Any] | None, body: bytes) -> Envelope:
    """The envelope that a message of the queue is.

    Raises:
        NotAnEnvelope: somebody else has put it there.
    """
    given = tags or {}
    webhook = given.get("webhook")
    try:
        return Envelope(
            key=_text(given, "key"),
            platform=_text(given, "platform"),
            event_type=_text(given, "event-type"),
            received_at=datetime.fromisoformat(_text(given, "received-at")),
            node=_text(given, "node"),
            headers={str(name): str(value) for name, value in webhook.items()} if isinstance(webhook, Mapping) else {},
            body=body,
        )
    except ValueError as error:
        raise NotAnEnvelope(f"the tag received-at is no time: {error}") from error


def _text(tags: Mapping[str, Any], name: str) -> str:
    value = tags.get(name)
    if not isinstance(value, str) or not value:
        raise NotAnEnvelope(f"the tag {name} is missing")
    return value
