"""From what the store and others know to gaps and duplicates.

Blocks of 1,000 numbers are counted for every source. A block that has as many documents as numbers, and the sum that
these numbers have, is taken for whole; every other one is read number by number. What that can't see: two or more
numbers missing in the same thousand as equally many double ones, with the same sum. `exact` reads every block.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sereno_backends.logs.sequences import BLOCK, Place, SequenceReader

from sereno_collectors.logs.reconciling.model import (
    Duplicate,
    Gap,
    HourFigures,
    Known,
    Reconciliation,
    SourceRange,
    Whereabouts,
)

Span = tuple[int, int]
"""Lowest and highest number, both included."""


class _Source:
    """What is known of one source in the window."""

    def __init__(self, service: str, hour: datetime) -> None:
        self.service = service
        self.hour = hour
        """The first one that is known."""
        self.blocks: dict[int, list[int]] = {}
        """Number of the block: documents and sum."""
        self.lowest: int | None = None
        self.highest = 0
        self.known: list[Known] = []

    def stretch(self, lowest: int, highest: int) -> None:
        """These numbers were emitted in the window."""
        self.lowest = lowest if self.lowest is None else min(self.lowest, lowest)
        self.highest = max(self.highest, highest)


def reconcile(
    reader: SequenceReader,
    start: datetime,
    end: datetime,
    *,
    services: Sequence[str] = (),
    dead_letters: SequenceReader | None = None,
    known: Iterable[Known] = (),
    exact: bool = False,
    progress: Callable[[datetime], None] = lambda _hour: None,
) -> Reconciliation:
    """Compare what was emitted in `start <= timestamp < end` with where it is.

    Args:
        reader: the store.
        start: aware; the beginning of an hour.
        end: aware; documents that are on their way at `end` must be among `known`, or be older than that.
        services: none named: all.
        dead_letters: where the store keeps what it refused, if it does.
        known: dead letters of files, queued documents and lines of files.
        exact: read every number instead of trusting counts and sums.
        progress: called with each hour that is begun.

    Raises:
        LogStoreError: the store could not answer.
    """
    sources: dict[str, _Source] = {}
    indexed: dict[tuple[str, datetime], int] = defaultdict(int)
    latest: datetime | None = None
    for block in reader.blocks(start, end, services):
        if block.hour != latest:
            progress(latest := block.hour)
        source = sources.setdefault(block.source, _Source(block.service, block.hour))
        figures = source.blocks.setdefault(block.number, [0, 0])
        figures[0] += block.documents
        figures[1] += block.total
        source.stretch(block.lowest, block.highest)
        indexed[block.service, block.hour] += block.documents
    for block in dead_letters.blocks(start, end, services) if dead_letters else ():
        sources.setdefault(block.source, _Source(block.service, block.hour)).stretch(block.lowest, block.highest)
    for each in known:
        if start <= each.hour < end and (not services or each.service in services):
            source = sources.setdefault(each.source, _Source(each.service, each.hour))
            source.known.append(each)
            source.stretch(each.lowest, each.highest)
    stores = (reader, dead_letters)
    found = [_examined(stores, name, source, exact=exact) for name, source in sorted(sources.items())]
    return _answer((start, end), indexed, found)


_Findings = tuple[SourceRange, list[Gap], list[Duplicate], list[Known]]


def _examined(
    stores: tuple[SequenceReader, SequenceReader | None], name: str, source: _Source, *, exact: bool
) -> _Findings:
    """What is missing and double of one source, and what of the known is not in the store."""
    reader, dead_letters = stores
    lowest = source.lowest or 1
    before = reader.preceding(name, lowest) if lowest > 1 else None
    first = lowest if before is None else before + 1  # lost between the window before and this one
    absent: list[Span] = []
    places: dict[int, Place] = {}
    for low, high in _suspects(source, first, exact=exact):
        for place_or_span in _read(reader, name, low, high):
            if isinstance(place_or_span, Place):
                places[place_or_span.sequence] = place_or_span
            else:
                absent.append(place_or_span)
    absent = _merged(absent)
    elsewhere, absent = _found_elsewhere(absent, _known(dead_letters, name, source, absent))
    gaps = [_gap(reader, name, source, span, places) for span in absent]
    duplicates = [
        Duplicate(source.service, name, _hour(place.first), place.sequence, place.documents, place.first, place.last)
        for place in places.values()
        if place.documents > 1
    ]
    return SourceRange(source.service, name, first, source.highest), gaps, duplicates, elsewhere


def _known(dead_letters: SequenceReader | None, name: str, source: _Source, absent: Sequence[Span]) -> Iterator[Known]:
    """Whatever tells where an absent number is."""
    for low, high in absent:
        for found in () if dead_letters is None else _read(dead_letters, name, low, high):
            if isinstance(found, Place):
                number = found.sequence
                yield Known(Whereabouts.DEAD_LETTERS, source.service, name, number, number, _hour(found.first))
    yield from (each for each in source.known if each.where is not Whereabouts.FILE)


def _found_elsewhere(absent: list[Span], known: Iterable[Known]) -> tuple[list[Known], list[Span]]:
    """The absent numbers that are known to be elsewhere, each once; and the rest."""
    found: list[Known] = []
    for each in known:
        overlaps = [(max(low, each.lowest), min(high, each.highest)) for low, high in absent]
        for low, high in overlaps:
            if low <= high:
                found.append(replace(each, lowest=low, highest=high))
                absent = [rest for span in absent for rest in _without(span, (low, high))]
    return found, absent


def _suspects(source: _Source, first: int, *, exact: bool) -> Iterator[Span]:
    """Spans of numbers that are not known to be there exactly once."""
    expected = first
    for number, (documents, total) in sorted(source.blocks.items()):
        low, high = max(first, number * BLOCK), min(source.highest, number * BLOCK + BLOCK - 1)
        if expected < low:
            yield expected, low - 1
        size = high - low + 1
        if exact or documents != size or total * 2 != (low + high) * size:
            yield low, high
        expected = high + 1
    if expected <= source.highest:
        yield expected, source.highest


def _read(reader: SequenceReader, name: str, low: int, high: int) -> Iterator[Place | Span]:
    """Every number of a span that is there, and every span that is not; wide spans are halved while they hold any."""
    if high - low >= BLOCK:
        if reader.count(name, low, high) == 0:
            yield low, high
            return
        middle = (low + high) // 2
        yield from _read(reader, name, low, middle)
        yield from _read(reader, name, middle + 1, high)
        return
    expected = low
    for place in reader.places(name, low, high):
        if expected < place.sequence:
            yield expected, place.sequence - 1
        yield place
        expected = place.sequence + 1
    if expected <= high:
        yield expected, high


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Neighbouring spans as one."""
    merged: list[Span] = []
    for low, high in sorted(spans):
        if merged and merged[-1][1] + 1 >= low:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _without(span: Span, taken: Span) -> list[Span]:
    """What is left of a span."""
    parts = ((span[0], min(span[1], taken[0] - 1)), (max(span[0], taken[1] + 1), span[1]))
    return [part for part in dict.fromkeys(parts) if part[0] <= part[1]]


