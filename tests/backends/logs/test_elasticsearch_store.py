"""What is particular to the Elasticsearch log store: streams, template, every document's answer, failures, secrets."""

import json
from contextlib import closing
from datetime import timedelta

import httpx
import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import (
    ElasticsearchLogStore,
    LogQuery,
    LogStoreRefused,
    LogStoreUnreachable,
    elasticsearch_store,
)
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import NOON, Ask, MakeRecord
from support.proxy import Asked, Proxy, Refusal

pytestmark = marked


def bulk_requests(proxy: Proxy) -> list[Asked]:
    """The bulk requests so far."""
    return [asked for asked in proxy.asked if asked.path.startswith("/_bulk")]


def test_records_go_into_the_data_stream_of_their_dataset(
    elastic_store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """Each dataset has its data stream, named as Elastic names them; signs that a name may not hold become `_`."""
    elastic_store.write([record("a"), record("b", dataset="payments"), record("c", dataset="Über-Log ACCESS")])
    client.indices.refresh(index=f"logs-*-{namespace}")
    hits = client.search(index=f"logs-*-{namespace}", size=10)["hits"]["hits"]
    streams = {hit["_id"]: hit["_index"] for hit in hits}
    assert streams["a"].startswith(f".ds-logs-app-{namespace}-")
    assert streams["b"].startswith(f".ds-logs-payments-{namespace}-")
    assert streams["c"].startswith(f".ds-logs-_ber_log_access-{namespace}-")
    assert {found.dataset for found in elastic_store.search(ask())} == {"app", "payments", "Über-Log ACCESS"}


def test_documents_are_ecs_for_everybody_elses_queries(
    elastic_store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord
) -> None:
    """ECS fields have ECS types, so that Kibana's and anybody's own queries work."""
    document = {"service.node.name": "n-1", "labels": {"fault": "errors"}, "http": {"response": {"status_code": 503}}}
    elastic_store.write([record("a", "Payment failed", level="error", trace_id="t-1", document=document)])
    client.indices.refresh(index=f"logs-*-{namespace}")
    for query in (
        {"term": {"log.level": "error"}},
        {"term": {"service.name": "checkout"}},
        {"term": {"trace.id": "t-1"}},
        {"term": {"labels.fault": "errors"}},
        {"range": {"http.response.status_code": {"gte": 500}}},
        {"match": {"message": "payment"}},
        {"prefix": {"service.node.name": "n-"}},
        {"range": {"@timestamp": {"gte": "2026-11-22"}}},
    ):
        assert client.count(index=f"logs-*-{namespace}", query=query)["count"] == 1, query


def test_the_template_is_installed_once_and_only_when_missing(
    proxy: Proxy, client: Elasticsearch, namespace: str, record: MakeRecord
) -> None:
    """An administrator's own version of the template, of the same or a newer version, is left as it is."""
    name = f"sereno-logs-app-{namespace}"
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as first:
        first.write([record("a")])
        first.write([record("b")])
    assert [asked.method for asked in proxy.asked if "_index_template" in asked.path] == ["GET", "PUT"]
    template = client.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
    assert template["index_patterns"] == [f"logs-app-{namespace}"]
    client.indices.put_index_template(name=name, **{**template, "priority": 777})
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as second:
        second.write([record("c")])
    template = client.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
    assert template["priority"] == 777


def test_free_form_fields_never_reject_a_document(
    elastic_store: ElasticsearchLogStore, record: MakeRecord, ask: Ask
) -> None:
    """Two services that use one field with different types, and thousands of fields, are all stored."""
    many = {f"field{number}": number for number in range(3000)}
    documents = [{"custom": 1}, {"custom": {"deep": "x"}}, {"custom": [1, "a"]}, {"process.pid": "no number"}, many]
    answer = elastic_store.write([record(str(number), document=document) for number, document in enumerate(documents)])
    assert answer.indexed == len(documents)
    assert elastic_store.count(ask()) == len(documents)


def test_a_poison_document_is_rejected_alone_with_the_servers_reason(
    elastic_store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """What a mapping of the user's own refuses is named with the reason; neighbours and later ones are stored."""
    elastic_store.write([record("first")])
    mapping = {"user": {"properties": {"nick": {"type": "keyword"}}}}
    client.indices.put_mapping(index=f"logs-app-{namespace}", properties=mapping)
    poison = record("poison", document={"user.nick": {"first": "x"}})
    answer = elastic_store.write([record("a"), poison, record("b")])
    assert (answer.indexed, answer.duplicates) == (2, 0)
    (rejection,) = answer.rejections
    assert rejection.record_id == "poison"
    assert "[user.nick]" in rejection.reason
    again = elastic_store.write([poison, record("a"), record("c")])
    assert (again.indexed, again.duplicates, len(again.rejections)) == (1, 1, 1)
    assert elastic_store.count(ask()) == 4


@pytest.mark.parametrize("block", ["index.blocks.read_only_allow_delete", "index.blocks.write"])
def test_a_blocked_index_is_to_be_tried_again_not_thrown_away(
    *,
    elastic_store: ElasticsearchLogStore,
    client: Elasticsearch,
    namespace: str,
    record: MakeRecord,
    ask: Ask,
    block: str,
) -> None:
    """A full disk's or an operator's block refuses documents one by one: all are kept for later, none is dead."""
    stream = f"logs-app-{namespace}"
    elastic_store.write([record("a")])
    client.indices.put_settings(index=stream, settings={block: True})
    with pytest.raises(LogStoreUnreachable, match="cluster_block_exception"):
        elastic_store.write([record("a"), record("b")])
    client.indices.put_settings(index=stream, settings={block: None})
    assert elastic_store.write([record("a"), record("b")]).indexed == 1
    assert elastic_store.count(ask()) == 2


def test_busy_documents_among_stored_ones_are_tried_again_without_copies(
    proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """A 429 for one document raises; writing the whole batch again stores what was missing and nothing twice."""
    items = [
        {"create": {"_id": "a", "status": 201}},
        {"create": {"_id": "b", "status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}},
    ]
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        store.write([record("a")])
        body = json.dumps({"errors": True, "items": items}).encode()
        proxy.refuse = lambda asked: Refusal(200, body) if "_bulk" in asked.path else None
        with pytest.raises(LogStoreUnreachable, match="429 es_rejected_execution_exception: full"):
            store.write([record("a"), record("b")])
        proxy.refuse = lambda _: None
        answer = store.write([record("a"), record("b")])
        assert (answer.indexed, answer.duplicates) == (1, 1)
        assert store.count(ask()) == 2


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (503, "unavailable_shards_exception", LogStoreUnreachable),
        (500, "null_pointer_exception", LogStoreUnreachable),
        (403, "security_exception", LogStoreRefused),
        (404, "index_not_found_exception", LogStoreRefused),
    ],
)
def test_the_servers_own_troubles_never_make_a_document_dead(
    *, proxy: Proxy, namespace: str, record: MakeRecord, status: int, kind: str, error: type[Exception]
) -> None:
    """Only a fault of the document itself is a rejection."""
    item = {"create": {"_id": "a", "status": status, "error": {"type": kind, "reason": "because"}}}
    body = json.dumps({"errors": True, "items": [item]}).encode()
    proxy.refuse = lambda asked: Refusal(200, body) if "_bulk" in asked.path else None
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store, pytest.raises(error, match=kind):
        store.write([record("a")])


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, LogStoreRefused, "refused the credentials"),
        (403, LogStoreRefused, "refused the credentials"),
        (429, LogStoreUnreachable, "not able to answer now"),
        (503, LogStoreUnreachable, "not able to answer now"),
        (504, LogStoreUnreachable, "not able to answer now"),
        (400, LogStoreRefused, "refused the request"),
    ],
)
def test_an_answer_to_the_whole_request_is_told_apart(
    *, proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask, status: int, error: type[Exception], message: str
) -> None:
    """Not now and not like this are different errors; either way the request is sent once, without hidden retries."""
    proxy.refuse = lambda _: Refusal(status)
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        for call in (lambda: store.write([record("a")]), lambda: store.top_messages(ask())):
            proxy.asked.clear()
            with pytest.raises(error, match=message):
                call()
            assert len(proxy.asked) <= 2  # a reader's refused refresh is followed by the search


