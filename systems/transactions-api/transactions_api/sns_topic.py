"""An SNS topic, and the SQS queue that is subscribed to it: both are made where they don't exist."""

import json
import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transactions_api.aws import Aws, Gone, asked
from transactions_api.model import TRANSACTIONS, Message
from transactions_api.topic import TopicFull

_MOST_MESSAGES = 10
"""Of one call, as SQS has it."""
_INVISIBLE_SECONDS = 30
"""How long a message that was received stays away from other subscribers; longer than storing a batch ever takes."""
_LONGEST_AGAIN_SECONDS = 10
"""What is given back comes again after a second, then after two, and so on up to this."""
_MOST_RECEIVES = 1000
"""The highest that SQS knows: after nearly three hours of a database that is away, a message is a dead letter."""
_DEAD_LETTERS_KEPT_SECONDS = 14 * 24 * 3600
"""The longest that SQS knows."""
_LONGEST_REASON = 500
_MOST_ATTRIBUTES = 10
"""Of one message, as SQS has it."""

_logger = logging.getLogger(__name__)


def queue_of(topic: str) -> str:
    """The queue that is subscribed to a topic."""
    return f"{topic}-subscriber"


def dead_letters_of(topic: str) -> str:
    """The queue of messages that can't be stored, for a person to look at; from there they can be sent again."""
    return f"{topic}-subscriber-dead-letters"


@dataclass(frozen=True, slots=True)
class _Places:
    topic_arn: str
    queue_url: str
    dead_letters_url: str


