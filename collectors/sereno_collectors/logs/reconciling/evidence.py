"""What files tell of emitted sequence numbers: log files (rotated and .gz ones, too) and the file of dead letters."""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sereno_backends.logs.ecs import lookup, parse_timestamp

from sereno_collectors.logs.reconciling.model import Known, Whereabouts


def known_from_file(path: Path, end: datetime) -> list[Known]:
    """The numbered ECS lines of a log file that were written before `end`; other lines say nothing.

    Raises:
        OSError: the file can't be read.
    """
    return _ranges(Whereabouts.FILE, _lines(path), end)


def known_from_dead_letters(path: Path, end: datetime) -> list[Known]:
    """The numbered lines in the collector's file of dead letters; a file that is not there holds none.

    Raises:
        OSError: the file can't be read.
    """
    if not path.exists():
        return []
    letters = (_object(line).get("line") for line in _lines(path))
    return _ranges(Whereabouts.DEAD_LETTERS, (line.encode() for line in letters if isinstance(line, str)), end)


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from file


def _ranges(where: Whereabouts, lines: Iterable[bytes], end: datetime) -> list[Known]:
    numbers: dict[tuple[str, str, datetime], set[int]] = defaultdict(set)
    for line in lines:
        document = _object(line)
        source, sequence = lookup(document, "service.node.name"), lookup(document, "event.sequence")
        moment = parse_timestamp(lookup(document, "@timestamp"))
        if isinstance(source, str) and source and type(sequence) is int and sequence > 0 and moment and moment < end:
            hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            numbers[str(lookup(document, "service.name") or ""), source, hour].add(sequence)
    return [
        Known(where, service, source, low, high, hour)
        for (service, source, hour), found in numbers.items()
        for low, high in _spans(sorted(found))
    ]


def _spans(numbers: list[int]) -> Iterator[tuple[int, int]]:
    low = high = numbers[0]
    for number in numbers[1:]:
        if number != high + 1:
            yield low, high
            low = number
        high = number
    yield low, high


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
