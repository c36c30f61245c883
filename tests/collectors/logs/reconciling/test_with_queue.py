"""Emitted = indexed + dead-lettered + queued, with a real queue: seeded losses are named, what moves is none."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sereno_backends.logs import LogQuery, LogStore
from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.sequences import SequenceReader
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue, Settlement
from sereno_collectors.logs.reconciling import HourFigures, Known, Reconciliation, reconcile
from sereno_collectors.logs.reconciling.evidence import known_from_queue, received_by
from support.log_records import NOON

HOUR = timedelta(hours=1)
Emit = Callable[..., None]


class Queue:
    """A collector's queue with documents of this test's source."""

    def __init__(self, folder: Path, source: str) -> None:
        self.path = folder / "queue.sqlite"
        self._source = source
        self._reports: list[str] = []
        self.queue = DurableQueue(self.path, limit_bytes=1_000_000, report=self._reports.append)

    def put(self, *numbers: int, at: float = 0, node: str = "") -> None:
        """Queue these numbers of the service's source, or of another one, as one parcel."""
        moment = format_timestamp(NOON + timedelta(seconds=at))
        self.queue.put([self._document(number, moment, node or self._source) for number in numbers])

    def settle(self, parcels: int = 1) -> None:
        """The oldest parcels leave the queue, whatever the store says."""
        for _ in range(parcels):
            (parcel,) = self.queue.take(1, 1, wait_seconds=0)
            self.queue.settle([Settlement(parcel)])

    def _document(self, number: int, moment: str, node: str) -> Document:
        body = {
            "@timestamp": moment,
            "service.name": self._source,
            "service.node.name": node,
            "event.sequence": number,
        }
        content = orjson.dumps(body)
        return Document(str(number), "logs-app-default", content, self._source, node, number, moment[:13])

    def known(self) -> list[Known]:
        """The evidence of the queue, as `sereno reconcile` reads it."""
        return [*received_by(self.path, NOON, NOON + 2 * HOUR), *known_from_queue(self.path)]


@pytest.fixture
def queue(tmp_path: Path, source: str) -> Iterator[Queue]:
    """An empty queue."""
    made = Queue(tmp_path, source)
    yield made
    made.queue.close()


def _reconcile(
    reader: SequenceReader, source: str, known: list[Known], look_again: Callable[[], list[Known]] | None = None
) -> Reconciliation:
    return reconcile(reader, NOON, NOON + 2 * HOUR, services=[source], known=known, look_again=look_again)


def test_every_number_is_counted_where_it_is(reader: SequenceReader, emit: Emit, source: str, queue: Queue) -> None:
    """Queued ones are no loss, one lost in the middle, one double and a lost newest end are named."""
    queue.put(1, 2, 3, 4)
    queue.settle()
    emit([1, 2, 4])
    emit([2], copy="-again")
    queue.put(9, 10)
    queue.settle()
    queue.put(5, 6, 7, 8)

    answer = _reconcile(reader, source, queue.known(), queue.known)

    assert answer.hours == (HourFigures(source, NOON, 4, 0, 4, 3, 1),)
    assert answer.hours[0].emitted == 10
    assert [(gap.lowest, gap.highest) for gap in answer.gaps] == [(3, 3), (9, 10)]
    assert [(each.sequence, each.documents) for each in answer.duplicates] == [(2, 2)]


def test_a_source_of_which_nothing_was_stored(reader: SequenceReader, source: str, queue: Queue) -> None:
    """What was received and is nowhere now is missing, from the first number to the last."""
    queue.put(1, 2, 3)
    queue.settle()
    answer = _reconcile(reader, source, queue.known())
    assert [(gap.lowest, gap.highest, gap.hour) for gap in answer.gaps] == [(1, 3, NOON)]


def test_what_retention_deleted_is_no_loss(reader: SequenceReader, emit: Emit, source: str, queue: Queue) -> None:
    """What the queue received before the oldest document that is stored of a service is not asked for."""
    queue.put(*range(1, 50))
    queue.put(50, 51, 52, at=3600)
    queue.settle(2)
    emit([51, 52], at=3600)
    answer = _reconcile(reader, source, queue.known())
    assert answer.is_proven
    assert (answer.sources[0].lowest, answer.sources[0].highest) == (51, 52)


