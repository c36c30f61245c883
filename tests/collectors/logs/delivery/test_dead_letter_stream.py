"""What Elasticsearch refuses stays in Elasticsearch: once, with reason and origin, out of everybody's way."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogStoreUnreachable
from sereno_backends.logs.ecs import lookup
from sereno_backends.logs.sequences import open_dead_letter_reader, open_sequence_reader
from sereno_collectors.logs.reconciling import HourFigures, reconcile
from support.collecting import ALWAYS, Bench, ecs_line
from support.elasticsearch import ElasticsearchServer, fresh_namespace, install_picky_template, marked
from support.log_records import NOON
from support.proxy import Asked, Proxy, Refusal, proxy_before

pytestmark = marked


@pytest.fixture
def namespace() -> str:
    """A namespace of this test alone."""
    return fresh_namespace()


@pytest.fixture
def proxy(elasticsearch: ElasticsearchServer) -> Iterator[Proxy]:
    """A proxy before the real server."""
    with proxy_before(elasticsearch.url) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, proxy: Proxy, elasticsearch: ElasticsearchServer, namespace: str) -> Iterator[Bench]:
    """A collector whose server refuses every line with a `user.id`."""
    install_picky_template(elasticsearch.url, f"logs-app-{namespace}")
    with closing(Bench(tmp_path, ElasticsearchLogStore(proxy.url, namespace))) as made:
        yield made


def letters(server: ElasticsearchServer, namespace: str) -> list[dict[str, Any]]:
    """The hits of the dead-letter stream."""
    address = f"{server.url}/logs-sereno.dead_letter-{namespace}"
    httpx.post(f"{address}/_refresh", trust_env=False)
    found = httpx.get(f"{address}/_search?size=100&sort=log.offset", trust_env=False).json()
    hits: list[dict[str, Any]] = found.get("hits", {}).get("hits", [])
    return hits


def numbered(source: str, number: int, **more: object) -> str:
    """A line with a sequence number."""
    names = {"service.name": source, "service.node.name": source}
    return ecs_line(f"line {number}", **names, **{"event.sequence": number}, **more)


def start_anew(bench: Bench) -> None:
    """A collector that knows nothing of the one before."""
    bench.end()
    for path in (bench.checkpoint, *bench.folder.glob("queue.sqlite*")):
        path.unlink(missing_ok=True)


def test_a_refused_line_is_a_letter_with_reason_and_origin(
    bench: Bench, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """The letter names reason, place, stream and number, and keeps document and line byte by byte; there is no file."""
    poison = numbered(namespace, 2, **{"user.id": "no object"})
    bench.append(numbered(namespace, 1), poison)
    bench.drain()
    (hit,) = letters(elasticsearch, namespace)
    letter = hit["_source"]
    kept = letter["sereno"]["dead_letter"]
    assert hit["_id"] == kept["record_id"] == hashlib.sha256(f"|message|{poison}|".encode()).hexdigest()
    assert kept["line"] == poison
    assert kept["stream"] == f"logs-app-{namespace}"
    assert kept["timestamp"] == "2026-11-22T12:00:00.000Z"
    assert kept["document"].startswith(poison[:-1] + ',"')
    assert orjson.loads(kept["document"])["sereno"] == {"words": "line 2"}
    assert letter["error.type"] == "document_parsing_exception"
    assert "object mapping for [user.id]" in letter["error.message"]
    assert (letter["log.file.path"], letter["log.offset"]) == (str(bench.log), len(numbered(namespace, 1)) + 1)
    assert (letter["service.node.name"], letter["event.sequence"]) == (namespace, 2)
    assert letter["@timestamp"] > "2026-11-22T12:00:00.000Z"
    assert bench.count("dead_lettered") == 1
    assert not bench.dead_letters.exists()


def test_a_repetition_adds_no_letter(bench: Bench, elasticsearch: ElasticsearchServer, namespace: str) -> None:
    """A letter that is stored is not stored again, not even behind a rollover of its stream."""
    bench.append(numbered(namespace, 1, **{"user.id": "no object"}))
    bench.drain()
    address = f"{elasticsearch.url}/logs-sereno.dead_letter-{namespace}/_rollover"
    httpx.post(address, trust_env=False).raise_for_status()
    start_anew(bench)
    bench.drain()
    assert bench.count("dead_lettered") == 1
    assert len(letters(elasticsearch, namespace)) == 1


def test_letters_are_left_out_of_every_question(bench: Bench, elasticsearch: ElasticsearchServer) -> None:
    """Search, count and top messages don't see letters; a reader of letters sees nothing else."""
    namespace = bench.store.dead_letters.rpartition("-")[2]  # type: ignore[attr-defined]
    bench.append(numbered(namespace, 1), numbered(namespace, 2, **{"user.id": "no object"}))
    bench.drain()
    assert bench.messages() == ["line 1"]
    assert bench.store.count(ALWAYS) == 1
    assert [each.message for each in bench.store.top_messages(ALWAYS)] == ["line 1"]
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace, dead_letters=True)) as dead:
        (found,) = dead.search(ALWAYS)
    assert found.message == "line 2"
    assert lookup(found.document, "sereno.dead_letter.stream") == f"logs-app-{namespace}"


