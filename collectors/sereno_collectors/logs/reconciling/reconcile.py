"""From what the store and others know to gaps and duplicates.

Blocks of 1,000 numbers are counted for every source. A block that has as many documents as numbers, and the sum that
these numbers have, is taken for whole; every other one is read number by number. What that can't see: two or more
numbers missing in the same thousand as equally many double ones, with the same sum. `exact` reads every block.

Documents go one way: queue, then store or dead letters. Who looks there in the same order, and for what he missed once
more in the same order, never calls a document missing that moved meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from sereno_collectors.logs.reconciling.spans import Span, merged, suspects, without

_ELSEWHERE = (Whereabouts.DEAD_LETTERS, Whereabouts.QUEUE)


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


@dataclass(frozen=True, slots=True)
class _Findings:
    """What came out of one source."""

    range: SourceRange
    gaps: tuple[Gap, ...]
    duplicates: tuple[Duplicate, ...]
    elsewhere: tuple[Known, ...]
    """Where numbers are that the store has not."""
    places: dict[int, Place]
    """The suspected numbers that the store has."""


def reconcile(
    reader: SequenceReader,
    start: datetime,
    end: datetime,
    *,
    services: Sequence[str] = (),
    dead_letters: SequenceReader | None = None,
    known: Iterable[Known] = (),
    look_again: Callable[[], Iterable[Known]] | None = None,
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
        known: dead letters of files, queued documents and lines of files, as they were before this call.
        look_again: reads the queue and the files of dead letters anew; called where numbers seem to be missing.
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
    _take_in(sources, known, (start, end), services)
    stores = (reader, dead_letters)
    emitting = {name: source for name, source in sorted(sources.items()) if source.lowest is not None}
    found = {name: _examined(stores, name, source, exact=exact) for name, source in emitting.items()}
    lacking = {name: emitting[name] for name, findings in found.items() if findings.gaps}
    if look_again is not None and lacking:
        _take_in_late(lacking, look_again())
        for store in filter(None, stores):
            store.renew()
        for name, source in lacking.items():
            again = _examined(stores, name, source, exact=exact)
            for place in _appeared(found[name].gaps, again.places):
                if start <= place.first < end:
                    indexed[source.service, _hour(place.first)] += place.documents
            found[name] = again
    return _answer((start, end), indexed, list(found.values()))


def _take_in(
    sources: dict[str, _Source], known: Iterable[Known], window: tuple[datetime, datetime], services: Sequence[str]
) -> None:
    """What others know: where numbers are, of whatever hour; that they were emitted, of those in the window."""
    oldest: dict[str, datetime] = {}
    for source in sources.values():
        oldest[source.service] = min(source.hour, oldest.get(source.service, source.hour))
    for each in known:
        if services and each.service not in services:
            continue
        source = sources.setdefault(each.source, _Source(each.service, each.hour))
        if each.where in _ELSEWHERE:
            source.known.append(each)
        if not window[0] <= each.hour < window[1]:
            continue
        stored_from = oldest.get(each.service)
        if each.where is not Whereabouts.RECEIVED or stored_from is None or each.hour > stored_from:
            source.stretch(each.lowest, each.highest)
        elif each.hour == stored_from and source.lowest is not None:
            # Retention may have deleted what is older than the oldest document of a service: that is no loss.
            source.stretch(source.lowest, each.highest)


def _take_in_late(sources: dict[str, _Source], known: Iterable[Known]) -> None:
    for each in known:
        if each.where in _ELSEWHERE and each.source in sources:
            sources[each.source].known.append(each)


def _appeared(gaps: Sequence[Gap], places: dict[int, Place]) -> Iterator[Place]:
    """What was missing before, and is in the store now."""
    for place in places.values():
        if any(gap.lowest <= place.sequence <= gap.highest for gap in gaps):
            yield place


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
    for low, high in suspects(source.blocks, first, source.highest, exact=exact):
        for place_or_span in _read(reader, name, low, high):
            if isinstance(place_or_span, Place):
                places[place_or_span.sequence] = place_or_span
            else:
                absent.append(place_or_span)
    absent = merged(absent)
    elsewhere, absent = _found_elsewhere(absent, _known(dead_letters, name, source, absent))
    duplicates = tuple(
        Duplicate(source.service, name, _hour(place.first), place.sequence, place.documents, place.first, place.last)
        for place in places.values()
        if place.documents > 1
    )
    return _Findings(
        SourceRange(source.service, name, first, source.highest),
        tuple(_gap(reader, name, source, span, places) for span in absent),
        duplicates,
        tuple(elsewhere),
        places,
    )


def _known(dead_letters: SequenceReader | None, name: str, source: _Source, absent: Sequence[Span]) -> Iterator[Known]:
    """Whatever tells where an absent number is."""
    for low, high in absent:
        for found in () if dead_letters is None else _read(dead_letters, name, low, high):
            if isinstance(found, Place):
                number = found.sequence
                yield Known(Whereabouts.DEAD_LETTERS, source.service, name, number, number, _hour(found.first))
    yield from source.known


def _found_elsewhere(absent: list[Span], known: Iterable[Known]) -> tuple[list[Known], list[Span]]:
    """The absent numbers that are known to be elsewhere, each once; and the rest."""
    found: list[Known] = []
    for each in known:
        overlaps = [(max(low, each.lowest), min(high, each.highest)) for low, high in absent]
        for low, high in overlaps:
            if low <= high:
                found.append(replace(each, lowest=low, highest=high))
                absent = [rest for span in absent for rest in without(span, (low, high))]
    return found, absent


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
    for each in found:
        for gap in each.gaps:
            figures[gap.service, gap.hour]["missing"] += gap.documents
        for duplicate in each.duplicates:
            figures[duplicate.service, duplicate.hour]["twice"] += duplicate.documents - 1
        for known in each.elsewhere:
            outcome = "queued" if known.where is Whereabouts.QUEUE else "dead_lettered"
            figures[known.service, known.hour][outcome] += known.highest - known.lowest + 1
    columns = ("indexed", "dead_lettered", "queued", "missing", "twice")
    gaps = (gap for each in found for gap in each.gaps)
    duplicates = (one for each in found for one in each.duplicates)
    return Reconciliation(
        *window,
        tuple(HourFigures(*key, *(row[column] for column in columns)) for key, row in sorted(figures.items())),
        tuple(sorted(gaps, key=lambda gap: (gap.service, gap.source, gap.lowest))),
        tuple(sorted(duplicates, key=lambda one: (one.service, one.source, one.sequence))),
        tuple(each.range for each in found),
    )
