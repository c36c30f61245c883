"""Takes events in batches, stores them, and only then forgets them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
from prometheus_client import CollectorRegistry, Counter
from pydantic import ValidationError
from sereno_telemetry import Consumer, Delivery, current_message

from fitness.database import StoreUnavailable
from fitness.events import Event
from fitness.metrics_consumer.queue import Entry, ReliableList
from fitness.metrics_store import MetricsStore
from fitness.worker import Worker

_BATCH = 100
WAIT_SECONDS = 1
_STUCK_SECONDS = 0.2

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """An entry and the event in it."""

    entry: Entry
    delivery: Delivery
    event: Event | None
    mistake: str
    """Why there is no event; never what stands in the entry."""


class EventConsumer:
    """A worker between the list and the store.

    While the store or Redis fails, events stay where they are and are tried again.
    """

    def __init__(
        self,
        entries: ReliableList,
        store: MetricsStore,
        *,
        consumer: Consumer,
        registry: CollectorRegistry,
        stuck: Callable[[], bool],
    ) -> None:
        self._entries = entries
        self._store = store
        self._consumer = consumer
        self._stuck = stuck
        self._stored = Counter("fitness_events_stored", "Events that the store had not had.", registry=registry)
        self._repeated = Counter(
            "fitness_events_repeated", "Events that the store had already; it has them once.", registry=registry
        )
        self.worker = Worker("Storing events", self._step, (redis.RedisError, StoreUnavailable))

    def _step(self) -> float:
        if self._stuck():
            return _STUCK_SECONDS
        taken = self._entries.take(_BATCH, WAIT_SECONDS)
        self._consumer.polled()
        if not taken:
            return 0.0
        read = [_read(entry) for entry in taken]
        bad = [each for each in read if each.event is None]
        if bad:
            self._put_aside(bad)
        good = [each for each in read if each.event is not None]
        if good:
            self._store_all(good)
        self._entries.done([each.entry for each in good])
        return 0.0

    def _store_all(self, read: Sequence[_Read]) -> None:
        events = [each.event for each in read if each.event is not None]
        # Its trace is that of the oldest event that is traced. A failing store is an exception, and a retry.
        with self._consumer.processing(*(each.delivery for each in read)):
            new = self._store.add(events)
        self._stored.inc(new)
        self._repeated.inc(len(events) - new)

    def _put_aside(self, read: Sequence[_Read]) -> None:
        with self._consumer.processing(*(each.delivery for each in read)):
            current_message().reject("invalid")
            self._entries.put_aside([each.entry for each in read])
        for each in read:
            _logger.error(
                "An entry of the list is no event and was put aside: %s",
                each.mistake,
                extra={"ecs": {"error.type": "pydantic.ValidationError", "error.message": each.mistake}},
            )


def _read(entry: Entry) -> _Read:
    delivery, body = Delivery.from_redis_list(entry.payload)
    again = Delivery(delivery.read().headers, redelivered=entry.redelivered)
    try:
        return _Read(entry, again, Event.model_validate_json(body), "")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return _Read(entry, again, None, f"{'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']}")
