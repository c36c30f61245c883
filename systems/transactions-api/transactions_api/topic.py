"""The topic between the API and the subscriber.

`Topic` is shaped after SNS with an SQS queue behind it (publish; receive, then delete), so that those can take its
place: a message that was received but not acknowledged is delivered again.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

from transactions_api.model import Message

TOPIC = "transactions"
MESSAGING_SYSTEM = "in_memory"
"""How telemetry names the broker."""


class TopicFull(Exception):  # noqa: N818 - reads as what happened
    """The message was not published: too many wait already."""


class Topic(Protocol):
    """Where messages are published and fetched; safe for several threads."""

    def publish(self, message: Message) -> None:
        """Accept the message, or raise `TopicFull`."""
        ...

    def receive(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` of the oldest messages; waits up to `timeout_seconds` for the first, empty if none comes.

        They stay on the topic until they are acknowledged.
        """
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remove messages that were received last; they won't come again."""
        ...


class InProcessTopic:
    """A bounded queue in this process's memory with one subscriber. What waits when the process ends is lost."""

    def __init__(self, capacity: int, *, on_publish: Callable[[Message], None]) -> None:
        self._capacity = capacity
        self._on_publish = on_publish
        self._waiting: deque[Message] = deque()
        self._changed = threading.Condition()

    def publish(self, message: Message) -> None:
        """Accept the message, or raise `TopicFull`."""
        with self._changed:
            if len(self._waiting) >= self._capacity:
                raise TopicFull(f"{self._capacity} messages wait for the subscriber already")
            self._on_publish(message)  # before anybody can receive it: counted as published first, then as stored
            self._waiting.append(message)
            self._changed.notify()

    def receive(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` of the oldest messages, in the order of publication."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout_seconds)
            return tuple(islice(self._waiting, limit))

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remove messages that were received last."""
        with self._changed:
            for _ in messages:
                self._waiting.popleft()