def test_reconcile_counts_letters_in_the_hour_of_their_lines(
    bench: Bench, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """A letter of today is no gap in the hour of last week in which its line was written."""
    bench.append(numbered(namespace, 1), numbered(namespace, 2, **{"user.id": "no object"}), numbered(namespace, 3))
    bench.append(numbered(namespace, 4, **{"user.id": "no object"}))
    bench.drain()
    dead = open_dead_letter_reader(elasticsearch.url)
    assert dead is not None
    with closing(open_sequence_reader(elasticsearch.url)) as reader, closing(dead):
        end = NOON.replace(hour=13)
        answer = reconcile(reader, NOON, end, services=[namespace], dead_letters=dead)
    assert answer.hours == (HourFigures(namespace, NOON, 2, 2, 0, 0, 0),)
    assert answer.is_proven


def test_what_no_field_can_hold_is_a_letter_all_the_same(
    bench: Bench, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """Text that is no JSON, fields of odd types and a long line are letters; none is refused a second time."""
    odd = ecs_line("odd", **{"user.id": 5, "trace.id": {"a": 1}, "event.sequence": "x", "log.offset": {"b": []}})
    long = numbered(namespace, 7, **{"user.id": "x" * 200_000})
    bench.append(odd, long)
    bench.drain()
    assert not bench.dead_letters.exists(), bench.reports
    found = [hit["_source"]["sereno"]["dead_letter"] for hit in letters(elasticsearch, namespace)]
    assert long in [letter.get("line") for letter in found]
    assert len(found) == 2


def test_a_stream_that_can_not_take_letters_now_is_waited_for(
    bench: Bench, proxy: Proxy, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """While the stream is busy nothing is acknowledged, and no file is written; then the letter is there."""
    bench.append(numbered(namespace, 1, **{"user.id": "no object"}))

    def busy(asked: Asked) -> Refusal | None:
        return Refusal(429) if b"logs-sereno.dead_letter" in asked.body else None

    proxy.refuse = busy
    with pytest.raises(LogStoreUnreachable):
        bench.drain()
    assert bench.count("dead_lettered") == 0
    assert not bench.dead_letters.exists()
    proxy.refuse = lambda _asked: None
    bench.drain()
    assert bench.count("dead_lettered") == 1
    assert len(letters(elasticsearch, namespace)) == 1


@pytest.mark.parametrize("what", ["privilege", "template"])
def test_letters_that_are_refused_go_to_the_file(
    what: str, bench: Bench, proxy: Proxy, elasticsearch: ElasticsearchServer, namespace: str
) -> None:
    """Without the privilege, or before somebody's own mapping, letters are in the file; this is said once."""
    if what == "template":
        template = {
            "index_patterns": [f"logs-sereno.dead_letter-{namespace}"],
            "data_stream": {},
            "priority": 500,
            "version": 1_000,
            "template": {"mappings": {"properties": {"message": {"type": "boolean"}}}},
        }
        address = f"{elasticsearch.url}/_index_template/sereno-logs-sereno.dead_letter-{namespace}"
        httpx.put(address, json=template, trust_env=False).raise_for_status()
    else:
        proxy.refuse = lambda asked: Refusal(403) if b"logs-sereno.dead_letter" in asked.body else None
    poison = [numbered(namespace, number, **{"user.id": "no object"}) for number in (1, 2)]
    bench.append(poison[0])
    bench.drain()
    bench.append(poison[1])
    bench.drain()
    written = [orjson.loads(line) for line in bench.dead_letters.read_bytes().splitlines()]
    assert [letter["line"] for letter in written] == poison
    assert len([report for report in bench.reports if "refuses dead letters" in report]) == 1
    assert bench.count("dead_lettered") == 2
    assert letters(elasticsearch, namespace) == []
    proxy.refuse = lambda _asked: None
    start_anew(bench)
    bench.drain()
    assert letters(elasticsearch, namespace) == []
    assert datetime.fromisoformat(written[0]["@timestamp"]) <= datetime.now(UTC)
