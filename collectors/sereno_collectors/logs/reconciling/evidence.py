"""What files tell of emitted numbers: log files (rotated and .gz ones, too), dead letters, the queue."""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sereno_backends.logs.ecs import lookup, parse_timestamp

from sereno_collectors.logs.queue.reader import QueueReader
from sereno_collectors.logs.reconciling.model import Known, Whereabouts
from sereno_collectors.logs.reconciling.spans import Span, merged

_HOUR = "%Y-%m-%dT%H"
_NEVER = datetime.max.replace(tzinfo=UTC)


def known_from_file(path: Path, end: datetime) -> list[Known]:
    """The numbered ECS lines of a log file that were written before `end`; other lines say nothing.

    Raises:
        OSError: the file can't be read.
    """
    return _ranges(Whereabouts.FILE, _lines(path), end)


def known_from_dead_letters(path: Path) -> list[Known]:
    """The numbered lines in the collector's file of dead letters, of whatever time; a missing file holds none.

    Raises:
        OSError: the file can't be read.
    """
    if not path.exists():
        return []
    letters = (_object(line).get("line") for line in _lines(path))
    return _ranges(Whereabouts.DEAD_LETTERS, (line.encode() for line in letters if isinstance(line, str)), _NEVER)


def known_from_queue(path: Path) -> list[Known]:
    """The numbered documents that wait in a collector's queue now, of whatever time.

    Raises:
        QueueError: there is no queue at the path, or it can't be read.
    """
    return _ranges(Whereabouts.QUEUE, (document for _id, document in QueueReader(path).queued()), _NEVER)


def received_by(path: Path, start: datetime, end: datetime) -> list[Known]:
    """What the collector of a queue received of the hours that `start <= timestamp < end` touches.

    Read it before the store: whatever was received then is in the queue, in the store or a dead letter later.

    Raises:
        QueueError: there is no queue at the path, or it can't be read.
    """
    beyond = end + timedelta(hours=1) - timedelta(microseconds=1)  # the hour of `end` is received in part
    rows = QueueReader(path).received(f"{start.astimezone(UTC):{_HOUR}}", f"{beyond.astimezone(UTC):{_HOUR}}")
    return [
        Known(
            Whereabouts.RECEIVED,
            row.service,
            row.source,
            row.first_sequence,
            row.last_sequence,
            datetime.strptime(row.hour, _HOUR).replace(tzinfo=UTC),
        )
        for row in rows
        if row.source and row.first_sequence > 0
    ]


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from file


def _ranges(where: Whereabouts, lines: Iterable[bytes], end: datetime) -> list[Known]:
    """Spans, not numbers, are remembered: a file may hold more lines than there is memory."""
    spans: dict[tuple[str, str, datetime], list[Span]] = defaultdict(list)
    for line in lines:
        document = _object(line)
        source, sequence = lookup(document, "service.node.name"), lookup(document, "event.sequence")
        moment = parse_timestamp(lookup(document, "@timestamp"))
        if isinstance(source, str) and source and type(sequence) is int and sequence > 0 and moment and moment < end:
            hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            _add(spans[str(lookup(document, "service.name") or ""), source, hour], sequence)
    return [
        Known(where, service, source, low, high, hour)
        for (service, source, hour), found in spans.items()
        for low, high in merged(found)
    ]


def _add(spans: list[Span], number: int) -> None:
    """Lines come in the order of their numbers, mostly: then they are one span."""
    if spans and spans[-1][0] <= number <= spans[-1][1] + 1:
        spans[-1] = spans[-1][0], max(number, spans[-1][1])
    else:
        spans.append((number, number))


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
