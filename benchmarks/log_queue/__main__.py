"""CPU of putting, taking and settling documents: `python -m benchmarks.log_queue`.

Both sides write with WAL and synchronous=FULL, one commit for each batch; the rows are deleted by a second commit.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue, Settlement

BODY_BYTES = 620
BATCHES = (500, 2_000)
ROUNDS = 40


def documents(count: int) -> list[Document]:
    """So many documents of one source."""
    body = b'{"message":"%b"}' % (b"x" * (BODY_BYTES - 14))
    return [
        Document(f"{number:064x}", "logs-app-default", body, "shop", "shop-1", number + 1, "2026-11-25T23")
        for number in range(count)
    ]


def through_the_queue(queue: DurableQueue, batch: Sequence[Document]) -> None:
    """Put a batch, take it, settle it."""
    queue.put(batch)
    queue.settle([Settlement(parcel) for parcel in queue.take(2_000, 5_000_000)])


def through_rows(connection: sqlite3.Connection, batch: Sequence[Document]) -> None:
    """The same with a row for each document."""
    with connection:
        connection.executemany("INSERT INTO event (body) VALUES (?)", [(one.body,) for one in batch])
    read = connection.execute("SELECT id, body FROM event ORDER BY id LIMIT 2000").fetchall()
    with connection:
        connection.execute("DELETE FROM event WHERE id <= ?", (read[-1][0],))


def microseconds(work: Callable[[], None], count: int) -> float:
    """CPU of this process for each document."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / count * 1e6


def main() -> None:
    """Interleave both, print the medians."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        folder = Path(place)
        queue = DurableQueue(folder / "queue.sqlite", limit_bytes=10**9, report=print)
        with closing(queue), closing(sqlite3.connect(folder / "rows.sqlite")) as rows:
            rows.execute("PRAGMA journal_mode = WAL")
            rows.execute("PRAGMA synchronous = FULL")
            rows.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
            print(f"{'documents in a batch':22}{'queue, µs each':>16}{'rows, µs each':>16}")
            for size in BATCHES:
                batch = documents(size)
                spent: list[tuple[float, float]] = []
                for _ in range(ROUNDS):
                    ours = microseconds(partial(through_the_queue, queue, batch), size)
                    theirs = microseconds(partial(through_rows, rows, batch), size)
                    spent.append((ours, theirs))
                ours, theirs = (median(column) for column in zip(*spent, strict=True))
                print(f"{size:<22,}{ours:>16.1f}{theirs:>16.1f}")


if __name__ == "__main__":
    main()
