"""What the parts of the log collector hand to each other: frozen values, without behaviour.

inputs → Chunk → parsing (parse and enrich) → Document → queue → Parcel → delivery → the store's answers
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Event
from typing import NamedTuple, Protocol


class OriginKind(StrEnum):
    """By which way lines come in."""

    FILE = "file"
    STDIN = "stdin"
    OTLP = "otlp"


class Format(StrEnum):
    """How the lines of an input are to be read; `AUTO` looks at each line."""

    AUTO = "auto"
    ECS = "ecs"
    JSON = "json"
    LOGFMT = "logfmt"
    PLAIN = "plain"
    ACCESS = "access"
    SYSLOG = "syslog"
    DOCKER = "docker"
    CRI = "cri"


@dataclass(frozen=True, slots=True)
class Position:
    """How far one file was read. It outlives the file's name: rotation renames a file, its position stays its own."""

    path: str
    """The followed path, absolute: where the file was when it was found."""
    source: str
    """The file's identity in record ids; the same file has the same one after every restart."""
    inode: int
    generation: int
    """How many other files of this path had this inode before (a truncation makes another file, too)."""
    offset: int = 0
    """Bytes that were read: always the beginning of a line."""
    tail: str = ""
    """Fingerprint of the last bytes before `offset`: tells the file from another one that took its place."""
    modified_ns: int = 0
    """The file's modification time when it was last read."""
    finished: bool = False
    """It was rotated away and read to its end: nothing more is expected."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events were read."""

    kind: OriginKind
    path: str
    """A followed file's path; `-` for standard input; who sent it for OTLP."""
    identity: str
    """Tells this file, stream or sender from every other one; part of the ids of events without a sequence number."""
    format: Format = Format.AUTO
    service: str | None = None
    """What `service.name` is where an event names none; None: made of the path."""
    dataset: str | None = None
    """What `event.dataset` is where an event names none; None: `app`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive events of one origin as they were read."""

    origin: Origin
    offset: int
    """Where the first event stands: in bytes for files and streams."""
    events: tuple[bytes, ...]
    """Without the `\\n` at their ends (a `\\r` before it stays); an event of several lines has `\\n` within. Each next
    one stands one byte behind the one before. Blank ones vanish in parsing."""
    read_at: datetime
    """Aware, UTC."""


class Document(NamedTuple):
    """One event as it will be stored; a tuple, because one is made for each line."""

    record_id: str
    """Deterministic: the same event has the same id, however often it is read and sent."""
    stream: str
    """The data stream: `logs-<dataset>-<namespace>`."""
    body: bytes
    """One JSON object in UTF-8 without line breaks, exactly as the store gets it."""
    service: str
    source: str
    """`service.node.name`; empty where the event has no sequence number."""
    sequence: int
    """`event.sequence`, from 1; 0 where it has none."""
    hour: str
    """The UTC hour of `@timestamp`: `2026-11-25T23`."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Documents that were queued together and are settled one by one."""

    number: int
    """The order of queueing, unique for the life of the queue."""
    documents: int
    body: bytes
    """Elasticsearch's bulk format: for each document an action line `{"create":{"_index":…,"_id":…}}` and its body,
    each with its line end."""
    repeated: bool
    """It may have been sent before, and what became of it is not known."""
    streams: frozenset[str]
    """The data streams that the body names, and perhaps others."""
    compressed: bytes = b""
    """The body as gzip, as it stands in the queue; empty where it stands there otherwise: an older version queued it,
    or the body is only a part of that."""


class QueueFull(Exception):  # noqa: N818 - reads as what happened
    """The queue has reached its limit in bytes: nothing of what was given was taken."""


class Intake(Protocol):
    """The front half of the collector: whoever reads events gives them here."""

    def accept(
        self, chunks: Sequence[Chunk], positions: Sequence[Position] = (), *, patience_seconds: float | None = None
    ) -> None:
        """Parse, enrich and queue the events, and note the positions; all of it is on disk when this returns.

        Waits while the queue is full or its disk is; for ever without `patience_seconds`.

        Raises:
            QueueFull: the patience is over, or the collector is to stop: nothing was taken, reading again is right.
        """
        ...

    @property
    def is_ending(self) -> bool:
        """Whether the collector is to stop: what was not taken is not to be offered again."""
        ...


class Input(Protocol):
    """A source of events; runs in a thread of its own."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    def run(self, intake: Intake, stop: Event) -> None:
        """Read and hand over until `stop` is set or nothing can come any more."""
        ...
