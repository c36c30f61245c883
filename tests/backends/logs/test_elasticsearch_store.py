"""What is particular to the Elasticsearch log store: streams, template, every document's answer, failures, secrets."""

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import (
    ElasticsearchLogStore,
    LogStoreRefused,
    LogStoreUnreachable,
    SqliteLogStore,
    elasticsearch_store,
    open_log_store,
)
from sereno_backends.logs.elasticsearch_client import API_KEY_FILE, CA_FILE
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.log_records import Ask, MakeRecord
from support.ports import free_port
from support.proxy import Asked, Proxy, Refusal, proxy_before

pytestmark = marked


@pytest.fixture
def namespace() -> str:
    """A namespace of this test alone."""
    return fresh_namespace()


@pytest.fixture
def client(elasticsearch: ElasticsearchServer) -> Iterator[Elasticsearch]:
    """The official client, to look behind the store."""
    with closing(Elasticsearch(elasticsearch.url)) as opened:
        yield opened


@pytest.fixture
def store(elasticsearch: ElasticsearchServer, namespace: str) -> Iterator[ElasticsearchLogStore]:
    """A store on the real server."""
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as opened:
        yield opened


@pytest.fixture
def proxy(elasticsearch: ElasticsearchServer) -> Iterator[Proxy]:
    """A proxy before the real server."""
    with proxy_before(elasticsearch.url) as running:
        yield running


def bulk_requests(proxy: Proxy) -> list[Asked]:
    """The bulk requests so far."""
    return [asked for asked in proxy.asked if asked.path.startswith("/_bulk")]


