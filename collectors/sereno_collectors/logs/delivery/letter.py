"""A record that the store refused for good, and who keeps such ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sereno_backends.logs import LogRecord


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that the store will not have, and why."""

    reason: str
    record: LogRecord
    stream: str = ""
    """The data stream that it was meant for; empty where it isn't known."""
    body: bytes = b""
    """The document as it was sent; empty where it isn't known."""


class KeepsDeadLetters(Protocol):
    """A place for dead letters."""

    def keep(self, letters: Iterable[DeadLetter]) -> None:
        """Keep those that are not there yet; kept for good when this returns.

        Raises:
            LogStoreError: it can't be done now.
            OSError: likewise.
        """
        ...
