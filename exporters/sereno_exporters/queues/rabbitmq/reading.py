"""From the management API's JSON to a snapshot: pure, and afraid of nothing that a server may answer.

RabbitMQ leaves out what it doesn't know yet: figures come 5 to 10 seconds after the event. LavinMQ answers the same
names, without the head message's timestamp and without alarms.
"""

from collections.abc import Mapping
from typing import Any

from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.rabbitmq.snapshot import Binding, Counts, DeadLetterAddress, Node, Queue

Json = Mapping[str, Any]

_EARLIEST_SECONDS = 946_684_800.0
"""2000: a timestamp before is none (0, or a counter)."""
_LATEST_AHEAD_SECONDS = 86_400.0
"""What is further ahead is no clock that is wrong, but another unit: milliseconds."""
_DELIVERIES = ("deliver", "deliver_no_ack", "get", "get_no_ack")
_ALARMS = {"memory": "mem_alarm", "disk": "disk_free_alarm"}


def objects_of(answer: Any, place: str) -> list[Json]:
    """An answer that should be a list of objects.

    Raises:
        FetchError: it is something else.
    """
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise FetchError(Reason.GARBAGE, f"{place} answered no list of objects: is this a RabbitMQ management API?")
    return answer


def object_of(answer: Any, place: str) -> Json:
    """An answer that should be an object.

    Raises:
        FetchError: it is something else.
    """
    if not isinstance(answer, dict):
        raise FetchError(Reason.GARBAGE, f"{place} answered no object: is this a RabbitMQ management API?")
    return answer


def number(item: Json, key: str) -> float | None:
    """A number, or None where there is none."""
    value = item.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def part(item: Json, key: str) -> Json:
    """An object within; empty where there is none (an empty one is written as a list by some versions)."""
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def text(item: Json, key: str) -> str:
    """A text; empty where there is none."""
    value = item.get(key)
    return value if isinstance(value, str) else ""


def queue_of(item: Json, now: float) -> Queue:
    """One element of /api/queues."""
    arguments, policy = part(item, "arguments"), part(item, "effective_policy_definition")
    return Queue(
        vhost=text(item, "vhost"),
        name=text(item, "name"),
        is_stream="stream" in (item.get("type"), arguments.get("x-queue-type")),
        ready=number(item, "messages_ready"),
        unacknowledged=number(item, "messages_unacknowledged"),
        consumers=number(item, "consumers"),
        oldest_age_seconds=_age(item, now),
        ttl_seconds=_ttl_seconds(arguments, policy),
        counts=_counts(item),
        dead_letters_to=_dead_letter_address(arguments, policy),
    )


def _age(item: Json, now: float) -> float | None:
    written_at = number(item, "head_message_timestamp")
    if written_at is None or not _EARLIEST_SECONDS <= written_at <= now + _LATEST_AHEAD_SECONDS:
        return None
    return max(0.0, now - written_at)


def _ttl_seconds(arguments: Json, policy: Json) -> float | None:
    """The smaller one holds."""
    written = [number(arguments, "x-message-ttl"), number(policy, "message-ttl")]
    milliseconds = [each for each in written if each is not None]
    return min(milliseconds) / 1_000 if milliseconds else None


def _counts(item: Json) -> Counts | None:
    """None until something happened on the queue, and where the broker counts nothing (rates_mode none)."""
    found = item.get("message_stats")
    if not isinstance(found, dict) or not found:
        return None
    delivered = number(found, "deliver_get")
    if delivered is None:
        delivered = sum(number(found, key) or 0.0 for key in _DELIVERIES)
    return Counts(
        published=number(found, "publish") or 0.0,
        delivered=delivered,
        redelivered=number(found, "redeliver") or 0.0,
        acknowledged=number(found, "ack") or 0.0,
    )


def _dead_letter_address(arguments: Json, policy: Json) -> DeadLetterAddress | None:
    """What the queue was declared with comes before policies."""
    exchange = arguments.get("x-dead-letter-exchange", policy.get("dead-letter-exchange"))
    if not isinstance(exchange, str):
        return None
    key = arguments.get("x-dead-letter-routing-key", policy.get("dead-letter-routing-key"))
    return DeadLetterAddress(exchange, key if isinstance(key, str) else None)


def binding_of(item: Json, vhost: str) -> Binding:
    """One element of /api/bindings/<vhost>."""
    return Binding(
        vhost, text(item, "source"), text(item, "destination"), to_queue=item.get("destination_type") == "queue"
    )


def node_of(item: Json) -> Node:
    """One element of /api/nodes."""
    alarms = tuple((name, item[key]) for name, key in _ALARMS.items() if isinstance(item.get(key), bool))
    partitions = item.get("partitions")
    return Node(
        name=text(item, "name"),
        running=item.get("running") is True,
        alarms=alarms,
        partitions=float(len(partitions)) if isinstance(partitions, list) else None,
    )
