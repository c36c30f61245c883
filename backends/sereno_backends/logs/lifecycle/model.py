"""What is known of data streams, how long they are to be kept, and what follows; frozen values."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# By how long data are kept: what Elasticsearch's data-stream lifecycle does by itself (`max_age: auto` of
# `data_streams.lifecycle.default.rollover`), so that a stream lives the same life with and without it.
_AGES = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=14), timedelta(days=1)),
    (timedelta(days=90), timedelta(days=7)),
)
_OLDEST_AGE = timedelta(days=30)
ROLLOVER_BYTES = 50 * 1024**3
"""Elastic's advice for the size of a shard: 10 to 50 GiB."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a dataset is kept. Data may live for `rollover_age` longer: only whole indices are deleted."""

    keep: timedelta
    rollover_age: timedelta | None = None
    """None: made of `keep`."""
    rollover_bytes: int = ROLLOVER_BYTES
    """Size of a primary shard from which the next index is begun."""

    @property
    def age_to_roll_over(self) -> timedelta:
        """After how long the next index is begun."""
        if self.rollover_age is not None:
            return self.rollover_age
        return next((age for longest, age in _AGES if self.keep <= longest), _OLDEST_AGE)


@dataclass(frozen=True, slots=True)
class Retentions:
    """The retention of every dataset."""

    default: Retention = Retention(timedelta(days=30))
    by_dataset: dict[str, Retention] = field(default_factory=dict)
    """By the names that datasets have in their streams: lower case, without dashes."""
    namespace: str = "default"
    """The one whose streams are governed, the last part of their names; `sereno collect logs` writes to no other."""

    def of(self, dataset: str) -> Retention:
        """The dataset's own one, or the default."""
        return self.by_dataset.get(dataset, self.default)


class Manager(StrEnum):
    """Who rolls over and deletes."""

    INDEX_LIFECYCLE = "index lifecycle management"
    STREAM_LIFECYCLE = "data stream lifecycle"
    SERENO = "Sereno itself"
    """The server has neither: Sereno does it, hourly from the collector, or by `sereno logs lifecycle --apply`."""


@dataclass(frozen=True, slots=True)
class BackingIndex:
    """One index of a data stream."""

    name: str
    created_at: datetime
    documents: int
    """Of primary shards, deleted ones left out; 0 where the index is closed."""
    size_bytes: int
    """On all disks: primary shards and their copies; 0 where the index is closed."""
    policy: str | None = None
    """The policy of index lifecycle management that looks after it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A data stream `logs-<dataset>-<namespace>`; its indices in the order of their generations."""

    name: str
    indices: tuple[BackingIndex, ...]
    """Never empty; the last one is written to."""
    is_ours: bool
    """The index template that decides about it is one of Sereno's."""
    template: str | None = None
    """The name of that template; None: there is none any more."""

    @property
    def dataset(self) -> str:
        """The middle part of the name; neither of the others holds a dash."""
        return self.name.split("-", 1)[1].rsplit("-", 1)[0]

    @property
    def namespace(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("-", 1)[1]

    @property
    def write_index(self) -> BackingIndex:
        """The one that new documents go to."""
        return self.indices[-1]

    @property
    def size_bytes(self) -> int:
        """All its indices, with their copies."""
        return sum(each.size_bytes for each in self.indices)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A backing index whose time is over, or will be."""

    index: str
    stream: str
    due_at: datetime
    documents: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RollOver:
    """The next index of a stream is begun."""

    stream: str
    conditions: tuple[str, ...]
    """Which conditions are met, in the server's words; empty: the server is asked again when it is done."""


@dataclass(frozen=True, slots=True)
class PolicyAttachment:
    """A policy of index lifecycle management is installed, and the stream and its template are told to follow it."""

    stream: str
    template: str
    policy: str
    retention: Retention


@dataclass(frozen=True, slots=True)
class StreamRetention:
    """The data-stream lifecycle of a stream gets the retention."""

    stream: str
    retention: Retention


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A stream that Sereno doesn't touch, and why."""

    stream: str
    reason: str


Action = Deletion | RollOver | PolicyAttachment | StreamRetention


@dataclass(frozen=True, slots=True)
class LifecyclePlan:
    """What would be done now; nothing is changed yet."""

    manager: Manager
    streams: tuple[Stream, ...]
    """Those that Sereno may touch."""
    actions: tuple[Action, ...]
    left_alone: tuple[LeftAlone, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An action that the server refused; the others were carried out all the same."""

    action: Action
    message: str


@dataclass(frozen=True, slots=True)
class LifecycleRun:
    """What became of a plan."""

    done: tuple[Action, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def deleted(self) -> tuple[Deletion, ...]:
        """The indices that are gone."""
        return tuple(each for each in self.done if isinstance(each, Deletion))

    @property
    def rolled_over(self) -> tuple[RollOver, ...]:
        """The streams that have a next index."""
        return tuple(each for each in self.done if isinstance(each, RollOver))