@pytest.mark.parametrize(
    ("kind", "reason", "error", "cure"),
    [
        ("security_exception", "is granted by [manage]", LogStoreRefused, "lack a privilege"),
        ("cluster_block_exception", "cluster read-only (api)", LogStoreUnreachable, "when the block is lifted"),
    ],
)
def test_403_names_the_privilege_or_the_block(
    *, proxy: Proxy, namespace: str, record: MakeRecord, kind: str, reason: str, error: type[Exception], cure: str
) -> None:
    """A missing privilege and a read-only cluster are told with the server's reason, and with a cure of their own."""
    body = json.dumps({"error": {"type": kind, "reason": reason}, "status": 403}).encode()
    proxy.refuse = lambda _: Refusal(403, body)
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store, pytest.raises(error) as told:
        store.write([record("a")])
    assert reason in str(told.value)
    assert cure in str(told.value)


def test_a_request_too_large_for_the_server_is_halved(
    proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """Behind a proxy with a small limit everything that can be stored is; what is too large by itself is rejected."""
    limit = 4000
    proxy.refuse = lambda asked: Refusal(413) if len(asked.body) > limit else None
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        answer = store.write([*(record(str(number), "x" * 500) for number in range(30)), record("huge", "y" * 5000)])
        assert answer.indexed == 30
        (rejection,) = answer.rejections
        assert (rejection.record_id, "too large for the server" in rejection.reason) == ("huge", True)
        assert store.count(ask()) == 30


def test_large_batches_are_sent_in_parts(
    proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No bulk request is larger than the limit, and no record of the batch is left out."""
    monkeypatch.setattr(elasticsearch_store, "BULK_BYTES", 10_000)
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        assert store.write([record(str(number), "x" * 300) for number in range(100)]).indexed == 100
        assert store.count(ask()) == 100
    sizes = [len(asked.body) for asked in bulk_requests(proxy)]
    assert len(sizes) > 5
    assert max(sizes) <= 10_000


def test_a_long_answer_is_read_page_by_page(
    elasticsearch: ElasticsearchServer, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """A limit above what one request may return loses and repeats nothing, also among equal timestamps."""
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace, page=7)) as store:
        store.write([record(f"{number:02}", at=number // 10) for number in range(50)])
        for limit in (5, 7, 8, 49, 50, 1000):
            expected = [f"{number:02}" for number in range(50)][-limit:]
            assert [found.record_id for found in store.search(ask(limit=limit))] == expected


@pytest.mark.parametrize("limit", [1, 10_000])
def test_before_the_first_dead_letter_there_is_none(
    elasticsearch: ElasticsearchServer, namespace: str, limit: int
) -> None:
    """A stream that does not exist yet is no error: nothing is found."""
    query = LogQuery(NOON, NOON + timedelta(hours=1), limit=limit)
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace, dead_letters=True)) as letters:
        assert (letters.search(query), letters.count(query), letters.top_messages(query)) == ((), 0, ())


def test_documents_of_other_shippers_are_read(
    elastic_store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """What Filebeat or an OpenTelemetry Collector wrote into the namespace is found by the same questions."""
    elastic_store.write([record("ours", "Payment failed", at=0)])
    foreign = {
        "@timestamp": "2026-11-22T12:00:01Z",
        "message": "Payment failed elsewhere",
        "log": {"level": "error"},
        "service": {"name": "billing"},
        "host": {"name": "h"},
    }
    client.create(index=f"logs-app-{namespace}", id="theirs", document=foreign)
    assert [found.service for found in elastic_store.search(ask(text="payment FAILED"))] == ["checkout", "billing"]
    (found,) = elastic_store.search(ask(services=("billing",), levels=("error",)))
    assert (found.record_id, found.document) == ("theirs", foreign)
    assert {one.message for one in elastic_store.top_messages(ask())} == {"Payment failed", "Payment failed elsewhere"}


def test_text_that_is_no_unicode_is_read(
    elastic_store: ElasticsearchLogStore,
    elasticsearch: ElasticsearchServer,
    namespace: str,
    record: MakeRecord,
    ask: Ask,
) -> None:
    """Half a surrogate pair that another shipper cut off: the server keeps it, and gives it as it is."""
    elastic_store.write([record("ours", at=0)])
    body = rb'{"@timestamp":"2026-11-22T12:00:01Z","message":"cut \ud83d","service":{"name":"billing"}}'
    url = f"{elasticsearch.url}/logs-app-{namespace}/_create/theirs"
    httpx.put(url, content=body, headers={"Content-Type": "application/json"}, trust_env=False).raise_for_status()
    (found,) = elastic_store.search(ask(services=("billing",)))
    assert found.message == "cut \ud83d"


def test_a_reader_without_the_right_to_refresh_reads(
    proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask, client: Elasticsearch
) -> None:
    """A read-only role sees everything but the newest second."""
    proxy.refuse = lambda asked: Refusal(403) if "_refresh" in asked.path else None
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        store.write([record("a")])
        client.indices.refresh(index=f"logs-*-{namespace}")
        assert store.count(ask()) == 1
