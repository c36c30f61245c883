"""The topic on moto's SNS and SQS: nothing is lost, nothing is delivered for ever, and what is gone is made again."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session  # type: ignore[import-untyped]
from support.moto import running_moto
from support.ports import free_port
from support.waiting import wait_for
from transactions_api.aws import Aws
from transactions_api.model import TRANSACTIONS, Message, Transaction
from transactions_api.sns_topic import SnsPublisher, SqsQueue, dead_letters_of
from transactions_api.topic import TopicFull, TopicUnavailable

pytestmark = [pytest.mark.usefixtures("aws_environment")]

HEADERS = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "sereno-enqueued-at": "1795374000.5",
}


def transaction(number: int) -> Transaction:
    """Some transaction."""
    moment = datetime(2026, 11, 20, 8, 0, 0, 250_000, tzinfo=UTC)
    return Transaction(f"id-{number}", "A-1", 100 + number, "EUR", "für Miete", moment)


def both_ends(url: str, *, capacity: int = 1000, waiting: int = 0) -> tuple[SnsPublisher, SqsQueue, list[Message]]:
    """A publisher and the subscriber's queue of a new topic, and what was accepted."""
    accepted: list[Message] = []
    topic = f"transactions-{uuid.uuid4().hex[:12]}"
    publisher = SnsPublisher(Aws(url), topic, capacity=capacity, waiting=lambda: waiting, on_publish=accepted.append)
    return publisher, SqsQueue(Aws(url), topic), accepted


def received(queue: SqsQueue, count: int) -> list[Message]:
    """So many messages."""
    found: list[Message] = []

    def all_are_there() -> bool:
        found.extend(queue.receive(100, 0.2))
        return len(found) >= count

    wait_for(all_are_there, what=f"{count} messages")
    return found


def test_messages_arrive_as_they_were_published(moto: str) -> None:
    """Transaction and trace context come out as they went in; telemetry is told which broker it is."""
    publisher, queue, accepted = both_ends(moto)
    for number in range(12):
        publisher.publish(Message(transaction(number), HEADERS))
    messages = received(queue, 12)
    assert sorted(message.transaction.id for message in messages) == sorted(f"id-{n}" for n in range(12))
    assert {message.transaction for message in messages} == {transaction(number) for number in range(12)}
    assert all(message.headers == HEADERS for message in messages)
    assert len(accepted) == 12
    assert (publisher.system, queue.system) == ("aws_sns", "aws_sqs")


def test_messages_stay_until_they_are_acknowledged(moto: str) -> None:
    """What is given back comes again, and says so; what is acknowledged doesn't."""
    publisher, queue, _ = both_ends(moto)
    publisher.publish(Message(transaction(1), HEADERS))
    (first,) = received(queue, 1)
    assert not first.redelivered
    queue.give_back([first])
    (again,) = received(queue, 1)
    assert again == first
    assert again.redelivered
    queue.acknowledge([again])
    queue.give_back([])
    assert queue.receive(10, 1.5) == []


def dead_letters(url: str, topic: str) -> list[tuple[str, dict[str, str]]]:
    """Body and attributes of those that lie aside; they stay there."""
    sqs = Session().client("sqs", endpoint_url=url)
    queue = sqs.get_queue_url(QueueName=dead_letters_of(topic))["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [
        (each["Body"], {name: value["StringValue"] for name, value in each["MessageAttributes"].items()})
        for each in answer.get("Messages", ())
    ]


def test_what_is_put_aside_lies_with_the_dead_letters_and_can_be_sent_again(moto: str) -> None:
    """Whole, with its headers and the reason; the queue names the dead letters as its own, so they are watched."""
    publisher, queue, _ = both_ends(moto)
    publisher.publish(Message(transaction(1), HEADERS))
    (message,) = received(queue, 1)
    queue.put_aside(message, "never")
    ((body, attributes),) = dead_letters(moto, publisher.name)
    assert TRANSACTIONS.validate_json(body) == transaction(1)
    assert attributes == {**HEADERS, "reason": "never"}
    sqs = Session().client("sqs", endpoint_url=moto)
    url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(told["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{dead_letters_of(publisher.name)}")
    assert told["ApproximateNumberOfMessages"] == told["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_what_comes_again_and_again_comes_at_longer_intervals(moto: str) -> None:
    """So that a database which is away for hours makes no dead letters of good messages."""
    publisher, queue, _ = both_ends(moto)
    publisher.publish(Message(transaction(1)))
    for number in (1, 2):
        (message,) = received(queue, 1)
        assert message.receives == number
        queue.give_back([message])
    assert queue.receive(10, 1) == []
    assert len(received(queue, 1)) == 1


def test_what_is_no_transaction_is_told_and_put_aside(moto: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its reason, and doesn't come back; those beside it are delivered."""
    publisher, queue, _ = both_ends(moto)
    sns = Session().client("sns", endpoint_url=moto)
    (topic,) = [each["TopicArn"] for each in _topics(sns) if each["TopicArn"].endswith(publisher.name)]
    sns.publish(TopicArn=topic, Message='{"id": "x"}')
    publisher.publish(Message(transaction(1)))
    assert [message.transaction.id for message in received(queue, 1)] == ["id-1"]
    wait_for(lambda: queue.receive(10, 0.2) == [] and caplog.records, what="the refusal to be told")
    (record,) = caplog.records
    assert record.getMessage().startswith("A message is no transaction, and lies with the dead letters: ")
    ((body, attributes),) = dead_letters(moto, publisher.name)
    assert body == '{"id": "x"}'
    assert "account" in attributes["reason"]
    assert "account" in record.getMessage()


def _topics(sns: Any) -> list[dict[str, str]]:
    return [topic for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]


def test_beyond_its_capacity_nothing_is_accepted(moto: str) -> None:
    """What nobody stores isn't promised either."""
    publisher, queue, accepted = both_ends(moto, capacity=5, waiting=5)
    with pytest.raises(TopicFull, match="5 messages wait"):
        publisher.publish(Message(transaction(1)))
    assert accepted == []
    assert queue.receive(10, 1) == []


def test_a_broker_that_goes_away_is_an_error_and_one_that_forgot_everything_is_used_again(tmp_path: Path) -> None:
    """Nobody there: errors that say so, and nothing counts as accepted. Back without topic and queue: both are made."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_moto(tmp_path, port):
        publisher, queue, accepted = both_ends(url)
        publisher.publish(Message(transaction(1)))
        assert len(received(queue, 1)) == 1
    with pytest.raises(TopicUnavailable, match="AWS can't be reached"):
        publisher.publish(Message(transaction(2)))
    with pytest.raises(TopicUnavailable, match="AWS can't be reached"):
        queue.receive(10, 1)
    assert len(accepted) == 1
    with running_moto(tmp_path, port):
        publisher.publish(Message(transaction(3)))
        assert [message.transaction.id for message in received(queue, 1)] == ["id-3"]


def test_without_a_region_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback for a variable that is missing."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(TopicUnavailable, match="You must specify a region"):
        SqsQueue(Aws("http://127.0.0.1:1"), "transactions")
