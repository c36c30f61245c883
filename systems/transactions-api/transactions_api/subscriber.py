"""Writes what is published to the database."""

import logging
import threading
from collections.abc import Callable, Sequence

from sereno_telemetry import Consumer, Delivery, current_message

from transactions_api.deliveries import Deliveries
from transactions_api.model import Message
from transactions_api.store import StoreUnavailable, TransactionStore
from transactions_api.topic import Topic

BATCH = 100
_POLL_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class Subscriber:
    """A thread that takes messages in batches, stores them, and only then acknowledges them.

    While the database fails, messages stay on the topic and are tried again, with pauses up to two seconds.
    """

    def __init__(
        self,
        topic: Topic,
        store: TransactionStore,
        deliveries: Deliveries,
        *,
        consumer: Consumer,
        stuck: Callable[[], bool],
    ) -> None:
        self._topic = topic
        self._store = store
        self._deliveries = deliveries
        self._consumer = consumer
        self._stuck = stuck
        self._tried = 0
        """How many of the oldest messages were received before and not acknowledged."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)

    def start(self) -> None:
        """Begin to take messages."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Store what waits as long as the time allows, then end."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause_seconds = 0.0
        while not self._stopping.wait(pause_seconds):
            pause_seconds = self._turn(pause_seconds)
        while not self._nothing_waits() and self._turn(0.0) == 0.0:
            pass  # told to stop: store what waits, until that fails

    def _turn(self, last_pause_seconds: float) -> float:
        """Do one piece of work; how many seconds to pause then, 0 if all is well."""
        if self._stuck():
            return _POLL_SECONDS
        try:
            return self._step(last_pause_seconds)
        except Exception:
            # A bug must not end the thread silently: the queue would fill up with nobody to tell why.
            _logger.exception("The subscriber failed")
            return _LONGEST_PAUSE_SECONDS

    def _nothing_waits(self) -> bool:
        return not self._topic.receive(1, 0.0)

    def _step(self, last_pause_seconds: float) -> float:
        """Take one batch and store it."""
        messages = self._topic.receive(BATCH, _POLL_SECONDS)
        if self._stuck():  # meanwhile: they stay where they are
            return 0.0
        self._consumer.polled()
        if not messages:
            return 0.0
        deliveries = [
            Delivery(message.headers, redelivered=number < self._tried, message_id=message.transaction.id)
            for number, message in enumerate(messages)
        ]
        # Its trace is that of the oldest message that is traced: that is the customer who waits longest.
        with self._consumer.processing(*deliveries):
            return self._store_batch(messages, last_pause_seconds)

    def _store_batch(self, messages: Sequence[Message], last_pause_seconds: float) -> float:
        try:
            self._store.add([message.transaction for message in messages])
        except StoreUnavailable as error:
            self._tried = len(messages)
            current_message().retry("StoreUnavailable")
            _logger.error(  # noqa: TRY400 - the stack says nothing that the message doesn't
                "Transactions could not be stored and wait: %s",
                error,
                extra={
                    "ecs": {
                        "error.type": f"{StoreUnavailable.__module__}.StoreUnavailable",
                        "error.message": str(error),
                    },
                    "waiting": self._deliveries.figures().waiting,
                },
            )
            return min(_LONGEST_PAUSE_SECONDS, max(_POLL_SECONDS, 2 * last_pause_seconds))
        self._topic.acknowledge(messages)
        self._tried = 0
        self._deliveries.stored(message.transaction.id for message in messages)
        return 0.0
