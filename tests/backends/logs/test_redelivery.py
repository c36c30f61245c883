"""Redelivery beyond what the command shows: pages, letters of others, what is refused for now or not granted."""

from collections.abc import Callable, Iterator
from contextlib import closing

import orjson
import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogStoreUnreachable, elasticsearch_redelivery
from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.elasticsearch_redelivery import Redelivered, Redelivery
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import NOON, Ask, MakeRecord
from support.proxy import Asked, Proxy, Refusal

pytestmark = marked
Letter = Callable[..., None]


@pytest.fixture
def letter(client: Elasticsearch, namespace: str) -> Letter:
    """Put a letter into the stream, of a document for a dataset; other shippers' letters have none."""

    def put(number: int, *, dataset: str = "app", foreign: bool = False) -> None:
        moment = format_timestamp(NOON)
        document = orjson.dumps({"@timestamp": moment, "message": f"line {number}", "service.name": "checkout"})
        kept = {"stream": f"logs-{dataset}-{namespace}", "record_id": str(number), "document": document.decode()}
        client.create(
            index=f"logs-sereno.dead_letter-{namespace}",
            id=str(number),
            document={"@timestamp": moment, "sereno": {"dead_letter": {} if foreign else kept}},
        )

    return put


@pytest.fixture
def letters(elasticsearch: ElasticsearchServer, namespace: str) -> Iterator[ElasticsearchLogStore]:
    """What is in the stream."""
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace, dead_letters=True)) as opened:
        yield opened


def _run(url: str, namespace: str, ask: Ask) -> Redelivered:
    window = ask()
    with closing(Redelivery(url, namespace)) as redelivery:
        return redelivery.run(window.start, window.end)


def test_every_page_is_sent_and_letters_of_others_stay(
    *,
    elastic_store: ElasticsearchLogStore,
    elasticsearch: ElasticsearchServer,
    letters: ElasticsearchLogStore,
    namespace: str,
    letter: Letter,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Letters are read page by page while they are deleted; what holds no document is counted and left."""
    monkeypatch.setattr(elasticsearch_redelivery, "PAGE", 2)
    for number in range(5):
        letter(number)
    letter(5, foreign=True)
    answer = _run(elasticsearch.url, namespace, ask)
    assert (answer.delivered, answer.refused_again, answer.foreign, answer.kept) == (5, 0, 1, 0)
    assert elastic_store.count(ask()) == 5
    assert letters.count(ask()) == 1


def test_what_was_delivered_before_a_trouble_is_no_letter_any_more(
    *,
    elastic_store: ElasticsearchLogStore,
    elasticsearch: ElasticsearchServer,
    letters: ElasticsearchLogStore,
    client: Elasticsearch,
    namespace: str,
    letter: Letter,
    record: MakeRecord,
    ask: Ask,
) -> None:
    """Where one stream takes nothing now, letters of others are settled, and the rest waits for the next run."""
    elastic_store.write([record("there", dataset="blocked")])
    client.indices.put_settings(index=f"logs-blocked-{namespace}", settings={"index.blocks.write": True})
    letter(1)
    letter(2, dataset="blocked")
    with pytest.raises(LogStoreUnreachable, match="cluster_block_exception"):
        _run(elasticsearch.url, namespace, ask)
    assert letters.count(ask()) == 1
    client.indices.put_settings(index=f"logs-blocked-{namespace}", settings={"index.blocks.write": None})
    assert _run(elasticsearch.url, namespace, ask).delivered == 1
    assert letters.count(ask()) == 0
    assert elastic_store.count(ask()) == 3


def test_letters_that_may_not_be_deleted_are_told(
    *, proxy: Proxy, letters: ElasticsearchLogStore, namespace: str, letter: Letter, ask: Ask
) -> None:
    """Without the privilege to delete the documents are delivered, once, and their letters stay."""

    def forbid(asked: Asked) -> Refusal | None:
        return Refusal(403) if "_bulk" in asked.path and b'"delete"' in asked.body else None

    letter(1)
    proxy.refuse = forbid
    for _ in range(2):
        answer = _run(proxy.url, namespace, ask)
        assert (answer.delivered, answer.kept) == (1, 1)
    assert letters.count(ask()) == 1
