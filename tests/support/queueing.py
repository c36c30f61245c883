"""A durable queue in a folder, and documents for it."""

import secrets
from pathlib import Path

from sereno_collectors.logs.model import Document, Position
from sereno_collectors.logs.queue import DurableQueue, QueueReader

HOUR = "2026-11-25T23"
ALL = (10_000, 50_000_000)


def document(number: int, body: bytes = b"{}") -> Document:
    """A document with a sequence number of its own."""
    return Document(f"{number:08x}", "logs-app-default", body, "shop", "shop-1", number, HOUR)


def noise(size_bytes: int) -> bytes:
    """Bytes of a body that compressing makes no smaller; each time others."""
    return secrets.token_bytes(size_bytes).replace(b"\n", b" ")


def position(offset: int) -> Position:
    """How far a file was read."""
    return Position(path="/app.log", source="s", inode=1, generation=0, offset=offset)


class Desk:
    """A queue in a folder that can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "queue.sqlite"
        self.reports: list[str] = []
        self.limit_bytes = 1_000_000
        self.answered: tuple[Position, ...] = ()
        self.now = 1_000.0
        self.queue = self.opened()

    def opened(self) -> DurableQueue:
        """The queue as a new process finds it."""
        return DurableQueue(
            self.path,
            limit_bytes=self.limit_bytes,
            positions=self.answered,
            now=lambda: self.now,
            report=self.reports.append,
        )

    def again(self) -> None:
        """Close it and open it."""
        self.queue.close()
        self.queue = self.opened()


def waiting(desk: Desk) -> list[str]:
    """The ids of everything in the queue."""
    return [record_id for record_id, _ in QueueReader(desk.path).queued()]
