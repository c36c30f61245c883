"""From what the store and others know to gaps and duplicates.

Blocks of 1,000 numbers are counted for every source. A block that has as many documents as numbers, and the sum that
these numbers have, is taken for whole; every other one is read number by number. What that can't see: two or more
numbers missing in the same thousand as equally many double ones, with the same sum. `exact` reads every block.

Documents go one way: queue, then store or dead letters. Who looks there in the same order, and for what he missed once
more in the same order, never calls a document missing that moved meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sereno_backends.logs.sequences import SequenceReader

from sereno_collectors.logs.reconciling.examining import Examination, Findings, Source
from sereno_collectors.logs.reconciling.model import HourFigures, Known, Reconciliation, Whereabouts

_ELSEWHERE = (Whereabouts.DEAD_LETTERS, Whereabouts.QUEUE)


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
    sources: dict[str, Source] = {}
    latest: datetime | None = None
    for block in reader.blocks(start, end, services):
        if block.hour != latest:
            progress(latest := block.hour)
        sources.setdefault(block.source, Source(block.service, block.hour)).take_in(block)
    for block in dead_letters.blocks(start, end, services) if dead_letters else ():
        sources.setdefault(block.source, Source(block.service, block.hour)).stretch(block.lowest, block.highest)
    _take_in(sources, [each for each in known if not services or each.service in services], (start, end), reader)
    examination = Examination(reader, dead_letters, start, end, exact)
    emitting = {name: source for name, source in sorted(sources.items()) if source.lowest is not None}
    found = {name: examination.of(name, source) for name, source in emitting.items()}
    lacking = {name: emitting[name] for name, findings in found.items() if findings.gaps}
    if look_again is not None and lacking:
        _take_in_late(lacking, look_again())
        for store in (reader, dead_letters):
            if store is not None:
                store.renew()
        found.update((name, examination.of(name, source)) for name, source in lacking.items())
    return _answer((start, end), list(found.values()))


def _take_in(
    sources: dict[str, Source], known: Sequence[Known], window: tuple[datetime, datetime], reader: SequenceReader
) -> None:
    """What others know: where numbers are, of whatever hour; that they were emitted, of those in the window."""
    stored_from = _stored_from(sources, known, window[0], reader)
    for each in known:
        source = sources.setdefault(each.source, Source(each.service, each.hour))
        if each.where in _ELSEWHERE:
            source.known.append(each)
        if not window[0] <= each.hour < window[1]:
            continue
        oldest = stored_from.get(each.service)
        if each.where is not Whereabouts.RECEIVED or oldest is None or each.hour > oldest:
            source.stretch(each.lowest, each.highest)
        elif each.hour == oldest and source.lowest is not None:
            # Retention may have deleted what is older than the oldest document of a service: that is no loss.
            source.stretch(source.lowest, each.highest)


def _stored_from(
    sources: dict[str, Source], known: Sequence[Known], start: datetime, reader: SequenceReader
) -> dict[str, datetime]:
    """The hour of a service's oldest stored document, for services that have none before the window."""
    oldest: dict[str, datetime] = {}
    for source in sources.values():
        oldest[source.service] = min(source.hour, oldest.get(source.service, source.hour))
    received = {each.service for each in known if each.where is Whereabouts.RECEIVED}
    return {
        service: hour
        for service, hour in oldest.items()
        if service in received and not reader.has_before(service, start)
    }


def _take_in_late(sources: dict[str, Source], known: Iterable[Known]) -> None:
    for each in known:
        if each.where in _ELSEWHERE and each.source in sources:
            sources[each.source].known.append(each)


def _answer(window: tuple[datetime, datetime], found: Sequence[Findings]) -> Reconciliation:
    figures: dict[tuple[str, datetime], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in found:
        for hour, documents in each.indexed.items():
            figures[each.range.service, hour]["indexed"] += documents
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