def test_a_source_that_was_lost_in_a_service_that_was_stored_before(
    reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """Retention explains no loss where it has left older documents: whoever was received after them is asked for."""
    emit([1, 2], at=-86400)
    queue.put(1, 2, 3, node=f"{source}-lost")
    queue.settle()
    emit([3, 4], at=3600)
    answer = _reconcile(reader, source, queue.known())
    assert [(gap.source, gap.lowest, gap.highest) for gap in answer.gaps] == [(f"{source}-lost", 1, 3)]


def test_what_is_stored_between_counting_and_reading_is_counted(
    store: LogStore, reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """A queued document that the count did not see yet and the reading sees is indexed, and no number is lost."""
    window = NOON, NOON + 2 * HOUR
    emit([1, 2])
    queue.put(3)

    def store_another(_hour: datetime) -> None:
        emit([3])
        assert store.count(LogQuery(*window, services=(source,))) == 3

    answer = reconcile(reader, *window, services=[source], known=queue.known(), progress=store_another)
    assert answer.hours == (HourFigures(source, NOON, 3, 0, 0, 0, 0),)


def test_what_leaves_the_queue_between_two_looks_is_counted(
    reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """Queued at the first look and stored at the second is indexed: the figures are those of the second."""
    emit([1, 3])
    queue.put(4)

    def looked_again() -> list[Known]:
        queue.settle()
        emit([2, 4])
        return known_from_queue(queue.path)

    answer = _reconcile(reader, source, queue.known(), looked_again)
    assert answer.hours == (HourFigures(source, NOON, 4, 0, 0, 0, 0),)


def test_a_document_that_is_stored_while_the_question_runs(
    reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """What came behind the first look at the queue, and left it before the second, is found in the store."""
    emit([1, 3])
    queue.put(3)
    queue.settle()

    def looked_again() -> list[Known]:
        emit([2])
        return known_from_queue(queue.path)

    answer = _reconcile(reader, source, queue.known(), looked_again)

    assert answer.is_proven
    assert answer.hours == (HourFigures(source, NOON, 3, 0, 0, 0, 0),)


def test_a_document_that_is_queued_while_the_question_runs(
    reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """What came behind the first look at the queue is found there by the second."""
    emit([1, 3])
    known = queue.known()
    queue.put(2)
    assert not _reconcile(reader, source, known).is_proven
    answer = _reconcile(reader, source, known, queue.known)
    assert answer.hours == (HourFigures(source, NOON, 2, 0, 1, 0, 0),)
    assert answer.is_proven


def test_other_services_are_not_asked_for(reader: SequenceReader, emit: Emit, source: str, queue: Queue) -> None:
    """With --service, what the queue received and holds of others is neither missing nor counted."""
    emit([1, 2])
    queue.put(1, 2)
    queue.settle()
    answer = reconcile(reader, NOON, NOON + 2 * HOUR, services=[f"not-{source}"], known=queue.known())
    assert (answer.hours, answer.gaps, answer.sources) == ((), (), ())
    queue.put(3)
    answer = reconcile(reader, NOON, NOON + 2 * HOUR, services=[f"not-{source}"], known=queue.known())
    assert (answer.hours, answer.gaps, answer.sources) == ((), (), ())


def test_documents_without_a_number_are_not_received(queue: Queue, source: str) -> None:
    """The ledger counts them, too; they prove nothing."""
    body = orjson.dumps({"@timestamp": format_timestamp(NOON), "service.name": source})
    hour = format_timestamp(NOON)[:13]
    queue.queue.put([Document("x", "logs-app-default", body, source, "", 0, hour)])
    queue.queue.put([Document("y", "logs-app-default", body, source, source, 0, hour)])
    assert queue.known() == []


def test_a_queued_document_of_another_day_is_no_gap(
    reader: SequenceReader, emit: Emit, source: str, queue: Queue
) -> None:
    """A number whose clock stands outside the window waits in the queue all the same."""
    emit([1, 3])
    queue.put(2, at=-86400)
    answer = _reconcile(reader, source, queue.known())
    assert answer.is_proven
    assert answer.sources[0].highest == 3
