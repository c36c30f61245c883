"""The exporter `rabbitmq` before answers that no RabbitMQ gives, and before LavinMQ's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sereno_exporters.queues.rabbitmq import families
from sereno_exporters.queues.rabbitmq.dead_letters import dead_letters_of
from sereno_exporters.queues.rabbitmq.fetch import ROUND
from sereno_exporters.queues.rabbitmq.kind import KIND
from sereno_exporters.queues.rabbitmq.reading import binding_of, node_of, queue_of
from support.configured_exporters import Scrape, mistakes, scraped
from support.misbehaving import Answer, close_midway, drip, endless, garbage, hang, misbehaving, ok
from support.ports import free_port

TARGETS = "      one: {{url: '{url}'}}\n"
PARTS = {"queues", "dead_letters", "overview", "nodes"}
KEYS = [
    "name",
    "vhost",
    "type",
    "arguments",
    "effective_policy_definition",
    "messages_ready",
    "messages_unacknowledged",
    "consumers",
    "head_message_timestamp",
    "message_stats",
    "destination",
    "destination_type",
    "source",
    "running",
    "mem_alarm",
    "partitions",
    "publish",
    "deliver_get",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "message-ttl",
    "dead-letter-exchange",
]
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)
OBJECT = some.dictionaries(some.sampled_from(KEYS), JSON, max_size=10)


def shortly(url: str, seconds: int = 1) -> Scrape:
    """A scrape that may take a second."""
    return scraped(KIND, TARGETS.format(url=url), Path(), timeout=f"{seconds}s")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(hang, "timeout", id="hangs"),
        pytest.param(drip, "timeout", id="drips"),
        pytest.param(garbage, "unreachable", id="is no HTTP"),
        pytest.param(close_midway, "unreachable", id="closes midway"),
        pytest.param(endless, "too_large", id="sends a gigabyte"),
        pytest.param(ok(b"<html>"), "garbage", id="answers no JSON"),
        pytest.param(ok(b"12"), "garbage", id="answers a number"),
        pytest.param(ok(b'"queues"'), "garbage", id="answers a text"),
        pytest.param(ok(b"[[]]"), "garbage", id="answers lists of lists"),
        pytest.param(ok(b'{"items": [1], "page_count": 1}'), "garbage", id="answers pages of numbers"),
        pytest.param(ok(status="500 Oops"), "error", id="500"),
        pytest.param(ok(status="401 Unauthorized"), "refused", id="401"),
    ],
)
def test_whatever_the_server_does_each_part_fails_in_time(answer: Answer, reason: str) -> None:
    """Reason by part, no family of its own, within the timeout."""
    with misbehaving(answer) as server:
        begun = time.monotonic()
        granted_seconds = 1 if reason == "timeout" else 10  # a gigabyte's first part takes a while on a busy machine
        found = shortly(server.url, granted_seconds)
        took_seconds = time.monotonic() - begun
    assert {part: found.failure(part)[0] for part in PARTS} == dict.fromkeys(PARTS, reason)
    assert not [name for name in found.metrics if "queue" in name]
    assert found.value("sereno_rabbitmq_up") == 0
    assert took_seconds < granted_seconds + 1


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    """The message names the address."""
    url = f"http://127.0.0.1:{free_port()}"
    found = scraped(KIND, TARGETS.format(url=url), tmp_path)
    reason, message = found.failure("queues")
    assert (reason, url in message) == ("unreachable", True)


@contextmanager
def listing(count: int, *, cut_at: int, page_count: int | None = None) -> Iterator[str]:
    """The address of a server with so many queues, which answers pages, and at once only the first `cut_at`."""
    queues = [{"name": f"q{number}", "vhost": "/", "messages_ready": 1} for number in range(count)]
    with misbehaving() as server:

        def answer(connection: Any, ended: Any) -> None:
            query = parse_qs(urlsplit(server.asked_here.split()[1].decode()).query)
            if "page" not in query:
                body: Any = queues[:cut_at]
            else:
                page, size = int(query["page"][0]), int(query["page_size"][0])
                items = queues[(page - 1) * size : page * size]
                body = {"items": items, "page_count": page_count or -(-count // size)}
            ok(orjson.dumps(body))(connection, ended)

        server.answer = answer
        yield server.url


def test_an_endless_listing_ends(tmp_path: Path) -> None:
    """A server that always has one more page is cut off by the time."""
    with listing(ROUND, cut_at=ROUND, page_count=1_000_000) as url:
        found = scraped(KIND, TARGETS.format(url=url), tmp_path, timeout="500ms")
    assert found.failure("queues")[0] == "timeout"


def test_a_listing_that_is_cut_is_asked_for_in_pages(tmp_path: Path) -> None:
    """LavinMQ leaves out what is beyond a round number, and doesn't say so: every queue is there all the same."""
    with listing(2 * ROUND + 7, cut_at=2 * ROUND) as url:
        found = scraped(KIND, TARGETS.format(url=url), tmp_path)
    assert len(found.series("sereno_rabbitmq_queue_ready_messages")) == 2 * ROUND + 7


