"""How the Elasticsearch log store reaches its server, what it does when it can't, and what it never shows."""

import ssl
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import (
    ElasticsearchLogStore,
    LogStoreRefused,
    LogStoreUnreachable,
    SqliteLogStore,
    open_log_store,
)
from sereno_backends.logs.elasticsearch_client import API_KEY_FILE, CA_FILE
from support.closable_door import ClosableDoor
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import Ask, MakeRecord
from support.ports import free_port
from support.proxy import Proxy, Refusal, proxy_before

pytestmark = marked


def test_a_server_that_is_gone_is_unreachable_and_back_with_everything(
    elasticsearch_door: ClosableDoor, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """While nobody reaches the server every call says so; afterwards all that was answered is there."""
    with closing(ElasticsearchLogStore(elasticsearch_door.url, namespace)) as store:
        store.write([record("a")])
        elasticsearch_door.close()
        for call in (
            lambda: store.write([record("b")]),
            lambda: store.count(ask()),
            lambda: store.search(ask()),
        ):
            with pytest.raises(LogStoreUnreachable, match=f"{elasticsearch_door.port}.*can't be reached"):
                call()
        elasticsearch_door.open()
        assert store.write([record("a"), record("b")]).indexed == 1
        assert [found.record_id for found in store.search(ask())] == ["a", "b"]


def test_a_server_that_hangs_is_unreachable_in_time(
    elasticsearch: ElasticsearchServer, elastic_store: ElasticsearchLogStore, record: MakeRecord, ask: Ask
) -> None:
    """A server that takes the request and says nothing is given up, and nothing is stored twice afterwards."""
    elastic_store.write([record("a")])
    hurried = ElasticsearchLogStore(elasticsearch.url, elastic_store.namespace, request_seconds=0.5)
    hurried.write(())
    elasticsearch.freeze()
    began = time.monotonic()
    try:
        with closing(hurried), pytest.raises(LogStoreUnreachable):
            hurried.write([record("b")])
        assert time.monotonic() - began < 5
    finally:
        elasticsearch.thaw()
    answer = elastic_store.write([record("a"), record("b")])
    assert answer.indexed + answer.duplicates == 2
    assert elastic_store.count(ask()) == 2


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
