"""The collector's queue: what waits for the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sereno_backends.logs.elasticsearch_units import size_text as size

from sereno_collectors.logs.doctor.model import Finding, Gravity
from sereno_collectors.logs.queue.file import QueueError
from sereno_collectors.logs.queue.reader import QueueReader

OLD = timedelta(minutes=10)
"""As the alert SerenoCollectorStuck."""
FULL_SHARE = 0.8
"""As the alert SerenoCollectorQueueFilling."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What waits for the store."""

    path: Path
    documents: int
    size_bytes: int
    oldest_age: timedelta
    trouble: str = ""
    """Why the queue can't be looked into."""


def read_queue(path: Path, now: datetime) -> QueueFigures | None:
    """The queue's figures; None: there is no queue."""
    if not path.exists():
        return None
    try:
        documents, size_bytes, oldest = QueueReader(path).depth()
    except QueueError as error:
        return QueueFigures(path, 0, 0, timedelta(0), str(error))
    age = timedelta(0) if oldest is None else timedelta(seconds=max(0.0, now.timestamp() - oldest))
    return QueueFigures(path, documents, size_bytes, age)


def queue_findings(queue: QueueFigures | None, limit_bytes: int) -> Iterator[Finding]:
    """Whether documents wait too long, or soon too many."""
    if queue is None:
        yield Finding(Gravity.NOTE, "queue", "no collector's queue is on this machine (--queue names another path)")
    elif queue.trouble:
        yield Finding(Gravity.NEEDS_SOMEBODY, "queue", queue.trouble, "give the path and the rights of the collector's")
    elif queue.oldest_age > OLD or queue.size_bytes > FULL_SHARE * limit_bytes:
        minutes = queue.oldest_age.total_seconds() / 60
        yield Finding(
            Gravity.BROKEN,
            "queue",
            f"{queue.documents:,} documents ({size(queue.size_bytes)} of {size(limit_bytes)}) wait in {queue.path}, "
            f"the oldest for {minutes:,.0f} minutes: the collector doesn't run, or the store takes too little",
            "see the collector's stderr and the findings here; runbooks/SerenoCollectorStuck.md",
        )
    else:
        yield Finding(Gravity.HEALTHY, "queue", f"{queue.documents:,} documents wait ({size(queue.size_bytes)})")
