"""What the sink of the embedded store says of every document."""

from contextlib import closing
from pathlib import Path

from sereno_backends.logs import SqliteLogStore
from sereno_collectors.logs.delivery.sinks import LogStoreSink
from sereno_collectors.logs.model import Document, Parcel
from sereno_collectors.logs.queue.packing import pack
from support.collecting import ecs_line


def test_a_document_that_is_in_two_parcels_is_a_duplicate_once(tmp_path: Path) -> None:
    """What a sender gave twice counts as one stored and one known: the figures add up to what was received."""
    documents = [Document(one, "logs-app-default", ecs_line(one).encode(), "", "", 0, "") for one in ("a", "b")]
    parcels = []
    for number, some in enumerate((documents, documents[:1])):
        (packed,) = pack(some)
        parcels.append(Parcel(number, packed.documents, packed.body, False, packed.streams, packed.compressed))  # noqa: FBT003
    with closing(SqliteLogStore(tmp_path / "logs.sqlite")) as store:
        sent = LogStoreSink(store).send(parcels)
    assert (sent.indexed, sent.duplicates, len(sent.settled)) == (2, 1, 2)
