"""A message as the broker delivered it: where its headers are, how old it is, whether it came before.

`Delivery` only remembers the client library's objects; they are read within a guarded hook of the consumer, so a
property that raises costs a figure and not the message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from sereno_telemetry.work.headers import enqueued_at_seconds, opened

_PIKA_ARGUMENTS = 4
_LONGEST_NAME = 255
"""Characters: what AMQP's names may have; a key of Redis may have millions."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is known of a delivered message."""

    headers: Mapping[Any, Any] = field(default_factory=dict)
    enqueued_at_seconds: float | None = None
    """Seconds since the epoch."""
    redelivered: bool = False
    """Whether this isn't its first delivery."""
    destination: str | None = None
    """Where it came from, if that isn't the consumer's own destination; label values are limited."""
    message_id: str | None = None


class Delivery:
    """A message as it was delivered, for `Consumer.processing`.

    Args:
        headers: what the sender put beside the body; the trace context and the time of enqueueing are read from it.
        enqueued_at_seconds: seconds since the epoch; None reads it from the headers.
        redelivered: whether the broker says that it delivered this message before.
        destination: where it came from, if not from the consumer's own destination.
        message_id: its name at the broker.
    """

    __slots__ = ("read",)

    def __init__(
        self,
        headers: Mapping[Any, Any] | None = None,
        *,
        enqueued_at_seconds: float | None = None,
        redelivered: bool = False,
        destination: str | None = None,
        message_id: str | None = None,
    ) -> None:
        self.read: Callable[[], Delivered] = lambda: _delivered(
            headers,
            otherwise=enqueued_at_seconds,
            redelivered=redelivered,
            destination=destination,
            message_id=message_id,
        )

    @classmethod
    def _of(cls, read: Callable[[], Delivered]) -> "Delivery":
        delivery = cls()
        delivery.read = read
        return delivery

    @classmethod
    def from_pika(cls, method: Any, properties: Any) -> "Delivery":
        """A message that pika delivered, by callback or by basic_get.

        The AMQP timestamp (whole seconds) tells the age where our header doesn't.
        """
        return cls._of(lambda: _amqp(properties, redelivered=method.redelivered))

    @classmethod
    def from_aio_pika(cls, message: Any) -> "Delivery":
        """A message that aio-pika delivered."""
        return cls._of(lambda: _amqp(message, redelivered=message.redelivered))

    @classmethod
    def from_redis_stream(cls, entry_id: bytes | str, fields: Mapping[Any, Any], *, attempt: int = 1) -> "Delivery":
        """An entry of a Redis stream; its id tells when Redis got it. `attempt` counts deliveries, as XPENDING does."""
        return cls._of(lambda: _redis_stream(entry_id, fields, attempt))

    @classmethod
    def from_redis_list(cls, payload: bytes | str) -> "tuple[Delivery, bytes | str]":
        """An element of a Redis list, and its body: without our envelope, if it has one, else the payload as it is."""
        headers, body = opened(payload)
        return cls(headers), body

    @classmethod
    def from_sqs(cls, message: Mapping[str, Any]) -> "Delivery":
        """A message of `receive_message` or of a Lambda event, also one that SNS wrapped.

        Ask for `MessageAttributeNames=["All"]` and `AttributeNames=["All"]`, or there is nothing to read.
        """
        return cls._of(lambda: _sqs(message))


def delivery_of_arguments(arguments: tuple[Any, ...]) -> Delivery:
    """The delivery among a handler's arguments: pika's (channel, method, properties, body), aio-pika's (message)."""
    if len(arguments) >= _PIKA_ARGUMENTS and hasattr(arguments[-2], "headers"):
        return Delivery.from_pika(arguments[-3], arguments[-2])
    if arguments and hasattr(arguments[-1], "headers") and hasattr(arguments[-1], "redelivered"):
        return Delivery.from_aio_pika(arguments[-1])
    if arguments and isinstance(arguments[-1], Delivery):
        return arguments[-1]
    return Delivery()


def _delivered(
    headers: object,
    *,
    otherwise: float | None = None,
    redelivered: object = False,
    destination: object = None,
    message_id: object = None,
) -> Delivered:
    """`otherwise` is when it was enqueued by another source than our header, which is exact."""
    known = headers if isinstance(headers, Mapping) else {}
    told = enqueued_at_seconds(known)
    return Delivered(
        known,
        otherwise if told is None else told,
        bool(redelivered),
        destination[:_LONGEST_NAME] if isinstance(destination, str) else None,
        message_id[:_LONGEST_NAME] if isinstance(message_id, str) else None,
    )


def _amqp(properties: Any, *, redelivered: object) -> Delivered:
    stamp = properties.timestamp
    sent = stamp.timestamp() if isinstance(stamp, datetime) else _number(stamp)
    return _delivered(properties.headers, otherwise=sent, redelivered=redelivered, message_id=properties.message_id)


def _redis_stream(entry_id: bytes | str, fields: Mapping[Any, Any], attempt: int) -> Delivered:
    name = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds = name.partition("-")[0]  # the server's clock, unless the sender chose ids of its own
    sent = int(milliseconds) / 1000 if milliseconds.isdecimal() else None
    return _delivered(fields, otherwise=sent, redelivered=attempt > 1, message_id=name)


def _sqs(message: Mapping[str, Any]) -> Delivered:
    attributes = message.get("MessageAttributes") or message.get("messageAttributes") or _sns_attributes(message)
    system = message.get("Attributes") or message.get("attributes") or {}
    sent = _number(system.get("SentTimestamp"))
    received = _number(system.get("ApproximateReceiveCount")) or 1
    return _delivered(
        {name: _sqs_text(value) for name, value in attributes.items()},
        otherwise=None if sent is None else sent / 1000,
        redelivered=received > 1,
        message_id=message.get("MessageId") or message.get("messageId"),
    )


def _sns_attributes(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of a notification in a queue without raw delivery: they are in the body."""
    body = message.get("Body") or message.get("body") or ""
    if not (isinstance(body, str) and '"Notification"' in body):
        return {}
    document = orjson.loads(body)
    attributes = document.get("MessageAttributes") if isinstance(document, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def _sqs_text(value: object) -> object:
    """SQS says StringValue, Lambda stringValue, SNS Value."""
    if not isinstance(value, Mapping):
        return None
    return value.get("StringValue") or value.get("stringValue") or value.get("Value")


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if value.isdecimal() else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