@settings(deadline=None)
@given(item=OBJECT, other=OBJECT)
def test_no_object_is_too_strange(item: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever stands under the known keys, reading and exposing it raises nothing."""
    queues = (queue_of(item, 2e9), queue_of(other, 2e9))
    found = dead_letters_of(queues, queues, [binding_of(item, "/"), binding_of(other, "/")])
    nodes = (node_of(item), node_of(other))
    for metrics in (families.of_queues(queues), families.of_dead_letters(found), families.of_nodes(nodes)):
        for metric in metrics:
            assert all(isinstance(float(sample.value), float) for sample in metric.samples)


def test_what_a_broker_has_not_counted_yet_is_no_nought() -> None:
    """A queue that was declared a second ago, as RabbitMQ 3.10 answers it, has no series rather than zeros."""
    fresh = {"arguments": {}, "name": "a", "vhost": "/", "type": "classic", "node": "rabbit@one"}
    assert [sample for metric in families.of_queues((queue_of(fresh, 2e9),)) for sample in metric.samples] == []


@pytest.mark.parametrize("written", [None, "", "undefined", 0, 12, True, -5, 2_000_000_000_000])
def test_a_head_without_a_time_has_no_age(written: object) -> None:
    """Nothing, a text, or a number that is no moment of this century: milliseconds would be an age of 0 for ever."""
    assert queue_of({"head_message_timestamp": written}, 2e9).oldest_age_seconds is None


def test_a_clock_that_goes_ahead_makes_no_negative_age() -> None:
    """A publisher's clock may be wrong."""
    assert queue_of({"head_message_timestamp": 2_000_000_500}, 2e9).oldest_age_seconds == 0


def test_arguments_come_before_policies() -> None:
    """As the broker does it: the argument's exchange, and the smaller one of two times."""
    queue = queue_of(
        {
            "arguments": {"x-dead-letter-exchange": "own", "x-message-ttl": 9_000},
            "effective_policy_definition": {"dead-letter-exchange": "policy", "message-ttl": 4_000},
        },
        2e9,
    )
    assert queue.dead_letters_to is not None
    assert (queue.dead_letters_to.exchange, queue.ttl_seconds) == ("own", 4)


# The keys that LavinMQ 2 answers, from its source (src/lavinmq/amqp/queue/queue.cr, details_tuple; http/controller):
# there is no package of it here, so it was not run.
LAVINMQ_QUEUE = {
    "name": "orders",
    "durable": True,
    "arguments": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"},
    "consumers": 0,
    "vhost": "/",
    "messages": 7,
    "ready": 5,
    "messages_ready": 5,
    "messages_unacknowledged": 2,
    "policy": None,
    "state": "running",
    "effective_policy_definition": None,
    "message_stats": {"ack": 3, "deliver": 5, "deliver_get": 5, "publish": 10, "redeliver": 0},
}


def test_lavinmq_answers_alike() -> None:
    """Its queues and its overview are read; what it doesn't tell has no series."""
    answers = {
        b"/api/queues": [LAVINMQ_QUEUE, {"name": "dead", "vhost": "/", "messages_ready": 4}],
        b"/api/overview": {
            "lavinmq_version": "2.4.0",
            "product_name": "LavinMQ",
            "object_totals": {"channels": 3, "connections": 2, "consumers": 1},
        },
        b"/api/vhosts": [{"name": "/"}],
        b"/api/nodes": [{"name": "one", "running": True, "partitions": []}],
    }
    with misbehaving() as server:

        def answer(connection: Any, ended: Any) -> None:
            (body,) = [body for path, body in answers.items() if path + b"?" in asked() or path + b" " in asked()]
            ok(orjson.dumps(body))(connection, ended)

        def asked() -> bytes:
            return server.asked_here

        server.answer = answer
        found = scraped(KIND, TARGETS.format(url=server.url), Path())
    assert found.failed == {}
    assert found.series("sereno_rabbitmq_queue_ready_messages") == {("/", "orders"): 5, ("/", "dead"): 4}
    assert found.series("sereno_rabbitmq_queue_delivered_total") == {("/", "orders"): 5}
    assert found.series("sereno_rabbitmq_dead_letter_messages") == {("/", "dead"): 4}
    assert found.series("sereno_rabbitmq_info") == {("LavinMQ", "2.4.0", ""): 1}
    assert found.series("sereno_rabbitmq_queue_oldest_age_seconds") == {}
    assert found.series("sereno_rabbitmq_alarm") == {}
    assert found.value("sereno_rabbitmq_connections") == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{url: 'amqp://127.0.0.1'}", "SLO006"),
        ("{url: 'http://me:secret@127.0.0.1'}", "credentials"),
        ("{url: 'http://127.0.0.1', username_file: a}", "password_file"),
        ("{url: 'http://127.0.0.1', queues: []}", 'write ["*"] for all'),
        ("{url: 'http://127.0.0.1', queues: ['^orders']}", "write a pattern of * and ?"),
        ("{url: 'http://127.0.0.1', vhosts: ['']}", "no pattern"),
        ("{url: 'http://127.0.0.1', vhost: ['/']}", "SLO004"),
        ("{queues: ['a']}", "url"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(line: str, expected: str) -> None:
    """Each mistake is one line of the file, with its code and what to write."""
    (found,) = mistakes(KIND, f"      one: {line}\n")
    assert found.startswith("exporters.yaml:6:")
    assert expected in found
