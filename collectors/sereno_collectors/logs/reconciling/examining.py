"""One source, number by number where counts do not prove it: what the store has, and where the rest is."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter

from sereno_backends.logs.sequences import BLOCK, Block, Place, SequenceReader

from sereno_collectors.logs.reconciling.model import Duplicate, Gap, Known, SourceRange, Whereabouts
from sereno_collectors.logs.reconciling.spans import Span, merged, suspects, without


class Source:
    """What is known of one source in the window."""

    def __init__(self, service: str, hour: datetime) -> None:
        self.service = service
        self.hour = hour
        """The first one that is known."""
        self.blocks: dict[int, list[int]] = {}
        """Number of the block: documents and sum."""
        self.counted: dict[int, Counter[datetime]] = {}
        """Number of the block: documents by hour."""
        self.lowest: int | None = None
        self.highest = 0
        self.known: list[Known] = []

    def take_in(self, block: Block) -> None:
        """The store has these."""
        figures = self.blocks.setdefault(block.number, [0, 0])
        figures[0] += block.documents
        figures[1] += block.total
        self.counted.setdefault(block.number, Counter())[block.hour] += block.documents
        self.stretch(block.lowest, block.highest)

    def stretch(self, lowest: int, highest: int) -> None:
        """These numbers were emitted in the window."""
        self.lowest = lowest if self.lowest is None else min(self.lowest, lowest)
        self.highest = max(self.highest, highest)


@dataclass(frozen=True, slots=True)
class Findings:
    """What came out of one source."""

    range: SourceRange
    indexed: Counter[datetime]
    """Documents by hour."""
    gaps: tuple[Gap, ...]
    duplicates: tuple[Duplicate, ...]
    elsewhere: tuple[Known, ...]
    """Where numbers are that the store has not."""


@dataclass(slots=True)
class _Reading:
    """What numbers that were read one by one add up to; of those that are there once only neighbours are kept."""

    start: datetime
    end: datetime
    indexed: Counter[datetime] = field(default_factory=Counter)
    absent: list[Span] = field(default_factory=list)
    double: list[Place] = field(default_factory=list)
    beside: dict[int, datetime] = field(default_factory=dict)
    """When the neighbours of absent numbers were written."""
    _last: Place | None = None

    def take_in(self, found: Place | Span) -> None:
        """In the order of numbers."""
        if isinstance(found, Place):
            self._take_in_place(found)
            return
        self.absent.append(found)
        if self._last is not None and self._last.sequence == found[0] - 1:
            self.beside[self._last.sequence] = self._last.first

    def _take_in_place(self, place: Place) -> None:
        # A double one counts wholly in the hour of its first copy, wherever the others stand.
        if place.documents > 1 or self.start <= place.first < self.end:
            self.indexed[hour_of(place.first)] += place.documents
        if place.documents > 1:
            self.double.append(place)
        if self.absent and self.absent[-1][1] == place.sequence - 1:
            self.beside[place.sequence] = place.first
        self._last = place


@dataclass(frozen=True, slots=True)
class Examination:
    """What is asked of each source.

    Args:
        reader: the store.
        dead_letters: where the store keeps what it refused, if it does.
        start: of the window.
        end: of the window.
        exact: read every number instead of trusting counts and sums.
    """

    reader: SequenceReader
    dead_letters: SequenceReader | None
    start: datetime
    end: datetime
    exact: bool

    def of(self, name: str, source: Source) -> Findings:
        """What is missing and double of one source, and what of the known is not in the store."""
        lowest = source.lowest or 1
        before = self.reader.preceding(name, lowest) if lowest > 1 else None
        first = lowest if before is None else before + 1  # lost between the window before and this one
        reading, trusted = _Reading(self.start, self.end), dict(source.counted)
        for low, high in suspects(source.blocks, first, source.highest, exact=self.exact):
            trusted.pop(low // BLOCK, None)  # of these what is read now counts: it may be more than what was counted
            for found in _read(self.reader, name, low, high):
                reading.take_in(found)
        absent = merged(reading.absent)
        elsewhere, absent = found_elsewhere(absent, self._known(name, source, absent))
        return Findings(
            SourceRange(source.service, name, first, source.highest),
            sum(trusted.values(), reading.indexed),
            tuple(self._gap(name, source, span, reading.beside) for span in absent),
            tuple(
                Duplicate(source.service, name, hour_of(one.first), one.sequence, one.documents, one.first, one.last)
                for one in reading.double
            ),
            tuple(elsewhere),
        )

    def _known(self, name: str, source: Source, absent: Sequence[Span]) -> Iterator[Known]:
        """Whatever tells where an absent number is."""
        if self.dead_letters is not None:
            for low, high in _stretches(absent):
                for found in _read(self.dead_letters, name, low, high):
                    if isinstance(found, Place):
                        number, hour = found.sequence, hour_of(found.first)
                        yield Known(Whereabouts.DEAD_LETTERS, source.service, name, number, number, hour)
        yield from source.known

    def _gap(self, name: str, source: Source, span: Span, beside: dict[int, datetime]) -> Gap:
        def moment(sequence: int) -> datetime | None:
            if sequence in beside:
                return beside[sequence]
            place = next(iter(self.reader.places(name, sequence, sequence)), None)
            return place.first if place else None

        after, before = moment(span[0] - 1), moment(span[1] + 1)
        neighbour = after or before
        return Gap(source.service, name, hour_of(neighbour) if neighbour else source.hour, *span, after, before)


def found_elsewhere(absent: Sequence[Span], known: Iterable[Known]) -> tuple[list[Known], list[Span]]:
    """The absent numbers that are known to be elsewhere, each once, where it is known to be first; and the rest.

    Args:
        absent: in order, none overlaps another.
        known: in any order.
    """
    found: list[Known] = []
    left = list(absent)
    for each in known:
        begin = end = bisect_left(left, each.lowest, key=itemgetter(1))
        rests: list[Span] = []
        while end < len(left) and left[end][0] <= each.highest:
            low, high = max(left[end][0], each.lowest), min(left[end][1], each.highest)
            found.append(replace(each, lowest=low, highest=high))
            rests += without(left[end], (low, high))
            end += 1
        left[begin:end] = rests
    return found, left


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _stretches(absent: Sequence[Span]) -> Iterator[Span]:
    """Spans with all absent numbers in them, few where these are many: each is a question."""
    waiting: Span | None = None
    for low, high in absent:
        if waiting is None:
            waiting = low, high
        elif high - waiting[0] < BLOCK:
            waiting = waiting[0], high
        else:
            yield waiting
            waiting = low, high
    if waiting is not None:
        yield waiting


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
