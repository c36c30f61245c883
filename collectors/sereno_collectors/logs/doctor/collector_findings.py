"""What lies on the collector's own disk: its queue and its dead letters."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from sereno_backends.logs.ecs import parse_timestamp
from sereno_backends.logs.elasticsearch_units import size_text as size

from sereno_collectors.logs.doctor.model import Finding, Gravity
from sereno_collectors.logs.queue.file import QueueError
from sereno_collectors.logs.queue.reader import QueueReader

OLD = timedelta(minutes=10)
"""As the alert SerenoCollectorStuck."""
FULL_SHARE = 0.8
"""As the alert SerenoCollectorQueueFilling."""
RECENT = timedelta(days=1)
LOOK_BACK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What waits for the store."""

    path: Path
    documents: int
    size_bytes: int
    oldest_age: timedelta
    trouble: str = ""
    """Why the queue can't be looked into."""


@dataclass(frozen=True, slots=True)
class DeadLetterFigures:
    """What the store refused for good; of large files their newest part."""

    path: Path
    letters: int
    recent: int
    """Of the last day."""
    reason: str
    """The most frequent one of the last day, or of all."""
    trouble: str = ""
    """Why the file can't be read."""


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


def read_dead_letters(path: Path, now: datetime) -> DeadLetterFigures | None:
    """The dead letters' figures; None: there are none."""
    try:
        with path.open("rb") as file:
            cut = max(0, path.stat().st_size - LOOK_BACK_BYTES)
            file.seek(cut)
            lines = file.read().splitlines()[1 if cut else 0 :]
    except FileNotFoundError:
        return None
    except OSError as error:
        return DeadLetterFigures(path, 0, 0, "", error.strerror or str(error))
    every: Counter[str] = Counter()
    recent: Counter[str] = Counter()
    for line in lines:
        try:
            letter = orjson.loads(line)
            reason, moment = str(letter["reason"]), parse_timestamp(letter["@timestamp"])
        except (ValueError, KeyError, TypeError):
            continue  # a kill has cut it off
        every[reason] += 1
        if moment is not None and moment > now - RECENT:
            recent[reason] += 1
    if not every:
        return None
    ((reason, _),) = (recent or every).most_common(1)
    return DeadLetterFigures(path, every.total(), recent.total(), reason)


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


def dead_letter_findings(letters: DeadLetterFigures | None) -> Iterator[Finding]:
    """What the store refused, and why."""
    if letters is None:
        yield Finding(Gravity.HEALTHY, "dead letters", "none")
    elif letters.trouble:
        message = f"{letters.path} can't be read: {letters.trouble}"
        yield Finding(Gravity.NEEDS_SOMEBODY, "dead letters", message, "run the doctor as the collector's user")
    else:
        # Those of the past stay in the file when they are mended: only new ones ask for somebody.
        yield Finding(
            Gravity.NEEDS_SOMEBODY if letters.recent else Gravity.NOTE,
            "dead letters",
            f"{letters.recent:,} of the last day, {letters.letters:,} in all in {letters.path}; mostly: "
            f"{letters.reason[:200]}",
            "mend what writes them, then collect them again (docs/logs.md); remove the file when that is done",
        )
