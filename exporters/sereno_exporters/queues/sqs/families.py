"""The families of the exporter `sqs`, and what becomes of a snapshot. Pure."""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.queues.sqs.snapshot import OldestAges, Queues

GAUGE, COUNTER = FamilyKind.GAUGE, FamilyKind.COUNTER
_QUEUE = ("queue",)

VISIBLE = Family("sereno_sqs_queue_visible_messages", GAUGE, "Messages that wait for a consumer (approximate).", _QUEUE)
IN_FLIGHT = Family(
    "sereno_sqs_queue_in_flight_messages",
    GAUGE,
    "Messages that consumers have and did not delete (approximate).",
    _QUEUE,
)
DELAYED = Family("sereno_sqs_queue_delayed_messages", GAUGE, "Messages that are not visible yet (approximate).", _QUEUE)
OLDEST_AGE = Family(
    "sereno_sqs_queue_oldest_age_seconds",
    GAUGE,
    "Age of the oldest message that was not deleted, by CloudWatch; no series of queues that nobody used for hours.",
    _QUEUE,
)
DATAPOINT_AGE = Family(
    "sereno_sqs_queue_oldest_age_datapoint_age_seconds",
    GAUGE,
    "How long ago CloudWatch measured the age of the oldest message, when it was asked.",
    _QUEUE,
)
DEAD_LETTERS = Family(
    "sereno_sqs_dead_letter_messages",
    GAUGE,
    "Messages in a queue to which others send what they give up (RedrivePolicy).",
    _QUEUE,
)
CALLS = Family("sereno_sqs_api_calls_total", COUNTER, "Calls of AWS by this exporter, failed ones too.", ("api",))

ALL = (VISIBLE, IN_FLIGHT, DELAYED, OLDEST_AGE, DATAPOINT_AGE, DEAD_LETTERS, CALLS)


def of_queues(found: Queues) -> Iterator[Metric]:
    """Each queue, and the dead-letter queues."""
    yield VISIBLE.of(((queue.name,), queue.visible) for queue in found.watched)
    yield IN_FLIGHT.of(((queue.name,), queue.in_flight) for queue in found.watched)
    yield DELAYED.of(((queue.name,), queue.delayed) for queue in found.watched)
    yield DEAD_LETTERS.of(((queue.name,), queue.messages) for queue in found.dead_letter_queues)
    yield CALLS.of(((api,), count) for api, count in found.calls.by_api)


def of_ages(found: OldestAges) -> Iterator[Metric]:
    """Ages, and how old they are themselves."""
    yield OLDEST_AGE.of(((each.queue,), each.age_seconds) for each in found.ages)
    yield DATAPOINT_AGE.of(((each.queue,), each.datapoint_age_seconds) for each in found.ages)
    yield CALLS.of(((api,), count) for api, count in found.calls.by_api)
