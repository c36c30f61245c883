"""A sink before the real server, and a proxy in between that has too much to do."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import pytest
from sereno_backends.logs import ElasticsearchLogStore
from sereno_backends.logs.elasticsearch_bulk import split_documents
from sereno_collectors.logs.delivery.sinks import FULL, ElasticsearchSink
from sereno_collectors.logs.model import Document, Parcel
from sereno_collectors.logs.queue.packing import pack
from support.collecting import ALWAYS, ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.proxy import Asked, Proxy, Refusal, proxy_before

pytestmark = marked

DOCUMENTS = 1_000
CAPACITY = 120


class Desk:
    """A sink whose requests pass a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.namespace = fresh_namespace()
        self.store = ElasticsearchLogStore(proxy.url, self.namespace, request_seconds=5)
        self.sink = ElasticsearchSink(self.store)

    def parcel(self, number: int, *, documents: int = DOCUMENTS, repeated: bool = False) -> Parcel:
        """One large parcel."""
        stream = f"logs-app-{self.namespace}"
        made = [
            Document(f"{number}-{index}", stream, ecs_line(f"{number}-{index}").encode(), "checkout", "", 0, "")
            for index in range(documents)
        ]
        (packed,) = pack(made)
        return Parcel(number, packed.documents, packed.body, repeated, packed.streams, packed.compressed)

    def sizes(self) -> list[int]:
        """Documents of each bulk request up to now."""
        return [len(split_documents(asked.body)) for asked in self.proxy.asked if "_bulk" in asked.path]

    def brought(self, parcel: Parcel) -> tuple[int, int]:
        """How many documents were indexed and found stored already until the parcel was settled."""
        indexed = duplicates = 0
        waiting = [parcel]
        for _ in range(50):
            sent = self.sink.send(waiting)
            indexed, duplicates = indexed + sent.indexed, duplicates + sent.duplicates
            waiting = [replace(one, repeated=True) for one in sent.returned]
            waiting += [
                replace(one.parcel, documents=one.rest.count(b"\n") // 2, body=one.rest, repeated=False, compressed=b"")
                for one in sent.settled
                if one.rest
            ]
            if not waiting:
                return indexed, duplicates
        raise AssertionError("the parcel was never settled")


@pytest.fixture
def desk(elasticsearch: ElasticsearchServer) -> Iterator[Desk]:
    """A sink behind a proxy before the real server."""
    with proxy_before(elasticsearch.url) as proxy:
        made = Desk(proxy)
        with closing(made.store):
            yield made


def busy(asked: Asked) -> Refusal | None:
    """429 to every bulk request with more documents than the server copes with."""
    return Refusal(429) if "_bulk" in asked.path and len(split_documents(asked.body)) > CAPACITY else None


def test_a_busy_server_gets_smaller_requests_and_full_ones_when_it_has_time(desk: Desk) -> None:
    """Behind 429 everything is stored once by requests that the server copes with; later they grow again."""
    desk.proxy.refuse = busy
    assert desk.brought(desk.parcel(1)) == (DOCUMENTS, 0)
    refused = [size for size in desk.sizes() if size > CAPACITY]
    assert len(refused) < 12
    assert desk.sink.most.documents < FULL.documents // 8
    desk.proxy.refuse = lambda _: None
    for number in range(2, 30):
        desk.brought(desk.parcel(number, documents=200))
    assert desk.sink.most.documents > FULL.documents // 8
    assert len(desk.store.search(ALWAYS)) == DOCUMENTS + 28 * 200


def test_a_whole_parcel_goes_out_as_it_stands_in_the_queue(desk: Desk) -> None:
    """Whatever the compression setting says; several parcels, or a part of one, go out as the setting says: plain."""
    one, two = (desk.parcel(number, documents=10) for number in (1, 2))
    rest = replace(desk.parcel(3, documents=10), compressed=b"")
    for parcels in ([one], [two, rest], [rest]):
        desk.sink.send(parcels)
    sent = [asked.sent for asked in desk.proxy.asked if "_bulk" in asked.path]
    assert sent == [one.compressed, two.body + rest.body, rest.body]


def test_a_busy_server_is_not_asked_what_it_has(desk: Desk) -> None:
    """What was refused for lack of time is surely not stored: it comes back without a doubt."""
    desk.proxy.refuse = busy
    sent = desk.sink.send([desk.parcel(1)])
    assert (len(sent.returned), sent.in_doubt) == (1, False)
    desk.proxy.refuse = lambda asked: Refusal(503) if "_bulk" in asked.path else None
    assert desk.sink.send([desk.parcel(2)]).in_doubt


def test_a_part_that_may_be_stored_is_looked_for_before_it_is_sent_again(
    desk: Desk, elasticsearch: ElasticsearchServer
) -> None:
    """Of a request in parts, one whose answer is lost doubles nothing, not even after a rollover."""
    desk.sink.size.was_too_much(desk.sink.most)
    desk.sink.size.was_too_much(desk.sink.most)  # 500 documents a request: two for a parcel

    def lose_the_second_answer(asked: Asked) -> Refusal | None:
        if "_bulk" not in asked.path or len(desk.sizes()) != 2:
            return None
        headers = {"Content-Type": "application/x-ndjson"}
        stored = httpx.post(f"{elasticsearch.url}{asked.path}", content=asked.body, headers=headers, trust_env=False)
        stored.raise_for_status()
        rollover = f"{elasticsearch.url}/logs-app-{desk.namespace}/_rollover"
        httpx.post(rollover, trust_env=False).raise_for_status()
        raise ConnectionResetError

    desk.proxy.refuse = lose_the_second_answer
    indexed, duplicates = desk.brought(desk.parcel(1))
    assert (indexed + duplicates, duplicates) == (DOCUMENTS, DOCUMENTS)  # none counted before the whole was known
    assert len(desk.store.search(ALWAYS)) == DOCUMENTS
