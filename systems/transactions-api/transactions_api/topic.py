"""The topic between the API and the subscriber.

`Publisher` and `Queue` are shaped after SNS with an SQS queue behind it (publish; receive, then delete), which take
their place in `sns_topic.py`: a message that was received but not acknowledged is delivered again.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from reference_system.program import Unavailable

from transactions_api.model import Message


class Broker(Protocol):
    """How telemetry names it."""

    @property
    def system(self) -> str:
        """Which kind of broker, as OpenTelemetry calls it."""
        ...

    @property
    def name(self) -> str:
        """Which topic or queue."""
        ...


class TopicFull(Exception):  # noqa: N818 - reads as what happened
    """The message was not published: too many wait already."""


class TopicUnavailable(Unavailable):
    """The broker could not do what it was asked; the message names the cause."""


class Publisher(Broker, Protocol):
    """Where messages are published; safe for several threads."""

    def publish(self, message: Message) -> None:
        """Accept the message. Raises `TopicFull` or `TopicUnavailable`, and then it may still have been accepted."""
        ...


class Queue(Broker, Protocol):
    """Where a subscriber fetches messages."""

    def receive(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to `limit` of the oldest messages; waits up to `timeout_seconds` for the first, empty if none comes.

        They stay on the topic until they are acknowledged. Raises `TopicUnavailable`.
        """
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remove messages that were received last; they won't come again. Raises `TopicUnavailable`."""
        ...

    def give_back(self, messages: Sequence[Message]) -> None:
        """Let messages that were received last come again soon. Raises `TopicUnavailable`."""
        ...

    def put_aside(self, message: Message, reason: str) -> None:
        """Remove the oldest of those received last for a person to look at. Raises `TopicUnavailable`."""
        ...


class InProcessTopic:
    """A bounded queue in this process's memory with one subscriber. What waits when the process ends is lost."""

    system = "in_memory"
    name = "transactions"

    def __init__(self, capacity: int, *, on_publish: Callable[[Message], None]) -> None:
        self._capacity = capacity
        self._on_publish = on_publish
        self._waiting: deque[Message] = deque()
        self._given_back = 0
        """How many of the oldest messages were received before."""
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
            return tuple(
                replace(message, redelivered=number < self._given_back)
                for number, message in enumerate(islice(self._waiting, limit))
            )

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remove messages that were received last."""
        with self._changed:
            for _ in messages:
                self._waiting.popleft()
            self._given_back = 0

    def put_aside(self, message: Message, reason: str) -> None:  # noqa: ARG002 - the log has it
        """Remove the oldest message: memory has no place where it would outlast the process."""
        self.acknowledge([message])

    def give_back(self, messages: Sequence[Message]) -> None:
        """They never left; they are known as received when they come again."""
        with self._changed:
            self._given_back = len(messages)
