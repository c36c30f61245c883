"""The side that asks: a question to a service's queue, and its answer within a time, or none."""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, Counter, Histogram
from sereno_telemetry import publishing

from tournaments.messaging.link import SYSTEM, BrokerGone, Link

_PRODUCTS = uuid.UUID("0e4df3c5-3d4b-4b8e-9a54-6d8c0a7e51f2")
"""The namespace of ids that are made from questions' numbers."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0)


class NoReply(Exception):  # noqa: N818 - reads as what happened
    """The service didn't answer in time."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a service is asked."""

    number: str
    """The same when it comes again, because the connection was lost before it was acknowledged."""
    arguments: Mapping[str, Any]

    @property
    def product(self) -> str:
        """An id for what is made on its behalf: the same when the question comes again, so that it is made once."""
        return uuid.uuid5(_PRODUCTS, self.number).hex


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered."""

    status: int
    """As HTTP has them: 200, 201, 401, 404, 409, 503."""
    body: Mapping[str, Any] = field(default_factory=dict)


class Asking:
    """Asks services; safe for several threads. Give it to a `Link`, and the link back by `over`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[Reply]] = {}
        self._replies = ""
        self._seconds = Histogram(
            "request_reply_duration_seconds",
            "From a question to its reply, or to where it was given up.",
            ["destination", "outcome"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._late = Counter("request_reply_late", "Replies that nobody waited for any more.", registry=registry)

    def over(self, link: Link) -> None:
        """The connection that it uses."""
        self._link = link

    def ask(self, service: str, action: str, arguments: Mapping[str, Any], within_seconds: float) -> Reply:
        """Ask, and wait for the reply.

        Raises:
            NoReply: it didn't come in time; if it comes later it is dropped, and counted.
            BrokerGone: the question could not be put, or the connection was lost while it waited.
        """
        begin = time.monotonic()
        number, reply = uuid.uuid4().hex, Future[Reply]()
        with self._lock:
            self._waiting[number] = reply
        outcome = "answered"
        try:
            self._put(service, number, {"action": action, "arguments": arguments}, within_seconds)
            return reply.result(timeout=within_seconds)
        except TimeoutError:
            outcome = "timeout"
            raise NoReply(f"{service} did not answer {action} within {within_seconds:g} s") from None
        except BrokerGone:
            outcome = "broker_gone"
            raise
        finally:
            with self._lock:
                self._waiting.pop(number, None)
            self._seconds.labels(service, outcome).observe(time.monotonic() - begin)

    def _put(self, service: str, number: str, question: Mapping[str, Any], within_seconds: float) -> None:
        if self._link is None:
            raise BrokerGone("there is no connection to the broker")
        with publishing(service, system=SYSTEM, registry=self._registry) as headers:
            properties = pika.BasicProperties(
                reply_to=self._replies,
                correlation_id=number,
                headers=dict(headers),
                content_type="application/json",
                # A question that nobody waits for any more must not be answered before those that somebody does.
                expiration=str(int(within_seconds * 1000)),
            )
            body = json.dumps(question).encode()
            self._link.call(lambda channel: channel.basic_publish("", service, body, properties))

    def begin(self, channel: BlockingChannel) -> None:
        """Listen for replies, on a queue that is gone with the connection."""
        # Not RabbitMQ's own short way back, amq.rabbitmq.reply-to: 3.10 counts each reply on it as a message that no
        # queue takes (…_unroutable_dropped_total), and what is really lost couldn't be told from them.
        self._replies = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_consume(self._replies, self._on_reply, auto_ack=True)

    def turn(self, channel: BlockingChannel) -> None:
        """Nothing."""

    def lost(self) -> None:
        """Whoever waits is told at once."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for reply in waiting.values():
            if not reply.done():
                reply.set_exception(BrokerGone("the connection to the broker was lost while a reply was awaited"))

    def _on_reply(self, _channel: object, _method: object, properties: Any, body: bytes) -> None:
        with self._lock:
            reply = self._waiting.pop(properties.correlation_id, None)
        if reply is None:
            self._late.inc()
            return
        document = json.loads(body)
        reply.set_result(Reply(document["status"], document["body"]))
