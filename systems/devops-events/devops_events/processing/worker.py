"""Takes events from the queue in batches, stores them, and only then acknowledges them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from pika.exceptions import AMQPError  # type: ignore[import-untyped]
from reference_system.faults import Faults, Share
from sereno_backends.devops import Disposition
from sereno_telemetry import Consumer, Delivery, current_message

from devops_events.envelope import DEAD_LETTERS, QUEUE, QUEUE_ARGUMENTS, NotAnEnvelope, opened
from devops_events.processing.faults import HELD_BACK, STUCK
from devops_events.processing.metrics import ProcessingMetrics
from devops_events.processing.normalising import Record, normalised
from devops_events.processing.store import EventStore, StoreUnavailable, Unstorable

BATCH: Final = 200
PREFETCH: Final = 600
"""Also what may be held back by a fault without stopping the rest."""
_POLL_SECONDS = 0.2
_HEARTBEAT_SECONDS = 15
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was delivered and isn't acknowledged yet."""

    tag: int
    delivery: Delivery
    record: Record


@dataclass(slots=True)
class Session:
    """What one connection has taken. When the connection is lost the broker gives all of it out again."""

    channel: BlockingChannel
    waiting: list[Taken] = field(default_factory=list)
    held: list[tuple[float, Taken]] = field(default_factory=list)
    """With the monotonic time at which each goes on."""


class Worker:
    """A thread that consumes until it is stopped; it survives every outage of the broker and of the store.

    Messages stay unacknowledged while the store fails, and are tried again after pauses of up to two seconds.
    """

    def __init__(
        self, broker: str, store: EventStore, *, consumer: Consumer, metrics: ProcessingMetrics, faults: Faults
    ) -> None:
        self._parameters = pika.URLParameters(broker)
        self._parameters.heartbeat = _HEARTBEAT_SECONDS
        self._parameters.socket_timeout = self._parameters.blocked_connection_timeout = 5
        self._parameters.stack_timeout = 5
        self._store = store
        self._consumer = consumer
        self._metrics = metrics
        self._faults = faults
        self._share = Share()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """End after the batch that is under way; what isn't acknowledged stays on the queue."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause_seconds = 0.0
        while not self._stopping.wait(pause_seconds):
            began = time.monotonic()
            try:
                self._consume()
            except (AMQPError, OSError) as error:
                _logger.error(  # noqa: TRY400 - the stack says nothing that the message doesn't
                    "The queue can't be read and is tried again: %s",
                    error or type(error).__name__,
                    extra={"ecs": {"error.type": f"{type(error).__module__}.{type(error).__qualname__}"}},
                )
            except Exception:
                # A bug must not end the thread silently: the queue would fill up with nobody to tell why.
                _logger.exception("The worker failed")
            lasted = time.monotonic() - began > _LONGEST_PAUSE_SECONDS
            pause_seconds = _FIRST_PAUSE_SECONDS if lasted else min(_LONGEST_PAUSE_SECONDS, 2 * pause_seconds + 0.1)

    def _consume(self) -> None:
        """One connection, from its opening until it fails or the worker is stopped."""
        connection = pika.BlockingConnection(self._parameters)
        try:
            channel = connection.channel()
            channel.queue_declare(DEAD_LETTERS, durable=True)
            channel.queue_declare(QUEUE, durable=True, arguments=dict(QUEUE_ARGUMENTS))
            channel.basic_qos(prefetch_count=PREFETCH)
            session = Session(channel)
            channel.basic_consume(QUEUE, self._receiver(session))
            pause_seconds = 0.0
            while not self._stopping.is_set():
                if self._faults.active(STUCK):
                    connection.sleep(_POLL_SECONDS)  # heartbeats go on: to the broker it is alive
                    continue
                if pause_seconds:
                    connection.sleep(pause_seconds)
                elif not session.waiting:
                    connection.process_data_events(time_limit=_POLL_SECONDS)
                self._consumer.polled()
                pause_seconds = self._work(session, pause_seconds)
        finally:
            with suppress(AMQPError, OSError):
                connection.close()

    def _receiver(self, session: Session) -> Callable[..., None]:
        def receive(channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> None:
            delivery = Delivery.from_pika(method, properties)
            try:
                record = normalised(opened(properties.headers, body))
            except NotAnEnvelope as error:
                with self._consumer.processing(delivery):
                    self._give_up(channel, method.delivery_tag, str(error))
                return
            taken = Taken(method.delivery_tag, delivery, record)
            held_back = self._faults.active(HELD_BACK)
            if held_back is not None and self._share.takes(held_back.settings["ratio"]):
                session.held.append((time.monotonic() + held_back.settings["seconds"], taken))
            else:
                session.waiting.append(taken)

        return receive

    def _work(self, session: Session, last_pause_seconds: float) -> float:
        """Store one batch of what waits; how many seconds to pause then, 0 if all is well."""
        now = time.monotonic()
        goes_on = [taken for until, taken in session.held if until <= now or not self._faults.active(HELD_BACK)]
        if goes_on:
            session.waiting.extend(goes_on)
            session.held = [(until, taken) for until, taken in session.held if taken not in goes_on]
        batch = session.waiting[:BATCH]
        if not batch:
            return 0.0
        try:
            # Its trace is that of the oldest message that is traced: that is the event that waits longest.
            with self._consumer.processing(*(taken.delivery for taken in batch)):
                self._store_all(session.channel, batch)
        except StoreUnavailable as error:
            _logger.error(  # noqa: TRY400 - the stack says nothing that the message doesn't
                "Events could not be stored and wait: %s",
                error,
                extra={"ecs": {"error.type": f"{StoreUnavailable.__module__}.StoreUnavailable"}},
            )
            return min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, 2 * last_pause_seconds))
        del session.waiting[: len(batch)]
        return 0.0

    def _store_all(self, channel: BlockingChannel, batch: Sequence[Taken]) -> None:
        """Store and acknowledge; what can't ever be stored goes to the dead letters, and holds up nobody else."""
        try:
            stored = self._store.add([taken.record for taken in batch])
        except Unstorable as error:
            if len(batch) == 1:
                self._give_up(channel, batch[0].tag, str(error))
                return
            middle = len(batch) // 2
            self._store_all(channel, batch[:middle])
            self._store_all(channel, batch[middle:])
            return
        for taken in batch:
            channel.basic_ack(taken.tag)
        records = [taken.record for taken in batch]
        self._metrics.stored(records, stored, datetime.now(UTC))
        for record in records:
            if record.disposition == Disposition.UNKNOWN_SCHEMA and record.envelope.key in stored.keys:
                _tell_unknown_schema(record)

    def _give_up(self, channel: BlockingChannel, tag: int, reason: str) -> None:
        channel.basic_reject(tag, requeue=False)
        self._metrics.dead_letter()
        current_message().reject("unstorable")
        _logger.error("A message can't be stored and lies with the dead letters: %s", reason)


def _tell_unknown_schema(record: Record) -> None:
    _logger.error(
        "%s sends %s in a shape that is not known, only the original is stored: %s",
        record.envelope.platform,
        record.envelope.event_type,
        record.reason,
        extra={"ecs": {"error.type": "UnknownSchema", "error.message": record.reason, "event.id": record.envelope.key}},
    )