def test_records_go_into_the_data_stream_of_their_dataset(
    store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """Each dataset has its data stream, named as Elastic names them; signs that a name may not hold become `_`."""
    store.write([record("a"), record("b", dataset="payments"), record("c", dataset="Über-Log ACCESS")])
    client.indices.refresh(index=f"logs-*-{namespace}")
    hits = client.search(index=f"logs-*-{namespace}", size=10)["hits"]["hits"]
    streams = {hit["_id"]: hit["_index"] for hit in hits}
    assert streams["a"].startswith(f".ds-logs-app-{namespace}-")
    assert streams["b"].startswith(f".ds-logs-payments-{namespace}-")
    assert streams["c"].startswith(f".ds-logs-_ber_log_access-{namespace}-")
    assert {found.dataset for found in store.search(ask())} == {"app", "payments", "Über-Log ACCESS"}


def test_documents_are_ecs_for_everybody_elses_queries(
    store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord
) -> None:
    """ECS fields have ECS types, so that Kibana's and anybody's own queries work."""
    document = {"service.node.name": "n-1", "labels": {"fault": "errors"}, "http": {"response": {"status_code": 503}}}
    store.write([record("a", "Payment failed", level="error", trace_id="t-1", document=document)])
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


def test_free_form_fields_never_reject_a_document(store: ElasticsearchLogStore, record: MakeRecord, ask: Ask) -> None:
    """Two services that use one field with different types, and thousands of fields, are all stored."""
    many = {f"field{number}": number for number in range(3000)}
    documents = [{"custom": 1}, {"custom": {"deep": "x"}}, {"custom": [1, "a"]}, {"process.pid": "no number"}, many]
    answer = store.write([record(str(number), document=document) for number, document in enumerate(documents)])
    assert answer.indexed == len(documents)
    assert store.count(ask()) == len(documents)


def test_a_poison_document_is_rejected_alone_with_the_servers_reason(
    store: ElasticsearchLogStore, record: MakeRecord, ask: Ask
) -> None:
    """A document that contradicts ECS is named with the reason; its neighbours are stored, and so are later ones."""
    poison = record("poison", document={"log": "not an object"})
    answer = store.write([record("a"), poison, record("b")])
    assert (answer.indexed, answer.duplicates) == (2, 0)
    (rejection,) = answer.rejections
    assert rejection.record_id == "poison"
    assert "object mapping for [log]" in rejection.reason
    again = store.write([poison, record("a"), record("c")])
    assert (again.indexed, again.duplicates, len(again.rejections)) == (1, 1, 1)
    assert store.count(ask()) == 3


@pytest.mark.parametrize("block", ["index.blocks.read_only_allow_delete", "index.blocks.write"])
def test_a_blocked_index_is_to_be_tried_again_not_thrown_away(
    *, store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask, block: str
) -> None:
    """A full disk's or an operator's block refuses documents one by one: all are kept for later, none is dead."""
    stream = f"logs-app-{namespace}"
    store.write([record("a")])
    client.indices.put_settings(index=stream, settings={block: True})
    with pytest.raises(LogStoreUnreachable, match="cluster_block_exception"):
        store.write([record("a"), record("b")])
    client.indices.put_settings(index=stream, settings={block: None})
    assert store.write([record("a"), record("b")]).indexed == 1
    assert store.count(ask()) == 2


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


def test_documents_of_other_shippers_are_read(
    store: ElasticsearchLogStore, client: Elasticsearch, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """What Filebeat or an OpenTelemetry Collector wrote into the namespace is found by the same questions."""
    store.write([record("ours", "Payment failed", at=0)])
    foreign = {
        "@timestamp": "2026-11-22T12:00:01Z",
        "message": "Payment failed elsewhere",
        "log": {"level": "error"},
        "service": {"name": "billing"},
        "host": {"name": "h"},
    }
    client.create(index=f"logs-app-{namespace}", id="theirs", document=foreign)
    assert [found.service for found in store.search(ask(text="payment FAILED"))] == ["checkout", "billing"]
    (found,) = store.search(ask(services=("billing",), levels=("error",)))
    assert (found.record_id, found.document) == ("theirs", foreign)
    assert {one.message for one in store.top_messages(ask())} == {"Payment failed", "Payment failed elsewhere"}


def test_a_reader_without_the_right_to_refresh_reads(
    proxy: Proxy, namespace: str, record: MakeRecord, ask: Ask, client: Elasticsearch
) -> None:
    """A read-only role sees everything but the newest second."""
    proxy.refuse = lambda asked: Refusal(403) if "_refresh" in asked.path else None
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        store.write([record("a")])
        client.indices.refresh(index=f"logs-*-{namespace}")
        assert store.count(ask()) == 1


def test_a_server_that_is_stopped_is_unreachable_and_back_with_everything(
    elasticsearch: ElasticsearchServer, store: ElasticsearchLogStore, record: MakeRecord, ask: Ask
) -> None:
    """While the server is down every call says so; afterwards all that was answered is there."""
    store.write([record("a")])
    elasticsearch.stop()
    for call in (lambda: store.write([record("b")]), lambda: store.count(ask()), lambda: store.search(ask())):
        with pytest.raises(LogStoreUnreachable, match=f"{elasticsearch.port}.*can't be reached"):
            call()
    elasticsearch.start()
    assert store.write([record("a"), record("b")]).indexed == 1
    assert [found.record_id for found in store.search(ask())] == ["a", "b"]


def test_a_server_that_hangs_is_unreachable_in_time(
    elasticsearch: ElasticsearchServer, store: ElasticsearchLogStore, record: MakeRecord, ask: Ask
) -> None:
    """A server that takes the request and says nothing is given up, and nothing is stored twice afterwards."""
    store.write([record("a")])
    store._client = store._client.options(request_timeout=0.5)
    elasticsearch.freeze()
    began = time.monotonic()
    try:
        with pytest.raises(LogStoreUnreachable):
            store.write([record("b")])
        assert time.monotonic() - began < 5
    finally:
        elasticsearch.thaw()
    store._client = store._client.options(request_timeout=15)
    answer = store.write([record("a"), record("b")])
    assert answer.indexed + answer.duplicates == 2
    assert store.count(ask()) == 2


SECRET = "s3cr&t@/word"  # noqa: S105 - the password of nobody
QUOTED = "s3cr%26t%40%2Fword"


def test_the_addresss_credentials_are_sent_and_never_shown(proxy: Proxy, namespace: str, record: MakeRecord) -> None:
    """User and password of the address go into the header, and into no name and no message."""
    url = proxy.url.replace("http://", f"http://sereno:{QUOTED}@")
    with closing(ElasticsearchLogStore(url, namespace)) as store:
        store.write([record("a")])
        sent = {asked.authorization for asked in proxy.asked}
        assert sent == {"Basic c2VyZW5vOnMzY3ImdEAvd29yZA=="}
        assert store.name == f"Elasticsearch {proxy.url} (logs-*-{namespace})"
        proxy.refuse = lambda _: Refusal(401)
        with pytest.raises(LogStoreRefused) as refused:
            store.write([record("b")])
    down = f"http://sereno:{QUOTED}@127.0.0.1:{free_port()}"
    with closing(ElasticsearchLogStore(down)) as store, pytest.raises(LogStoreUnreachable) as unreachable:
        store.write([record("b")])
    for shown in (str(refused.value), str(unreachable.value), repr(unreachable.value.__cause__), store.name):
        assert SECRET not in shown
        assert QUOTED not in shown


def test_an_api_key_comes_from_its_file(
    proxy: Proxy, namespace: str, record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of the file is sent; a missing or empty file is a clear refusal that names it."""
    key_file = tmp_path / "key"
    monkeypatch.setenv(API_KEY_FILE, str(key_file))
    with pytest.raises(LogStoreRefused, match=rf"{API_KEY_FILE} names .*key, which can't be read"):
        open_log_store(proxy.url)
    key_file.write_text("\n")
    with pytest.raises(LogStoreRefused, match="empty"):
        open_log_store(proxy.url)
    key_file.write_text("YWJjOmRlZg==\n")
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        store.write([record("a")])
    assert {asked.authorization for asked in proxy.asked} == {"ApiKey YWJjOmRlZg=="}


def test_a_private_authority_is_trusted_when_named(
    elasticsearch: ElasticsearchServer,
    namespace: str,
    record: MakeRecord,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over TLS, a certificate of an unknown authority is refused, of the named one accepted."""
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with proxy_before(elasticsearch.url, tls=context) as proxy:
        with (
            closing(ElasticsearchLogStore(proxy.url, namespace)) as store,
            pytest.raises(LogStoreUnreachable, match="certificate"),
        ):
            store.write([record("a")])
        monkeypatch.setenv(CA_FILE, str(certificate))
        with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
            assert store.write([record("a")]).indexed == 1
    monkeypatch.setenv(CA_FILE, str(tmp_path / "missing"))
    with pytest.raises(LogStoreRefused, match="which is no file"):
        open_log_store(proxy.url)


def test_something_that_is_no_elasticsearch_is_told(record: MakeRecord) -> None:
    """A web server that answers 200 to everything is not taken for a store."""
    with proxy_before("http://127.0.0.1:1") as other, closing(ElasticsearchLogStore(other.url)) as store:
        other.refuse = lambda _: Refusal(200, product=None)
        with pytest.raises(LogStoreRefused, match="no Elasticsearch"):
            store.write([record("a")])


@pytest.mark.parametrize("url", ["http://", "http://:9200", "http://host:port", "https://host:99999999", "http://[::1"])
def test_an_unusable_address_is_refused_without_repeating_it(url: str) -> None:
    """The message says how an address is written; the wrong one might hold a password."""
    with pytest.raises(LogStoreRefused, match="HOST:PORT") as refused:
        open_log_store(url)
    assert url not in str(refused.value)


def test_a_location_is_an_address_or_a_path(elasticsearch: ElasticsearchServer, tmp_path: Path) -> None:
    """http(s) addresses open Elasticsearch, everything else a SQLite file."""
    for location, kind in (
        (elasticsearch.url, ElasticsearchLogStore),
        ("HTTPS://example.test", ElasticsearchLogStore),
        (str(tmp_path / "logs.sqlite"), SqliteLogStore),
        ("httpd-logs.sqlite", SqliteLogStore),
    ):
        with closing(open_log_store(location)) as store:
            assert isinstance(store, kind), location
    with closing(open_log_store("https://example.test")) as store:
        assert store.name == "Elasticsearch https://example.test:443 (logs-*-default)"


def test_ones_own_client_is_used(client: Elasticsearch, elasticsearch: ElasticsearchServer, namespace: str) -> None:
    """A store takes a client instead of an address, and names its server."""
    store = ElasticsearchLogStore(client, namespace)
    store.write(())
    assert store.name == f"Elasticsearch {elasticsearch.url} (logs-*-{namespace})"
