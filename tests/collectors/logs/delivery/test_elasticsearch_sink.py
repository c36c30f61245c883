"""What the sink says of every document, before the real server."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count

import httpx
import orjson
import pytest
from sereno_backends.logs import ElasticsearchLogStore
from sereno_collectors.logs.delivery.sinks import ElasticsearchSink
from sereno_collectors.logs.model import Document, Parcel
from sereno_collectors.logs.queue import Settlement
from sereno_collectors.logs.queue.packing import pack
from support.closable_door import ClosableDoor
from support.collecting import ALWAYS, ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, install_picky_template, marked

pytestmark = marked

NOTHING: Mapping[str, object] = {}
_numbers = count(1)


class Desk:
    """A sink into streams of its own."""

    def __init__(self, server: ElasticsearchServer) -> None:
        self.url = server.url
        self.namespace = fresh_namespace()
        self.store = ElasticsearchLogStore(server.url, self.namespace)
        self.sink = ElasticsearchSink(self.store)

    def stream(self, dataset: str = "app") -> str:
        """The stream of a dataset."""
        return f"logs-{dataset}-{self.namespace}"

    def parcel(
        self, *messages: str, dataset: str = "app", repeated: bool = False, more: Mapping[str, object] = NOTHING
    ) -> Parcel:
        """A parcel of documents with these messages, which are their ids, too."""
        documents = [
            Document(
                message,
                self.stream(dataset),
                ecs_line(message, **{"event.dataset": dataset, **more}).encode(),
                "checkout",
                "",
                0,
                "2026-11-22T12",
            )
            for message in messages
        ]
        ((size, body, streams, compressed),) = pack(documents)
        return Parcel(next(_numbers), size, body, repeated, streams, compressed)

    def stored(self) -> list[str]:
        """The messages in the store, sorted."""
        return sorted(record.message for record in self.store.search(ALWAYS))

    def block(self, dataset: str, *, on: bool) -> None:
        """Make a stream read-only as the flood stage does, or writable again."""
        setting = {"index.blocks.read_only_allow_delete": True if on else None}
        httpx.put(f"{self.url}/{self.stream(dataset)}/_settings", json=setting, trust_env=False).raise_for_status()


@pytest.fixture
def desk(elasticsearch: ElasticsearchServer) -> Iterator[Desk]:
    """A sink before the real server."""
    made = Desk(elasticsearch)
    with closing(made.store):
        yield made


def test_what_is_sent_is_settled(desk: Desk) -> None:
    """Every document of every parcel is stored, and the parcels are done with."""
    parcels = [desk.parcel("one", "two"), desk.parcel("three", dataset="access")]
    sent = desk.sink.send(parcels)
    assert (sent.indexed, sent.duplicates, sent.letters, sent.trouble) == (3, 0, (), None)
    assert sent.settled == tuple(Settlement(parcel) for parcel in parcels)
    assert desk.stored() == ["one", "three", "two"]


def test_a_repetition_after_a_rollover_doubles_nothing(desk: Desk) -> None:
    """What may have been sent is looked for in all indices of its stream; only what lacks is stored."""
    desk.sink.send([desk.parcel("one", "two")])
    httpx.post(f"{desk.url}/{desk.stream()}/_rollover", trust_env=False).raise_for_status()
    again, fresh = desk.parcel("one", "two", "three", repeated=True), desk.parcel("four")
    sent = desk.sink.send([again, fresh])
    assert (sent.indexed, sent.duplicates) == (2, 2)
    assert sent.settled == (Settlement(again), Settlement(fresh))
    assert desk.stored() == ["four", "one", "three", "two"]
    whole = desk.parcel("one", repeated=True)
    assert desk.sink.send([whole]).duplicates == 1
    part = desk.sink.send([desk.parcel("one", "five", repeated=True)])  # alone: its gzip holds what is stored, too
    assert (part.indexed, part.duplicates) == (1, 1)
    assert desk.stored() == ["five", "four", "one", "three", "two"]


def test_the_same_id_in_another_stream_is_another_document(desk: Desk) -> None:
    """What one stream has stored is not taken for stored in the other."""
    desk.sink.send([desk.parcel("one")])
    parcels = [desk.parcel("one", repeated=True), desk.parcel("one", dataset="access", repeated=True)]
    sent = desk.sink.send(parcels)
    assert (sent.indexed, sent.duplicates) == (1, 1)
    assert desk.stored() == ["one", "one"]


def test_what_is_refused_for_good_is_a_letter_and_the_rest_is_stored(desk: Desk) -> None:
    """A poison document is told with its reason; its parcel is settled all the same."""
    install_picky_template(desk.url, desk.stream("picky"))
    good, poison = (
        desk.parcel("good", dataset="picky"),
        desk.parcel("bad", dataset="picky", more={"user.id": "no object"}),
    )
    sent = desk.sink.send([good, poison])
    assert (sent.indexed, sent.trouble) == (1, None)
    (letter,) = sent.letters
    assert letter.record.record_id == "bad"
    assert "user.id" in letter.reason
    assert sent.settled == (Settlement(good), Settlement(poison))


def test_what_has_to_wait_is_left_and_the_rest_is_settled(desk: Desk) -> None:
    """A read-only stream holds up its own documents only, and they are taken when it is writable again."""
    desk.sink.send([desk.parcel("first"), desk.parcel("second", dataset="full")])
    desk.block("full", on=True)
    free, blocked = desk.parcel("third"), desk.parcel("fourth", "fifth", dataset="full")
    sent = desk.sink.send([free, blocked])
    assert sent.trouble is not None
    assert "read-only" in sent.trouble
    assert (sent.indexed, sent.settled) == (1, (Settlement(free), Settlement(blocked, blocked.body)))
    desk.block("full", on=False)
    assert desk.sink.send([blocked]).indexed == 2
    assert desk.stored() == ["fifth", "first", "fourth", "second", "third"]


def test_a_server_that_does_not_answer_leaves_everything_open(desk: Desk, elasticsearch_door: ClosableDoor) -> None:
    """Nothing is settled, and all parcels come back as what may have been sent."""
    with closing(ElasticsearchLogStore(elasticsearch_door.url, desk.namespace)) as store:
        sink = ElasticsearchSink(store)
        assert sink.send([desk.parcel("first")]).indexed == 1
        elasticsearch_door.close()
        parcel = desk.parcel("second")
        sent = sink.send([parcel])
    assert (sent.returned, sent.settled, sent.indexed) == ((parcel,), (), 0)
    assert sent.trouble is not None
    assert "can't be reached" in sent.trouble


def test_bodies_are_stored_as_they_are(desk: Desk) -> None:
    """What a line says beyond ECS is there word by word."""
    desk.sink.send([desk.parcel("one", more={"event.sequence": 7, "labels": {"a": "b"}})])
    (record,) = desk.store.search(ALWAYS)
    assert record.document == orjson.loads(
        ecs_line("one", **{"event.dataset": "app", "event.sequence": 7, "labels": {"a": "b"}})
    )
