"""Seeded losses and duplicates are named exactly, and nothing else is; on both stores."""

from collections.abc import Callable
from datetime import timedelta

from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogStore
from sereno_backends.logs.sequences import SequenceReader
from sereno_collectors.logs.reconciling import Gap, HourFigures, Known, Reconciliation, SourceRange, reconcile
from sereno_collectors.logs.reconciling.model import Whereabouts
from support.log_records import NOON

HOUR = timedelta(hours=1)
Emit = Callable[..., None]


def _reconcile(reader: SequenceReader, source: str, *known: Known, exact: bool = False) -> Reconciliation:
    return reconcile(reader, NOON, NOON + 2 * HOUR, services=[source], known=known, exact=exact)


def _numbers(answer: Reconciliation) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return (
        [(gap.lowest, gap.highest) for gap in answer.gaps],
        [(each.sequence, each.documents) for each in answer.duplicates],
    )


def test_clean_data_is_proven(reader: SequenceReader, emit: Emit, source: str) -> None:
    """Out-of-order arrival, borders of hours and a clock that jumps out of the window and back are no loss."""
    emit(list(range(600, 1100)))
    emit(list(range(1, 600)), at=1800)
    emit(list(range(1100, 1200)), at=-86400)
    emit(list(range(1200, 2200)), at=3600)

    answer = _reconcile(reader, source)

    assert answer.is_proven
    assert [(row.hour, row.emitted, row.missing) for row in answer.hours] == [(NOON, 1099, 0), (NOON + HOUR, 1000, 0)]
    assert answer.sources == (SourceRange(source, source, 1, 2199),)


def test_a_gap_is_named_with_its_neighbours(reader: SequenceReader, emit: Emit, source: str) -> None:
    """A gap over several blocks is one gap of the hour of the neighbour before it."""
    emit(list(range(1, 501)), at=3599)
    emit(list(range(4321, 4400)), at=3600)

    answer = _reconcile(reader, source)

    expected = Gap(source, source, NOON, 501, 4320, NOON + timedelta(seconds=3599), NOON + HOUR)
    assert answer.gaps == (expected,)
    assert answer.hours[0] == HourFigures(source, NOON, 500, 0, 0, 3820, 0)
    assert not answer.duplicates


def test_one_missing_and_one_double_in_the_same_thousand(reader: SequenceReader, emit: Emit, source: str) -> None:
    """A count that is right by accident hides nothing."""
    emit([number for number in range(1, 1000) if number != 400])
    emit([700], at=5, copy="-again")
    assert _numbers(_reconcile(reader, source)) == ([(400, 400)], [(700, 2)])


def test_what_sums_hide_is_found_by_an_exact_run(reader: SequenceReader, emit: Emit, source: str) -> None:
    """Two missing and two double with the same sum are found by reading every number."""
    emit([number for number in range(1, 1000) if number not in {400, 403}])
    emit([401, 402], copy="-again")
    assert _numbers(_reconcile(reader, source, exact=True)) == ([(400, 400), (403, 403)], [(401, 2), (402, 2)])


def test_a_loss_between_two_windows_belongs_to_the_later_one(reader: SequenceReader, emit: Emit, source: str) -> None:
    """The last number before the window is asked for; a deleted beginning is no loss, but said."""
    emit([41, 42], at=-7200)
    emit([45, 46])
    assert _numbers(_reconcile(reader, source)) == ([(43, 44)], [])
    assert reconcile(reader, NOON - 2 * HOUR, NOON - HOUR, services=[source]).sources[0].lowest == 41


def test_what_is_queued_or_dead_is_not_missing(reader: SequenceReader, emit: Emit, source: str) -> None:
    """Absent numbers that are known elsewhere are counted there; lines of a file that are nowhere are missing."""
    emit([1, 2, 6])
    queued = Known(Whereabouts.QUEUE, source, source, 3, 4, NOON)
    dead = Known(Whereabouts.DEAD_LETTERS, source, source, 2, 5, NOON)
    written = Known(Whereabouts.FILE, source, source, 1, 9, NOON)

    answer = _reconcile(reader, source, queued, dead, written)

    assert answer.hours == (HourFigures(source, NOON, 3, 1, 2, 3, 0),)
    assert answer.hours[0].emitted == 9
    assert _numbers(answer) == ([(7, 9)], [])


def test_a_source_that_the_store_never_saw(reader: SequenceReader, source: str) -> None:
    """A source that only a log file knows is missing altogether."""
    answer = _reconcile(reader, source, Known(Whereabouts.FILE, source, source, 1, 3, NOON))
    assert answer.gaps == (Gap(source, source, NOON, 1, 3, None, None),)


def test_a_copy_behind_a_rollover_is_found(store: LogStore, reader: SequenceReader, emit: Emit, source: str) -> None:
    """The same id in two backing indices of a stream is a duplicate."""
    emit([1, 2, 3])
    if isinstance(store, ElasticsearchLogStore):
        namespace = store.name.rpartition("-")[2].rstrip(")")
        Elasticsearch(reader.name.removeprefix("Elasticsearch ")).indices.rollover(alias=f"logs-app-{namespace}")
    emit([2], copy="" if isinstance(store, ElasticsearchLogStore) else "-again")
    assert _numbers(_reconcile(reader, source)) == ([], [(2, 2)])


def test_a_copy_outside_the_window_counts_with_the_other(reader: SequenceReader, emit: Emit, source: str) -> None:
    """A double one whose copies stand on both sides of the window's beginning is one emitted document."""
    emit([1, 2, 3])
    emit([2], at=-7200, copy="-again")
    answer = _reconcile(reader, source, exact=True)
    assert _numbers(answer) == ([], [(2, 2)])
    assert [row.emitted for row in answer.hours] == [1, 2]
