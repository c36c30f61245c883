"""A thread with one connection to RabbitMQ, made anew whenever it is lost."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from pika.exceptions import AMQPError  # type: ignore[import-untyped]

SYSTEM = "rabbitmq"
_TURN_SECONDS = 0.2
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 2.0
_HEARTBEAT_SECONDS = 30
_CONNECT_SECONDS = 2

_logger = logging.getLogger(__name__)


class BrokerGone(Exception):  # noqa: N818 - reads as what happened
    """There is no connection to the broker now."""


class Use(Protocol):
    """What a program does with its connection."""

    def begin(self, channel: BlockingChannel) -> None:
        """It is there: declare, consume."""
        ...

    def turn(self, channel: BlockingChannel) -> None:
        """Several times a second, on the connection's own thread."""
        ...

    def lost(self) -> None:
        """It is gone; `begin` comes again once there is another."""
        ...


class Link:
    """Keeps a connection and its channel; what others want done on it is handed over to its thread."""

    def __init__(self, url: str, name: str, *uses: Use) -> None:
        self._url = url
        self._uses = uses
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Finish the turn, then close."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._channel is not None

    def call(self, work: Callable[[BlockingChannel], None]) -> None:
        """Let the connection's thread do something with the channel, soon.

        Raises:
            BrokerGone: there is no connection; nothing will be done.
        """
        with self._lock:
            connection, channel = self._connection, self._channel
            if connection is None or channel is None:
                raise BrokerGone("there is no connection to the broker")
            try:
                connection.add_callback_threadsafe(lambda: work(channel))
            except AMQPError as error:
                raise BrokerGone(f"there is no connection to the broker: {error!r}") from error

    def _run(self) -> None:
        pause_seconds = 0.0
        while not self._stopping.wait(pause_seconds):
            try:
                self._connect()
                pause_seconds = 0.0
                self._serve()
            except (AMQPError, OSError) as error:
                # pika tells the reason in the exception's kind rather than in its words.
                _logger.warning("The connection to the broker is lost: %r", error)
            except Exception:
                # A bug must not end the thread silently: nobody would be answered, and nobody could tell why.
                _logger.exception("The connection's thread failed")
            finally:
                self._disconnect()
            pause_seconds = min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, 2 * pause_seconds))

    def _connect(self) -> None:
        parameters = pika.URLParameters(self._url)
        parameters.heartbeat = _HEARTBEAT_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = _CONNECT_SECONDS
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        for use in self._uses:
            use.begin(channel)
        with self._lock:
            self._connection, self._channel = connection, channel

    def _serve(self) -> None:
        connection, channel = self._connection, self._channel
        if connection is None or channel is None:
            return
        while not self._stopping.is_set():
            connection.process_data_events(time_limit=_TURN_SECONDS)
            for use in self._uses:
                use.turn(channel)

    def _disconnect(self) -> None:
        with self._lock:
            connection, self._connection, self._channel = self._connection, None, None
        for use in self._uses:
            use.lost()
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except (AMQPError, OSError):
                _logger.debug("The connection was gone before it could be closed")
