"""Messages over a real Redis: streams with fields, lists with an envelope."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, publishing
from support.redis import marked
from support.work import Tracing, current_ids, trace_id

pytestmark = marked

Series = Callable[[str], Mapping[tuple[str, ...], float]]


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def client(redis_port: int, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client that answers bytes, or text."""
    with redis.Redis(port=redis_port, decode_responses=request.param) as connected:
        yield connected


@pytest.fixture
def key() -> str:
    """A key of this test."""
    return f"orders-{uuid.uuid4().hex}"


@pytest.fixture
def orders(key: str, registry: CollectorRegistry, tracing: Tracing) -> Consumer:
    """A consumer of the key."""
    return Consumer(key, system="redis", registry=registry, tracer_provider=tracing.provider)


@pytest.fixture
def sending(key: str, registry: CollectorRegistry, tracing: Tracing) -> publishing:
    """Around the sending of one message to the key."""
    return publishing(key, system="redis", registry=registry, tracer_provider=tracing.provider)


def test_a_trace_goes_through_a_stream(
    client: Any, orders: Consumer, sending: publishing, tracing: Tracing, series: Series
) -> None:
    """The fields carry it; an entry that was claimed from a dead consumer is a redelivery of the same trace."""
    key = orders.destination
    client.xgroup_create(key, "group", mkstream=True)
    with sending as headers:
        client.xadd(key, {"body": "one", **headers})
    sent = trace_id(tracing.only())
    ((_, ((entry_id, fields),)),) = client.xreadgroup("group", "dies", {key: ">"})
    with orders.processing(Delivery.from_redis_stream(entry_id, fields)):
        assert current_ids()[0] == sent
    _, ((entry_id, fields),), *_ = client.xautoclaim(key, "group", "lives", min_idle_time=0)
    (pending,) = client.xpending_range(key, "group", "-", "+", 10)
    with orders.processing(Delivery.from_redis_stream(entry_id, fields, attempt=pending["times_delivered"])):
        assert current_ids()[0] == sent
    assert series("messaging_redeliveries_total") == {("redis", key): 1}
    assert series("messaging_message_age_seconds_count") == {("redis", key): 2}


def test_a_stream_entry_of_a_stranger_has_an_age(client: Any, key: str, orders: Consumer, series: Series) -> None:
    """The entry's id is Redis's time of its arrival."""
    client.xadd(key, {"body": "one", "traceparent": "junk"})
    ((entry_id, fields),) = client.xrange(key)
    with orders.processing(Delivery.from_redis_stream(entry_id, fields)):
        pass
    assert series("messaging_message_age_seconds_count") == {("redis", key): 1}


def test_a_trace_goes_through_a_list(
    client: Any, orders: Consumer, sending: publishing, tracing: Tracing, series: Series
) -> None:
    """Both ends use the envelope; the body arrives as it was."""
    key = orders.destination
    with sending as headers:
        client.rpush(key, headers.envelope('{"order": 1}'))
    delivery, body = Delivery.from_redis_list(client.lpop(key))
    with orders.processing(delivery):
        assert current_ids()[0] == trace_id(tracing.only())
    assert body in ('{"order": 1}', b'{"order": 1}')
    assert series("messaging_message_age_seconds_count") == {("redis", key): 1}


def test_a_list_element_of_a_stranger_is_read_as_it_is(client: Any, key: str, orders: Consumer) -> None:
    """Senders move to the envelope one after the other."""
    client.rpush(key, '{"order": 1}')
    delivery, body = Delivery.from_redis_list(client.lpop(key))
    with orders.processing(delivery):
        pass
    assert body in ('{"order": 1}', b'{"order": 1}')