def _gap(reader: SequenceReader, name: str, source: _Source, span: Span, places: dict[int, Place]) -> Gap:
    def moment(sequence: int) -> datetime | None:
        place = places.get(sequence) or next(iter(reader.places(name, sequence, sequence)), None)
        return place.first if place else None

    after, before = moment(span[0] - 1), moment(span[1] + 1)
    neighbour = after or before
    hour = _hour(neighbour) if neighbour else source.hour
    return Gap(source.service, name, hour, *span, after, before)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _answer(
    window: tuple[datetime, datetime],
    indexed: dict[tuple[str, datetime], int],
    found: Sequence[_Findings],
) -> Reconciliation:
    figures: dict[tuple[str, datetime], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, documents in indexed.items():
        figures[key]["indexed"] = documents
    for _range, gaps, duplicates, elsewhere in found:
        for gap in gaps:
            figures[gap.service, gap.hour]["missing"] += gap.documents
        for duplicate in duplicates:
            figures[duplicate.service, duplicate.hour]["twice"] += duplicate.documents - 1
        for each in elsewhere:
            outcome = "queued" if each.where is Whereabouts.QUEUE else "dead_lettered"
            figures[each.service, each.hour][outcome] += each.highest - each.lowest + 1
    columns = ("indexed", "dead_lettered", "queued", "missing", "twice")
    return Reconciliation(
        *window,
        tuple(HourFigures(*key, *(row[column] for column in columns)) for key, row in sorted(figures.items())),
        tuple(
            sorted((gap for each in found for gap in each[1]), key=lambda gap: (gap.service, gap.source, gap.lowest))
        ),
        tuple(
            sorted((one for each in found for one in each[2]), key=lambda one: (one.service, one.source, one.sequence))
        ),
        tuple(each[0] for each in found),
    )
