"""Events between services: durable, published with the broker's confirmation, and taken until they were applied."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from pika.exceptions import UnroutableError  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, current_message, publishing

from tournaments.database import DatabaseUnavailable
from tournaments.messaging.link import SYSTEM

EXCHANGE = "events"
_BATCH = 50
_PERSISTENT = 2
_LEFT_ALONE_SECONDS = 2.0
"""What no queue takes: whose queue it is may be starting."""

_logger = logging.getLogger(__name__)

Event = Mapping[str, Any]


class Announcing:
    """Publishes what a service's database holds and hasn't announced yet: nothing is lost while the broker is gone.

    Args:
        pending: the oldest events that aren't announced, at most so many: kind, id, event. Raises DatabaseUnavailable.
        announced: they are. Raises DatabaseUnavailable: they are announced again, and applied once.
        registry: where telemetry goes.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        pending: Callable[[int], list[tuple[str, str, Event]]],
        announced: Callable[[str, list[str]], None],
        registry: CollectorRegistry,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pending, self._announced, self._registry, self._clock = pending, announced, registry, clock
        self._left_alone_until: dict[str, float] = {}

    def begin(self, channel: BlockingChannel) -> None:
        """The broker confirms what it has taken."""
        channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
        channel.confirm_delivery()

    def turn(self, channel: BlockingChannel) -> None:
        """Announce what there is."""
        try:
            for kind, number, event in self._pending(_BATCH):
                if self._clock() < self._left_alone_until.get(kind, 0.0):
                    continue
                try:
                    self._publish(channel, kind, number, event)
                except UnroutableError:
                    self._left_alone_until[kind] = self._clock() + _LEFT_ALONE_SECONDS
                    _logger.warning("No queue takes %s: they wait in the database", kind)
                else:
                    self._announced(kind, [number])
        except DatabaseUnavailable as error:
            _logger.error("Events wait to be announced: %s", error)  # noqa: TRY400

    def lost(self) -> None:
        """They wait in the database."""

    def _publish(self, channel: BlockingChannel, kind: str, number: str, event: Event) -> None:
        """Raises UnroutableError: without `mandatory` the broker confirms what no queue is bound to, and drops it."""
        with publishing(kind, system=SYSTEM, registry=self._registry) as headers:
            properties = pika.BasicProperties(
                delivery_mode=_PERSISTENT,
                headers=dict(headers),
                message_id=number,
                content_type="application/json",
            )
            channel.basic_publish(EXCHANGE, kind, json.dumps(event).encode(), properties, mandatory=True)


class Applying:
    """Takes events of some kinds from a durable queue and applies each; those that can't be now come again."""

    def __init__(
        self,
        queue: str,
        handlers: Mapping[str, Callable[[Event], None]],
        registry: CollectorRegistry,
        *,
        is_stuck: Callable[[], bool] = lambda: False,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._is_stuck = is_stuck
        self._consumer = Consumer(queue, system=SYSTEM, registry=registry)

    def begin(self, channel: BlockingChannel) -> None:
        """Make the queue, and bind it to the kinds."""
        channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
        channel.queue_declare(self._queue, durable=True)
        for kind in self._handlers:
            channel.queue_bind(self._queue, EXCHANGE, kind)

    def turn(self, channel: BlockingChannel) -> None:
        """Apply what waits, some at a time: the connection has its heartbeats to answer between."""
        if self._is_stuck():
            return
        self._consumer.polled()
        for _ in range(_BATCH):
            method, properties, body = channel.basic_get(self._queue)
            if method is None or not self._apply(channel, method, properties, body):
                return

    def lost(self) -> None:
        """What wasn't acknowledged comes again."""

    def _apply(self, channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> bool:
        with self._consumer.processing(Delivery.from_pika(method, properties)):
            try:
                self._handlers[method.routing_key](json.loads(body))
            except DatabaseUnavailable as error:
                current_message().retry("DatabaseUnavailable")
                channel.basic_nack(method.delivery_tag, requeue=True)
                _logger.error("An event waits: %s", error)  # noqa: TRY400
                return False
            except (KeyError, ValueError, TypeError):
                current_message().reject("malformed")
                channel.basic_reject(method.delivery_tag, requeue=False)
                _logger.exception("An event of %s is malformed", method.routing_key)
                return True
        channel.basic_ack(method.delivery_tag)
        return True
