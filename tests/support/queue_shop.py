"""A shop's queues on a real RabbitMQ, with something in each state that the exporter tells of."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pika  # type: ignore[import-untyped]
import pytest
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]

from support.configured_exporters import write_files
from support.rabbitmq_management import ManagedBroker
from support.waiting import wait_for

VHOST = "shop/north"
OTHER_VHOST = "other"
PASSWORD = "rabbits-secret"  # noqa: S105 - of a broker that lives as long as the tests
AGE_SECONDS = 1_000
_PREFETCHED = 2
_STREAM = {"x-queue-type": "stream"}
_QUORUM = {"x-queue-type": "quorum"}
_DELAY = {"x-message-ttl": 3_600_000}


@dataclass(frozen=True, slots=True)
class Shop:
    """The broker, and a folder with the secrets of its users."""

    broker: ManagedBroker
    folder: Path

    def target(self, *lines: str, user: str = "user") -> str:
        """A target of the configuration, as the user of this file."""
        written = [f'url: "{self.broker.url}"', f"username_file: {user}", "password_file: password", *lines]
        return "      shop:\n" + "".join(f"        {line}\n" for line in written)


@pytest.fixture(scope="session")
def rabbitmq_shop(managed_rabbitmq: ManagedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, when the broker's figures have come; nothing changes after that."""
    folder = tmp_path_factory.mktemp("shop")
    write_files(folder, {"user": "watcher", "limited": "limited", "password": PASSWORD})
    managed_rabbitmq.add_vhost(VHOST)
    managed_rabbitmq.add_vhost(OTHER_VHOST)
    managed_rabbitmq.add_user("watcher", PASSWORD, tags="monitoring", vhosts=["/", VHOST, OTHER_VHOST])
    managed_rabbitmq.add_user("limited", PASSWORD, tags="management", vhosts=[VHOST])
    with ExitStack() as stack:
        _fill(stack.enter_context(managed_rabbitmq.channel(VHOST)), managed_rabbitmq)
        _fill_other(stack.enter_context(managed_rabbitmq.channel(OTHER_VHOST)))
        wait_for(lambda: _has_figures(managed_rabbitmq), what="RabbitMQ's figures of all queues")
        yield Shop(managed_rabbitmq, folder)


def _fill(channel: BlockingChannel, broker: ManagedBroker) -> None:
    channel.exchange_declare("dead", "fanout")
    channel.exchange_declare("parking", "direct")
    channel.exchange_bind("parking", "dead")
    channel.queue_declare("orders.dead")
    channel.queue_declare("parked")
    channel.queue_bind("orders.dead", "dead")
    channel.queue_bind("parked", "parking", "orders")
    policy = {"pattern": "^payments$", "definition": {"dead-letter-exchange": "dead", "message-ttl": 7_200_000}}
    broker.call("PUT", "/policies/shop%2Fnorth/dead-payments", policy)
    channel.queue_declare("orders", arguments={"x-dead-letter-exchange": "dead"})
    channel.queue_declare("payments")
    to_one = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "refused"}
    channel.queue_declare("mails", arguments=to_one)
    channel.queue_declare("refused")
    channel.queue_declare("lost", arguments={"x-dead-letter-exchange": "nowhere"})
    channel.queue_declare("delayed", arguments=_DELAY)
    channel.queue_declare("journal", durable=True, arguments=_STREAM)
    channel.queue_declare("audit", durable=True, arguments=_QUORUM)
    channel.queue_declare("")
    for name, count in {"orders": 6, "journal": 3, "audit": 4}.items():
        _publish(channel, name, count, timestamp=int(time.time()) - AGE_SECONDS)
    _publish(channel, "mails", 2, timestamp=None)
    _handle_orders(channel)
    channel.basic_qos(prefetch_count=_PREFETCHED)
    channel.basic_consume("audit", lambda *_: None)


def _publish(channel: BlockingChannel, queue: str, count: int, *, timestamp: int | None) -> None:
    for _ in range(count):
        channel.basic_publish("", queue, b"x", pika.BasicProperties(timestamp=timestamp))


def _handle_orders(channel: BlockingChannel) -> None:
    """Of six one is refused, one done, one given back and fetched again, and held: three are left."""
    refused, done, again = (channel.basic_get("orders")[0].delivery_tag for _ in range(3))
    channel.basic_nack(refused, requeue=False)
    channel.basic_ack(done)
    channel.basic_nack(again, requeue=True)
    channel.basic_get("orders")


def _fill_other(channel: BlockingChannel) -> None:
    channel.queue_declare("orders")
    _publish(channel, "orders", 9, timestamp=None)


def _has_figures(broker: ManagedBroker) -> bool:
    """All queues' own, and what channels did on them: they come at different times."""
    queues = {queue["name"]: queue for queue in broker.call("GET", "/queues/shop%2Fnorth")}
    (queues["other"],) = broker.call("GET", "/queues/other")
    counted = [queues[name].get("message_stats", {}) for name in ("orders", "audit", "mails", "journal", "other")]
    return (
        all("messages_ready" in queue for queue in queues.values())
        and all("publish" in each for each in counted)
        and queues["orders"]["message_stats"].get("redeliver") == 1
        and queues["orders.dead"]["messages_ready"] == 1
        and queues["audit"]["messages_unacknowledged"] == _PREFETCHED
        and bool(queues["payments"].get("effective_policy_definition"))
    )
