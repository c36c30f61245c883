"""Writes what is published to the database."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from sereno_telemetry import Consumer, Delivery, current_message

from transactions_api.model import Message
from transactions_api.store import StoreUnavailable, Unstorable, Writable
from transactions_api.topic import Queue, TopicUnavailable

BATCH = 100
_POLL_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0

_logger = logging.getLogger(__name__)


class Subscriber:
    """A thread that takes messages in batches, stores them, and only then acknowledges them.

    While database or topic fail, messages stay on the topic and are tried again, with pauses up to two seconds. One
    that the database never takes is put aside, and holds up nobody else.

    Args:
        queue: where messages come from.
        store: where they go to.
        consumer: counts them.
        stuck: whether it takes nothing at the moment.
        stored: is told the ids of what was stored.
        put_aside: is told the id of what can't ever be stored.
        waiting: how many messages wait, for the log; and whether any is left to be stored before the end.
    """

    def __init__(
        self,
        queue: Queue,
        store: Writable,
        *,
        consumer: Consumer,
        stuck: Callable[[], bool],
        stored: Callable[[Iterable[str]], None] = lambda _ids: None,
        put_aside: Callable[[str], None] = lambda _id: None,
        waiting: Callable[[], int] | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._consumer = consumer
        self._stuck = stuck
        self._stored = stored
        self._put_aside = put_aside
        self._waiting = waiting
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)

    def start(self) -> None:
        """Begin to take messages."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Store what waits as long as the time allows, where it would be lost; then end."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause_seconds = 0.0
        while not self._stopping.wait(pause_seconds):
            pause_seconds = self._turn(pause_seconds)
        while self._waiting is not None and self._waiting() and self._turn(0.0) == 0.0:
            pass  # told to stop: store what waits, until that fails

    def _turn(self, last_pause_seconds: float) -> float:
        """Do one piece of work; how many seconds to pause then, 0 if all is well."""
        if self._stuck():
            return _POLL_SECONDS
        try:
            return self._step(last_pause_seconds)
        except TopicUnavailable as error:
            _tell("Messages can't be taken from the topic or acknowledged: %s", error)
            return _longer(last_pause_seconds)
        except Exception:
            # A bug must not end the thread silently: the queue would fill up with nobody to tell why.
            _logger.exception("The subscriber failed")
            return _LONGEST_PAUSE_SECONDS

    def _step(self, last_pause_seconds: float) -> float:
        """Take one batch and store it."""
        messages = self._queue.receive(BATCH, _POLL_SECONDS)
        if self._stuck():  # meanwhile: they go back to where they were
            self._queue.give_back(messages)
            return 0.0
        self._consumer.polled()
        if not messages:
            return 0.0
        deliveries = [
            Delivery(message.headers, redelivered=message.redelivered, message_id=message.transaction.id)
            for message in messages
        ]
        # Its trace is that of the oldest message that is traced: that is the customer who waits longest.
        with self._consumer.processing(*deliveries):
            return self._store_batch(messages, last_pause_seconds)

    def _store_batch(self, messages: Sequence[Message], last_pause_seconds: float) -> float:
        # Parts of the batch, the first one last: halved until what can't be stored is alone.
        left, kept = [messages], 0
        while left:
            part = left.pop()
            try:
                self._store.add([message.transaction for message in part])
            except StoreUnavailable as error:
                self._wait([message for each in (part, *reversed(left)) for message in each], error)
                return _longer(last_pause_seconds)
            except Unstorable as error:
                if len(part) == 1:
                    self._give_up(part[0], error)
                else:
                    middle = len(part) // 2
                    left += [part[middle:], part[:middle]]
                continue
            self._queue.acknowledge(part)
            self._stored(message.transaction.id for message in part)
            kept += len(part)
        if not kept:
            current_message().reject("Unstorable")
        return 0.0

    def _wait(self, messages: Sequence[Message], error: StoreUnavailable) -> None:
        current_message().retry("StoreUnavailable")
        waiting = len(messages) if self._waiting is None else self._waiting()
        _tell("Transactions could not be stored and wait: %s", error, waiting=waiting)
        self._queue.give_back(messages)

    def _give_up(self, message: Message, error: Unstorable) -> None:
        self._queue.put_aside(message, str(error))
        self._put_aside(message.transaction.id)
        _tell("A transaction can't be stored and is put aside: %s", error, transaction=message.transaction.id)


def _longer(last_pause_seconds: float) -> float:
    return min(_LONGEST_PAUSE_SECONDS, max(_POLL_SECONDS, 2 * last_pause_seconds))


def _tell(message: str, error: Exception, **labels: object) -> None:
    """An error without its stack, which says nothing that the message doesn't."""
    kind = type(error)
    ecs = {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": str(error)}
    _logger.error(message, error, extra={"ecs": ecs, **labels})
