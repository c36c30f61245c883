"""The families of the exporter `rabbitmq`, and what becomes of a snapshot. Pure."""

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric

from sereno_exporters.frame.model import Family, FamilyKind
from sereno_exporters.queues.rabbitmq.snapshot import DeadLetters, Node, Overview, Queue

GAUGE, COUNTER = FamilyKind.GAUGE, FamilyKind.COUNTER
_QUEUE = ("vhost", "queue")

READY = Family("sereno_rabbitmq_queue_ready_messages", GAUGE, "Messages that wait for a consumer.", _QUEUE)
UNACKNOWLEDGED = Family(
    "sereno_rabbitmq_queue_unacknowledged_messages", GAUGE, "Messages that consumers have and did not confirm.", _QUEUE
)
CONSUMERS = Family("sereno_rabbitmq_queue_consumers", GAUGE, "Consumers of the queue.", _QUEUE)
OLDEST_AGE = Family(
    "sereno_rabbitmq_queue_oldest_age_seconds",
    GAUGE,
    "Age of the oldest ready message by its own timestamp; no series where it has none, or the server tells none.",
    _QUEUE,
)
TTL = Family(
    "sereno_rabbitmq_queue_ttl_seconds",
    GAUGE,
    "After how long the queue's messages leave by themselves (x-message-ttl or policy); no series where they stay.",
    _QUEUE,
)
PUBLISHED = Family(
    "sereno_rabbitmq_queue_published_total",
    COUNTER,
    "Messages published to the queue; dead letters that reach it are not counted by the broker.",
    _QUEUE,
)
DELIVERED = Family(
    "sereno_rabbitmq_queue_delivered_total",
    COUNTER,
    "Messages given to consumers or fetched by basic.get, with and without acknowledgement.",
    _QUEUE,
)
REDELIVERED = Family("sereno_rabbitmq_queue_redelivered_total", COUNTER, "Messages given out once more.", _QUEUE)
ACKNOWLEDGED = Family("sereno_rabbitmq_queue_acknowledged_total", COUNTER, "Messages that consumers confirmed.", _QUEUE)
STREAM_MESSAGES = Family(
    "sereno_rabbitmq_stream_messages", GAUGE, "Messages that a stream keeps, whoever has read them.", _QUEUE
)
DEAD_LETTERS = Family(
    "sereno_rabbitmq_dead_letter_messages",
    GAUGE,
    "Messages in a queue to which others send what they give up (x-dead-letter-exchange or policy).",
    _QUEUE,
)
DEAD_LETTER_TARGETS = Family(
    "sereno_rabbitmq_queue_dead_letter_targets",
    GAUGE,
    "Queues bound to the dead-letter exchange of this one; with 0 what it gives up is lost.",
    _QUEUE,
)
BROKER = Family(
    "sereno_rabbitmq_info",
    FamilyKind.INFO,
    "Product and version of the broker, and its cluster's name as RabbitMQ's own plugin calls it; LavinMQ has none.",
    ("product", "version", "rabbitmq_cluster"),
)
CONNECTIONS = Family("sereno_rabbitmq_connections", GAUGE, "Connections of the virtual hosts that the user may see.")
CHANNELS = Family("sereno_rabbitmq_channels", GAUGE, "Channels of the virtual hosts that the user may see.")
ALL_CONSUMERS = Family("sereno_rabbitmq_consumers", GAUGE, "Consumers of the virtual hosts that the user may see.")
VHOSTS = Family("sereno_rabbitmq_vhosts", GAUGE, "Virtual hosts that the user may see.")
NODE_RUNNING = Family("sereno_rabbitmq_node_running", GAUGE, "1 if the cluster sees the node run, else 0.", ("node",))
ALARM = Family(
    "sereno_rabbitmq_alarm",
    GAUGE,
    "1 while the node is short of memory or disk, and blocks publishers; LavinMQ has none.",
    ("node", "alarm"),
)
PARTITIONS = Family("sereno_rabbitmq_node_partitions", GAUGE, "Nodes that this node can not see.", ("node",))

ALL = (
    READY,
    UNACKNOWLEDGED,
    CONSUMERS,
    OLDEST_AGE,
    TTL,
    PUBLISHED,
    DELIVERED,
    REDELIVERED,
    ACKNOWLEDGED,
    STREAM_MESSAGES,
    DEAD_LETTERS,
    DEAD_LETTER_TARGETS,
    BROKER,
    CONNECTIONS,
    CHANNELS,
    ALL_CONSUMERS,
    VHOSTS,
    NODE_RUNNING,
    ALARM,
    PARTITIONS,
)


def of_queues(queues: tuple[Queue, ...]) -> Iterator[Metric]:
    """Each queue; what the broker doesn't tell has no sample."""
    ordinary = [queue for queue in queues if not queue.is_stream]
    counted = [(queue.address, queue.counts) for queue in queues if queue.counts is not None]
    yield _known(READY, ((queue.address, queue.ready) for queue in ordinary))
    yield _known(UNACKNOWLEDGED, ((queue.address, queue.unacknowledged) for queue in ordinary))
    yield _known(CONSUMERS, ((queue.address, queue.consumers) for queue in queues))
    yield _known(OLDEST_AGE, ((queue.address, queue.oldest_age_seconds) for queue in ordinary))
    yield _known(TTL, ((queue.address, queue.ttl_seconds) for queue in ordinary))
    yield PUBLISHED.of((address, counts.published) for address, counts in counted)
    yield DELIVERED.of((address, counts.delivered) for address, counts in counted)
    yield REDELIVERED.of((address, counts.redelivered) for address, counts in counted)
    yield ACKNOWLEDGED.of((address, counts.acknowledged) for address, counts in counted)
    yield _known(STREAM_MESSAGES, ((queue.address, queue.ready) for queue in queues if queue.is_stream))


def of_dead_letters(found: DeadLetters) -> Iterator[Metric]:
    """Dead-letter queues, and queues whose dead letters go nowhere."""
    yield _known(DEAD_LETTERS, (((queue.vhost, queue.name), queue.messages) for queue in found.queues))
    yield DEAD_LETTER_TARGETS.of(found.targets)


def of_overview(found: Overview) -> Iterator[Metric]:
    """The broker as a whole."""
    yield BROKER.info([{"product": found.product, "version": found.version, "rabbitmq_cluster": found.cluster}])
    for family, value in (
        (CONNECTIONS, found.connections),
        (CHANNELS, found.channels),
        (ALL_CONSUMERS, found.consumers),
        (VHOSTS, found.vhosts),
    ):
        yield _known(family, [((), value)])


def of_nodes(nodes: tuple[Node, ...]) -> Iterator[Metric]:
    """The cluster's nodes."""
    yield NODE_RUNNING.of(((node.name,), node.running) for node in nodes)
    yield ALARM.of(((node.name, alarm), is_on) for node in nodes for alarm, is_on in node.alarms)
    yield _known(PARTITIONS, (((node.name,), node.partitions) for node in nodes))


def _known(family: Family, samples: Iterable[tuple[tuple[str, ...], float | None]]) -> Metric:
    return family.of((labels, value) for labels, value in samples if value is not None)
