"""RabbitMQ: durable queues, confirmed messages; what is taken is acknowledged when it is stored."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from pika.exceptions import AMQPError, NackError, UnroutableError  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, current_message, publishing

from etl.connections import RABBITMQ, Connections, ServerUnavailable
from etl.model import DEAD_LETTERS, LOAD_QUEUE, MESSAGING_SYSTEM, TRANSFORM_QUEUE, DeadLetter

_POLL_SECONDS = 0.5
_HEARTBEAT_SECONDS = 20
_PERSISTENT = 2

_logger = logging.getLogger(__name__)
# It logs every failure several times, with stacks; ours is told once, by whoever wanted something of the broker.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class BrokerUnavailable(ServerUnavailable):
    """The broker could not do what it was asked."""

    def __init__(self, cause: object) -> None:
        super().__init__(RABBITMQ, cause)


class Broker:
    """Where messages go; each thread has a channel of its own."""

    def __init__(self, url: str, connections: Connections, registry: CollectorRegistry) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = _HEARTBEAT_SECONDS
        self._parameters.blocked_connection_timeout = 10
        self._parameters.socket_timeout = 3
        self._parameters.stack_timeout = 5
        self._connections = connections
        self._registry = registry
        connections.known(RABBITMQ)

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        """A channel on a connection of its own, which is closed at the end of the block, whatever happened.

        What is done with it in the block raises `BrokerUnavailable` where the broker fails. What was taken and not
        acknowledged then is delivered again.
        """
        connection = None
        try:
            connection = pika.BlockingConnection(self._parameters)
            self._connections.opened(RABBITMQ)
            channel = connection.channel()
            channel.confirm_delivery()
            _declare(channel)
            yield channel
        except (AMQPError, OSError) as error:
            self._connections.failed(RABBITMQ, error)
            raise BrokerUnavailable(_cause(error)) from error
        finally:
            if connection is not None:
                with suppress(AMQPError, OSError):
                    connection.close()
                self._connections.closed(RABBITMQ)

    def publish(self, channel: BlockingChannel, queue: str, body: bytes, message_id: str) -> None:
        """Send a message; it is on the broker's disk when this returns. Raises `BrokerUnavailable`."""
        with publishing(queue, system=MESSAGING_SYSTEM, registry=self._registry) as headers:
            properties = pika.BasicProperties(
                content_type="application/json",
                delivery_mode=_PERSISTENT,
                headers=dict(headers),
                message_id=message_id,
                timestamp=int(time.time()),
            )
            try:
                channel.basic_publish("", queue, body, properties, mandatory=True)
            except (NackError, UnroutableError) as error:
                raise BrokerUnavailable(f"the message to {queue} wasn't taken ({type(error).__name__})") from error

    def consume(
        self,
        queue: str,
        consumer: Consumer,
        handle: Callable[[BlockingChannel, bytes], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Hand message after message to `handle` until told to stop, each acknowledged when that returns.

        `DeadLetter` makes it one. Any other exception ends the consuming, and it is delivered again.

        Raises:
            BrokerUnavailable: the connection is lost; call it again.
        """
        with self.channel() as channel:
            channel.basic_qos(prefetch_count=1)
            for method, properties, body in channel.consume(queue, inactivity_timeout=_POLL_SECONDS):
                consumer.polled()
                if stopping():
                    return
                if method is None:
                    continue
                with consumer.processing(Delivery.from_pika(method, properties)):
                    try:
                        handle(channel, body)
                    except DeadLetter as error:
                        current_message().reject(error.reason)
                        _logger.error("A message of %s became a dead letter: %s", queue, error)  # noqa: TRY400 - its stack says nothing
                        channel.basic_reject(method.delivery_tag, requeue=False)
                    else:
                        channel.basic_ack(method.delivery_tag)


def _declare(channel: BlockingChannel) -> None:
    channel.queue_declare(DEAD_LETTERS, durable=True)
    for queue in (TRANSFORM_QUEUE, LOAD_QUEUE):
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD_LETTERS}
        channel.queue_declare(queue, durable=True, arguments=arguments)


def _cause(error: BaseException) -> str:
    """What it is about: pika's exceptions often have no words, and wrap those that have."""
    inner: object = error
    while isinstance(inner, BaseException) and inner.args:
        inner = getattr(inner.args[0], "exception", inner.args[-1])
    return f"{type(error).__name__}: {inner}" if inner is not error else type(error).__name__