class _Subscription:
    """The topic, its queue, and the queue's dead letters; made at the first use, and again if they are gone."""

    def __init__(self, aws: Aws, topic: str) -> None:
        self.sns, self.sqs = aws.client("sns"), aws.client("sqs")
        self.topic, self.queue = topic, queue_of(topic)
        self._lock = threading.Lock()
        self._places: _Places | None = None

    def using(self, call: Callable[[_Places], Any]) -> Any:
        """What a call answers; made once more if topic or queue had to be made anew. Raises `TopicUnavailable`."""
        places = self._known()
        try:
            return asked(lambda: call(places))
        except Gone:
            with self._lock:
                self._places = None
            made = self._known()
            return asked(lambda: call(made))

    def _known(self) -> _Places:
        with self._lock:
            if self._places is None:
                self._places = asked(self._made)
            return self._places

    def _made(self) -> _Places:
        """All of it is there already, usually: each call answers what there is."""
        topic_arn = self.sns.create_topic(Name=self.topic)["TopicArn"]
        queue_url, queue_arn = self._made_queue(self.queue, VisibilityTimeout=_INVISIBLE_SECONDS)
        dead_letters_url, dead_letters_arn = self._made_queue(
            dead_letters_of(self.topic), MessageRetentionPeriod=_DEAD_LETTERS_KEPT_SECONDS
        )
        # The subscriber puts there itself what can't be stored; what is known as dead letters is watched, and redriven.
        redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": _MOST_RECEIVES}
        rules = {"Policy": _policy(topic_arn, queue_arn), "RedrivePolicy": json.dumps(redrive)}
        self.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes=rules)
        self.sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"RawMessageDelivery": "true"},  # attributes stay attributes: the trace context is in them
        )
        return _Places(topic_arn, queue_url, dead_letters_url)

    def _made_queue(self, name: str, **attributes: int) -> tuple[str, str]:
        """Address and name at AWS."""
        told = {key: str(value) for key, value in attributes.items()}
        url = self.sqs.create_queue(QueueName=name, Attributes=told)["QueueUrl"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, answer["Attributes"]["QueueArn"]


class SnsPublisher:
    """A `Publisher` of an SNS topic.

    Args:
        aws: where it is.
        topic: its name.
        capacity: beyond so many waiting messages it refuses: what nobody stores should not be promised.
        waiting: how many messages wait.
        on_publish: is told each message that SNS has accepted.

    Raises:
        TopicUnavailable: AWS can't be reached, or refuses.
    """

    system = "aws_sns"

    def __init__(
        self,
        aws: Aws,
        topic: str,
        *,
        capacity: int,
        waiting: Callable[[], int],
        on_publish: Callable[[Message], None],
    ) -> None:
        self.name = topic
        self._capacity = capacity
        self._waiting = waiting
        self._on_publish = on_publish
        self._subscription = _Subscription(aws, topic)
        self._subscription.using(lambda _places: None)

    def publish(self, message: Message) -> None:
        """Accept the message. Raises `TopicFull` or `TopicUnavailable`."""
        if self._waiting() >= self._capacity:
            raise TopicFull(f"{self._capacity} messages wait for the subscriber already")
        body = TRANSACTIONS.dump_json(message.transaction).decode()
        attributes = _attributes(message.headers)
        self._subscription.using(
            lambda places: self._subscription.sns.publish(
                TopicArn=places.topic_arn, Message=body, MessageAttributes=attributes
            )
        )
        self._on_publish(message)


class SqsQueue:
    """The `Queue` of the subscriber, behind an SNS topic.

    Raises:
        TopicUnavailable: AWS can't be reached, or refuses.
    """

    system = "aws_sqs"

    def __init__(self, aws: Aws, topic: str) -> None:
        self._subscription = _Subscription(aws, topic)
        self.name = self._subscription.queue
        self._subscription.using(lambda _places: None)

    def receive(self, limit: int, timeout_seconds: float) -> Sequence[Message]:
        """Up to ten messages; waits at least a second for the first. Raises `TopicUnavailable`."""
        answer = self._subscription.using(
            lambda places: self._subscription.sqs.receive_message(
                QueueUrl=places.queue_url,
                MaxNumberOfMessages=min(limit, _MOST_MESSAGES),
                WaitTimeSeconds=max(1, math.ceil(timeout_seconds)),
                AttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        )
        messages = []
        for delivered in answer.get("Messages", ()):
            try:
                messages.append(_message(delivered))
            except ValueError as error:
                self._refuse(delivered, error)
        return messages

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages. Those that can't be deleted come again, and are known then. Raises `TopicUnavailable`."""
        self._delete([message.receipt for message in messages])

    def give_back(self, messages: Sequence[Message]) -> None:
        """Let messages come again, in a second at first. Raises `TopicUnavailable`."""
        if not messages:
            return
        entries = [
            {
                "Id": str(number),
                "ReceiptHandle": message.receipt,
                "VisibilityTimeout": min(message.receives, _LONGEST_AGAIN_SECONDS),
            }
            for number, message in enumerate(messages)
        ]
        self._subscription.using(
            lambda places: self._subscription.sqs.change_message_visibility_batch(
                QueueUrl=places.queue_url, Entries=entries
            )
        )

    def put_aside(self, message: Message, reason: str) -> None:
        """Let it lie with the dead letters, reason and headers as attributes. Raises `TopicUnavailable`."""
        body = TRANSACTIONS.dump_json(message.transaction).decode()
        self._bury(body, message.headers, reason)
        self._delete([message.receipt])

    def _bury(self, body: str, headers: Mapping[str, str], reason: str) -> None:
        # First there, then deleted here: who dies in between leaves it twice, and not lost.
        kept = dict(list(headers.items())[: _MOST_ATTRIBUTES - 1])
        attributes = _attributes({**kept, "reason": reason[:_LONGEST_REASON]})
        self._subscription.using(
            lambda places: self._subscription.sqs.send_message(
                QueueUrl=places.dead_letters_url, MessageBody=body, MessageAttributes=attributes
            )
        )

    def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        self._subscription.using(
            lambda places: self._subscription.sqs.delete_message_batch(QueueUrl=places.queue_url, Entries=entries)
        )

    def _refuse(self, delivered: Mapping[str, Any], error: ValueError) -> None:
        """What is no transaction never will be: it is told, and put aside, or it would come back for days."""
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        _logger.error(
            "A message is no transaction, and lies with the dead letters: %s",
            reason,
            extra={"ecs": {"error.type": type(error).__name__}, "message_id": delivered["MessageId"]},
        )
        self._bury(delivered["Body"], _headers(delivered), reason)
        self._delete([delivered["ReceiptHandle"]])


def _message(delivered: Mapping[str, Any]) -> Message:
    """Raises ValueError."""
    receives = int(delivered.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return Message(
        TRANSACTIONS.validate_json(delivered["Body"]),
        _headers(delivered),
        redelivered=receives > 1,
        receives=receives,
        receipt=delivered["ReceiptHandle"],
    )


def _headers(delivered: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: str(value.get("StringValue", "")) for name, value in delivered.get("MessageAttributes", {}).items()}


def _attributes(headers: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    return {name: {"DataType": "String", "StringValue": str(text)} for name, text in headers.items() if text}


def _policy(topic_arn: str, queue_arn: str) -> str:
    """Nobody but the topic may put messages into the queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
