"""Every store answers the same about sequence numbers."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.logs import LogRecord, LogStore, SqliteLogStore
from sereno_backends.logs.sequences import Block, Place, SequenceReader, open_sequence_reader
from support.log_records import NOON, MakeRecord

HOUR = timedelta(hours=1)


@pytest.fixture
def reader(store: LogStore, request: pytest.FixtureRequest) -> Iterator[SequenceReader]:
    """The reader of the store that the test writes to."""
    if isinstance(store, SqliteLogStore):
        location = store.name.removeprefix("SQLite ")
    else:
        location = request.getfixturevalue("elasticsearch").url
    with closing(open_sequence_reader(location)) as opened:
        yield opened


def _numbered(record: MakeRecord, source: str, sequence: int, *, at: float = 0, copy: str = "") -> LogRecord:
    document = {"service": {"node.name": source}, "event.sequence": sequence}
    return record(f"{source}-{sequence}{copy}", at=at, service=source, document=document)


def test_blocks_count_and_add_up_per_hour(store: LogStore, reader: SequenceReader, record: MakeRecord) -> None:
    """A block has the count, sum, lowest and highest of one source's numbers in one hour of the window."""
    source = f"blocks-{id(store)}"
    moments = [(998, 0.0), (999, 1.0), (1000, 2.0), (1001, 3600.0), (1002, 7200.0)]
    store.write([_numbered(record, source, number, at=at) for number, at in moments])
    store.write([record(f"{source}-without", service=source)])

    found = sorted(reader.blocks(NOON, NOON + 2 * HOUR, [source]))

    assert found == [
        Block(source, source, NOON, 0, 2, 1997, 998, 999),
        Block(source, source, NOON, 1, 1, 1000, 1000, 1000),
        Block(source, source, NOON + HOUR, 1, 1, 1001, 1001, 1001),
    ]


def test_single_numbers_are_read_whatever_their_time(
    store: LogStore, reader: SequenceReader, record: MakeRecord
) -> None:
    """Places, counts and the preceding number are exact, duplicates included, and know no window."""
    source = f"places-{id(store)}"
    store.write([_numbered(record, source, 5), _numbered(record, source, 7), _numbered(record, source, 9, at=86400)])
    store.write([_numbered(record, source, 7, at=2.5, copy="-again")])

    assert reader.places(source, 5, 8) == (
        Place(5, 1, NOON, NOON),
        Place(7, 2, NOON, NOON + timedelta(seconds=2.5)),
    )
    assert reader.count(source, 6, 9) == 3
    assert reader.preceding(source, 9) == 7
    assert reader.preceding(source, 5) is None


def test_whether_a_service_has_older_documents(store: LogStore, reader: SequenceReader, record: MakeRecord) -> None:
    """Any document of the service counts, numbered or not; those of others and of the moment itself do not."""
    service = f"before-{id(store)}"
    store.write([record(f"{service}-old", at=-1, service=service), record(f"{service}-x", at=-9, service="other")])
    assert reader.has_before(service, NOON)
    assert not reader.has_before(service, NOON - timedelta(seconds=1))
    assert not reader.has_before(f"{service}-none", NOON)


def test_what_is_written_is_seen_when_it_is_asked_anew(
    store: LogStore, reader: SequenceReader, record: MakeRecord
) -> None:
    """After `renew`, and from every `blocks` on, questions see what was stored until then."""
    source = f"anew-{id(store)}"
    store.write([_numbered(record, source, 1)])
    assert reader.count(source, 1, 9) == 1
    store.write([_numbered(record, source, 2)])
    reader.renew()
    assert reader.count(source, 1, 9) == 2
    store.write([_numbered(record, source, 3)])
    assert [block.documents for block in reader.blocks(NOON, NOON + HOUR, [source])] == [3]
    assert reader.preceding(source, 9) == 3


def test_names_that_are_no_texts_are_no_sources(tmp_path: Path, record: MakeRecord) -> None:
    """The embedded store keeps lines as they were; a number as a name is none, and stops nobody."""
    documents = [{"service.node.name": name, "event.sequence": 1} for name in (5, "five", None)]
    with closing(SqliteLogStore(tmp_path / "logs.sqlite")) as store:
        store.write([record(str(number), document=each) for number, each in enumerate(documents)])
    with closing(open_sequence_reader(str(tmp_path / "logs.sqlite"))) as reader:
        assert [block.source for block in reader.blocks(NOON, NOON + HOUR)] == ["five"]
