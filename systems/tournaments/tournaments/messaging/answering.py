"""The side that answers: questions of a queue, one after the other, acknowledged once the reply is on its way.

A connection that is lost before that brings the question again: handlers make what they make by `Question.product`.
"""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pika  # type: ignore[import-untyped]
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry
from sereno_telemetry import Consumer, Delivery, current_message

from tournaments.database import DatabaseUnavailable
from tournaments.messaging.asking import Question, Reply
from tournaments.messaging.link import SYSTEM

_AT_ONCE = 20

_logger = logging.getLogger(__name__)

Handler = Callable[[Question], Reply]


class Answering:
    """Answers the questions of one service's queue by its handlers."""

    def __init__(self, service: str, handlers: Mapping[str, Handler], registry: CollectorRegistry) -> None:
        self._service = service
        self._handlers = handlers
        self._consumer = Consumer(service, system=SYSTEM, registry=registry)

    def begin(self, channel: BlockingChannel) -> None:
        """Take questions."""
        channel.queue_declare(self._service, durable=True)
        channel.basic_qos(prefetch_count=_AT_ONCE)
        channel.basic_consume(self._service, self._on_question)

    def turn(self, channel: BlockingChannel) -> None:  # noqa: ARG002 - the connection's word
        """An empty queue is no dead consumer."""
        self._consumer.polled()

    def lost(self) -> None:
        """What wasn't acknowledged comes again."""

    def _on_question(self, channel: BlockingChannel, method: Any, properties: Any, body: bytes) -> None:
        with self._consumer.processing(Delivery.from_pika(method, properties)):
            reply = self._reply(properties.correlation_id or uuid.uuid4().hex, body)
        if properties.reply_to:
            answer = json.dumps({"status": reply.status, "body": reply.body}).encode()
            told = pika.BasicProperties(correlation_id=properties.correlation_id, content_type="application/json")
            channel.basic_publish("", properties.reply_to, answer, told)
        channel.basic_ack(method.delivery_tag)

    def _reply(self, number: str, body: bytes) -> Reply:
        try:
            document = json.loads(body)
            handler = self._handlers[document["action"]]
            question = Question(number, dict(document["arguments"]))
        except (ValueError, TypeError, KeyError):
            current_message().reject("malformed")
            return Reply(400, {"detail": f"{self._service} doesn't understand the question"})
        try:
            return handler(question)
        except DatabaseUnavailable as error:
            current_message().fail("DatabaseUnavailable")
            _logger.error("%s could not answer %s: %s", self._service, document["action"], error)  # noqa: TRY400
            return Reply(503, {"detail": "try again later"})
        except Exception:
            # The asker must be told at once rather than wait for a reply that never comes.
            current_message().fail("bug")
            _logger.exception("%s could not answer %s", self._service, document["action"])
            return Reply(500, {"detail": "that failed"})
