"""Credentials that change and hosts that die, before the real server."""

import gzip
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogStoreRefused, LogStoreUnreachable
from sereno_backends.logs.elasticsearch_settings import API_KEY_FILE, COMPRESSION, PASSWORD_FILE, USERNAME_FILE
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import Ask, MakeRecord
from support.ports import free_port
from support.proxy import Asked, Proxy, Refusal, proxy_before

pytestmark = marked


def only(authorization: str) -> Callable[[Asked], Refusal | None]:
    """A server that lets in who says this."""
    return lambda asked: None if asked.authorization == authorization else Refusal(401)


def basic(password: str) -> str:
    """The header of user `sereno`."""
    return "Basic " + b64encode(f"sereno:{password}".encode()).decode()


def test_a_rotated_api_key_is_used_with_the_next_request(
    *,
    proxy: Proxy,
    namespace: str,
    record: MakeRecord,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading and writing go on with the new key as soon as its file changed; nobody restarts anything."""
    file = tmp_path / "key"
    file.write_text("b2xk")
    monkeypatch.setenv(API_KEY_FILE, str(file))
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        proxy.refuse = only("ApiKey b2xk")
        store.write([record("a")])
        proxy.refuse = only("ApiKey bmV3")
        with pytest.raises(LogStoreRefused, match="read without a restart"):
            store.write([record("b")])
        file.unlink()  # a file that is just being replaced
        with pytest.raises(LogStoreRefused):
            store.count(ask())
        file.write_text("bmV3")
        assert store.count(ask()) == 1
        assert store.write([record("b")]).indexed == 1
    assert {asked.authorization for asked in proxy.asked} == {"ApiKey b2xk", "ApiKey bmV3"}


def test_a_rotated_password_is_used_after_a_refusal(
    proxy: Proxy, namespace: str, record: MakeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that changed between the look at it and the answer 401 is read, and the request is sent again."""
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text("sereno\n")
    password.write_text("old\n")
    monkeypatch.setenv(USERNAME_FILE, str(user))
    monkeypatch.setenv(PASSWORD_FILE, str(password))
    with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
        proxy.refuse = only(basic("old"))
        store.write([record("a")])

        def rotate(asked: Asked) -> Refusal | None:
            password.write_text("new\n")
            proxy.refuse = only(basic("new"))
            return proxy.refuse(asked)

        proxy.refuse = rotate
        assert store.write([record("b")]).indexed == 1


def test_requests_go_to_all_hosts_and_past_a_dead_one(
    elasticsearch: ElasticsearchServer, namespace: str, record: MakeRecord, ask: Ask
) -> None:
    """Two hosts take turns, and with one host that nobody listens on no call fails."""
    with proxy_before(elasticsearch.url) as one, proxy_before(elasticsearch.url) as other:
        urls = f"{one.url},http://127.0.0.1:{free_port()},{other.url}"
        with closing(ElasticsearchLogStore(urls, namespace)) as store:
            for number in range(8):
                assert store.write([record(str(number))]).indexed == 1
            assert store.count(ask()) == 8
        bulks = [[asked for asked in each.asked if "_bulk" in asked.path] for each in (one, other)]
    assert [bool(sent) for sent in bulks] == [True, True]
    assert sum(len(sent) for sent in bulks) == 8


def test_what_may_have_been_sent_to_one_host_is_not_sent_to_the_next(
    elasticsearch: ElasticsearchServer, namespace: str, record: MakeRecord
) -> None:
    """A host that breaks off in the middle of a bulk request fails it: the writer has to look what was stored."""

    def break_off(asked: Asked) -> Refusal | None:
        if "_bulk" in asked.path:
            raise ConnectionResetError
        return None

    with proxy_before(elasticsearch.url) as one, proxy_before(elasticsearch.url) as other:
        one.refuse = other.refuse = break_off
        with (
            closing(ElasticsearchLogStore(f"{one.url},{other.url}", namespace)) as store,
            pytest.raises(LogStoreUnreachable),
        ):
            store.write([record("a")])
        assert len([asked for asked in (*one.asked, *other.asked) if "_bulk" in asked.path]) == 1


def test_requests_are_compressed_when_it_is_asked_for(
    proxy: Proxy, namespace: str, record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With gzip the server gets fewer bytes, understands them, and nothing stands behind their end."""
    sizes: list[int] = []
    for compression in ("none", "gzip"):
        monkeypatch.setenv(COMPRESSION, compression)
        with closing(ElasticsearchLogStore(proxy.url, namespace)) as store:
            assert store.write([record(f"{compression}-{number}") for number in range(50)]).indexed == 50
        bulk = next(asked for asked in reversed(proxy.asked) if "_bulk" in asked.path)
        assert bulk.body == (gzip.decompress(bulk.sent) if compression == "gzip" else bulk.sent)
        sizes.append(len(bulk.sent))
    assert sizes[1] < sizes[0] / 5
