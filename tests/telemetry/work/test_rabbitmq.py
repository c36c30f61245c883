"""Messages over a real RabbitMQ, by pika and by aio-pika."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aio_pika
import pika  # type: ignore[import-untyped]
import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, publishing
from support.rabbitmq import Broker, marked
from support.waiting import wait_for
from support.work import Tracing, current_ids, trace_id

pytestmark = marked

Series = Callable[[str], Mapping[tuple[str, ...], float]]


@pytest.fixture
def channel(rabbitmq: Broker) -> Iterator[Any]:
    """A channel of pika."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    yield connection.channel()
    connection.close()


@pytest.fixture
def queue(channel: Any) -> Iterator[str]:
    """A queue of this test."""
    name = f"orders-{uuid.uuid4().hex}"
    channel.queue_declare(name)
    yield name
    channel.queue_delete(name)


@pytest.fixture
def orders(queue: str, registry: CollectorRegistry, tracing: Tracing) -> Consumer:
    """A consumer of the queue."""
    return Consumer(queue, system="rabbitmq", registry=registry, tracer_provider=tracing.provider)


@pytest.fixture
def sending(queue: str, registry: CollectorRegistry, tracing: Tracing) -> Callable[[], publishing]:
    """Around the sending of a message to the queue."""
    return lambda: publishing(queue, system="rabbitmq", registry=registry, tracer_provider=tracing.provider)


@pytest.fixture
def request_id(channel: Any, queue: str, sending: Callable[[], publishing], tracing: Tracing) -> str:
    """The trace id of a request that has published one message."""
    with tracing.provider.get_tracer("test").start_as_current_span("POST /orders"):
        with sending() as headers:
            channel.basic_publish("", queue, b"one", pika.BasicProperties(headers=headers))
        return current_ids()[0]


def test_a_trace_goes_through_the_broker(
    channel: Any, orders: Consumer, request_id: str, tracing: Tracing, series: Series
) -> None:
    """What pika's callback does belongs to the request that published; the age is measured, the outcome counted."""
    queue, seen = orders.destination, list[str]()

    @orders
    def on_message(channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        seen.append(current_ids()[0])
        channel.basic_ack(method.delivery_tag)
        channel.stop_consuming()

    channel.basic_consume(queue, on_message)
    channel.start_consuming()
    assert seen == [request_id]
    send_span, _, process_span = tracing.spans()
    assert process_span.parent is not None
    assert send_span.context is not None
    assert process_span.parent.span_id == send_span.context.span_id
    (age,) = series("messaging_message_age_seconds_sum").values()
    assert 0 <= age < 10
    assert series("messaging_process_duration_seconds_count") == {("rabbitmq", queue, "ok", ""): 1}


@pytest.mark.parametrize(
    "headers", [None, {"traceparent": 7, "sereno-enqueued-at": [1, {"a": 2}]}, {"traceparent": "x" * 20_000}]
)
def test_messages_of_strangers_are_processed(
    channel: Any, orders: Consumer, registry: CollectorRegistry, tracing: Tracing, headers: dict[str, Any] | None
) -> None:
    """Without headers, with wrong ones and with huge ones: a trace of its own, no age, no error."""
    channel.basic_publish("", orders.destination, b"x", pika.BasicProperties(headers=headers))
    method, properties, _body = channel.basic_get(orders.destination, auto_ack=True)
    with orders.processing(Delivery.from_pika(method, properties)):
        assert current_ids()[0] != "0" * 32
    assert tracing.only().parent is None
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 0


CONSUMER = """
import sys, time, pika
from sereno_telemetry import Consumer
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
@Consumer(sys.argv[2], system="rabbitmq")
def on_message(channel, method, properties, body):
    print("processing", flush=True)
    time.sleep(60)
channel.basic_consume(sys.argv[2], on_message)
channel.start_consuming()
"""


def test_a_consumer_killed_midway_leaves_a_redelivery(
    rabbitmq: Broker, channel: Any, orders: Consumer, request_id: str, series: Series
) -> None:
    """Another consumer gets the message again: the redelivery is counted, and the trace goes on."""
    queue = orders.destination
    command = [sys.executable, "-c", CONSUMER, rabbitmq.url, queue]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "processing\n"
        process.kill()
        process.wait(10)

    def again() -> tuple[Any, Any] | None:
        method, properties, _body = channel.basic_get(queue, auto_ack=True)
        return (method, properties) if method is not None else None

    with orders.processing(Delivery.from_pika(*wait_for(again, what="the message comes again"))):
        assert current_ids()[0] == request_id
    assert series("messaging_redeliveries_total") == {("rabbitmq", queue): 1}


def test_aio_pika_carries_it_as_well(
    rabbitmq: Broker, orders: Consumer, sending: Callable[[], publishing], tracing: Tracing, series: Series
) -> None:
    """Sent and consumed by aio-pika, side by side: each message keeps the trace of its own sender."""
    queue = orders.destination
    seen: dict[bytes, str] = {}
    done = 3

    async def exchange() -> None:
        connection = await aio_pika.connect(rabbitmq.url)
        async with connection:
            channel = await connection.channel()
            enough = asyncio.Event()

            @orders
            async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                async with message.process():
                    await asyncio.sleep(0.01)
                    seen[message.body] = current_ids()[0]
                if len(seen) == done:
                    enough.set()

            for number in range(done):
                async with sending() as headers:
                    message = aio_pika.Message(str(number).encode(), headers=headers)
                    await channel.default_exchange.publish(message, routing_key=queue)
            consumed = await channel.get_queue(queue)
            await consumed.consume(on_message)
            await asyncio.wait_for(enough.wait(), 20)

    asyncio.run(exchange())
    sent = [trace_id(span) for span in tracing.spans() if span.name.startswith("send")]
    assert [seen[str(number).encode()] for number in range(done)] == sent
    assert series("messaging_processed_messages_total")["rabbitmq", queue, "ok"] == done
    assert series("messaging_message_age_seconds_count") == {("rabbitmq", queue): done}
