"""What was read of a broker: frozen, in base units; None is what the broker doesn't tell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened on a queue since the broker began to count; every channel together."""

    published: float
    delivered: float
    """To consumers or by basic.get, with and without acknowledgement."""
    redelivered: float
    acknowledged: float


@dataclass(frozen=True, slots=True)
class DeadLetterAddress:
    """Where a queue sends what it gives up."""

    exchange: str
    routing_key: str | None
    """None: each message keeps its own."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue."""

    vhost: str
    name: str
    is_stream: bool
    """A stream keeps what was read; what it holds is no backlog."""
    ready: float | None
    unacknowledged: float | None
    consumers: float | None
    oldest_age_seconds: float | None
    """By the time that its publisher wrote into the oldest ready message."""
    ttl_seconds: float | None
    """After which its messages leave by themselves."""
    counts: Counts | None
    dead_letters_to: DeadLetterAddress | None

    @property
    def address(self) -> tuple[str, str]:
        """Virtual host and name."""
        return self.vhost, self.name


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue or another exchange."""

    vhost: str
    source: str
    destination: str
    to_queue: bool


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A queue that gets what others give up."""

    vhost: str
    name: str
    messages: float | None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where messages go that queues give up."""

    queues: tuple[DeadLetterQueue, ...]
    targets: tuple[tuple[tuple[str, str], int], ...]
    """Address of a queue that dead-letters, and how many queues can get them; 0: they are lost."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The broker as a whole."""

    product: str
    version: str
    cluster: str
    """Its name; empty where the broker has none."""
    connections: float | None
    channels: float | None
    consumers: float | None
    vhosts: float


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the cluster."""

    name: str
    running: bool
    alarms: tuple[tuple[str, bool], ...]
    """Those that the broker knows of."""
    partitions: float | None
    """Nodes that it can't see."""
