"""Puts events on a durable queue of RabbitMQ; what the broker has confirmed is on its disk."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPException

from devops_events.envelope import DEAD_LETTERS, QUEUE, QUEUE_ARGUMENTS, Envelope

CONFIRM_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 2.0
_HEARTBEAT_SECONDS = 10
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 2.0

# RuntimeError is what aiormq raises on channels that are closed meanwhile.
_TROUBLES = (AMQPException, OSError, TimeoutError, RuntimeError)

_logger = logging.getLogger(__name__)


class BrokerUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The broker has not confirmed the event: it may be on the queue, or not."""


class Publisher:
    """One connection with publisher confirms, opened when it is needed; all calls come from one event loop.

    A connection that fails, or doesn't confirm in time, is given up with everything that waits on it. While the broker
    can't be reached it is tried again after a pause of up to two seconds, and meanwhile every call fails at once.

    Args:
        url: of the broker, as amqp://.
        lost: whether the confirm of this event gets lost on its way (a fault).
        clock: monotonic seconds.
    """

    def __init__(
        self, url: str, *, lost: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._lost = lost
        self._clock = clock
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._pause_seconds = 0.0
        self._tried_again_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, envelope: Envelope, headers: Mapping[str, Any]) -> None:
        """Return once the broker has confirmed that the event is on the queue.

        Args:
            envelope: the event.
            headers: what telemetry adds.

        Raises:
            BrokerUnavailable: there is no confirm.
        """
        message = aio_pika.Message(
            envelope.body,
            headers={**envelope.tags(), **headers},
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=envelope.key,
            timestamp=envelope.received_at,
            app_id=envelope.node,
        )
        channel = await self._opened()
        try:
            # mandatory: a queue that is gone is a failure, not a message that nobody gets.
            async with asyncio.timeout(CONFIRM_SECONDS):
                await channel.default_exchange.publish(message, routing_key=QUEUE, mandatory=True)
        except _TROUBLES as error:
            self._give_up(channel)
            raise BrokerUnavailable(f"RabbitMQ has not confirmed the event: {_words(error)}") from error
        if self._lost():
            raise BrokerUnavailable("RabbitMQ has not confirmed the event: the confirm was lost")

    async def close(self) -> None:
        """Hang up."""
        if self._channel is not None:
            self._give_up(self._channel)
        if self._closing:
            await asyncio.wait(self._closing, timeout=1.0)

    async def _opened(self) -> AbstractChannel:
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        async with self._opening:
            if self._channel is not None and not self._channel.is_closed:
                return self._channel
            if self._clock() < self._tried_again_at:
                raise BrokerUnavailable("RabbitMQ can't be reached, and is tried again in a moment")
            try:
                self._channel = await self._open()
            except _TROUBLES as error:
                self._pause_seconds = min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, 2 * self._pause_seconds))
                self._tried_again_at = self._clock() + self._pause_seconds
                raise BrokerUnavailable(f"RabbitMQ can't be reached: {_words(error)}") from error
            self._pause_seconds = 0.0
            return self._channel

    async def _open(self) -> AbstractChannel:
        async with asyncio.timeout(CONNECT_SECONDS):
            self._connection = await aio_pika.connect(self._url, heartbeat=_HEARTBEAT_SECONDS)
            channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            await channel.declare_queue(DEAD_LETTERS, durable=True)
            await channel.declare_queue(QUEUE, durable=True, arguments=dict(QUEUE_ARGUMENTS))
        return channel

    def _give_up(self, channel: AbstractChannel) -> None:
        """Close in the background: a broker that hangs answers no close either."""
        if self._channel is not channel:
            return
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            task = asyncio.get_running_loop().create_task(_close(connection))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _close(connection: AbstractConnection) -> None:
    with suppress(*_TROUBLES):
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.close()


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
