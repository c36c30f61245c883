"""A message as the application sees it while it is processed: what came of it is said here."""

import contextlib
from typing import Literal

from opentelemetry import context as otel_context
from opentelemetry.context import Context

Outcome = Literal["ok", "retried", "rejected", "failed"]

_MESSAGE = otel_context.create_key("sereno-telemetry-message")


class Message:
    """The message, or the batch, that is being processed; the application says here what came of it.

    What is said decides the `outcome` of the metrics. It changes nothing at the broker: acknowledge and reject there.
    """

    __slots__ = ("error_type", "outcome")

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        """None as long as nothing is said: then an exception is `failed`, its absence `ok`."""
        self.error_type: str | None = None

    def retry(self, reason: str = "") -> None:
        """It will be tried again. A reason becomes `error_type`: one of few, never a text with ids in it."""
        self.outcome, self.error_type = "retried", reason

    def reject(self, reason: str = "") -> None:
        """It can never be processed, and is dropped or goes to a dead-letter queue."""
        self.outcome, self.error_type = "rejected", reason

    def fail(self, reason: str = "") -> None:
        """It was not processed, though no exception leaves the block."""
        self.outcome, self.error_type = "failed", reason


def with_message(context: Context, message: Message) -> Context:
    """`context` with `message` as the one that is being processed."""
    return otel_context.set_value(_MESSAGE, message, context)


def current_message() -> Message:
    """The message that is being processed here; outside of one, one that nobody looks at. Never raises."""
    with contextlib.suppress(Exception):
        message = otel_context.get_value(_MESSAGE)
        if isinstance(message, Message):
            return message
    return Message()
