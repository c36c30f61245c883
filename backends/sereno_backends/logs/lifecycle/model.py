"""What is known of data streams, how long they are to be kept, and what follows; frozen values."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
    namespace: str = "default"

    def of(self, dataset: str) -> Retention:
        """The dataset's own one, or the default."""
        return self.by_dataset.get(dataset, self.default)


@dataclass(frozen=True, slots=True)
class BackingIndex:
    """One index of a data stream."""

    name: str
    created_at: datetime
    documents: int
    """Of primary shards, deleted ones left out."""
    size_bytes: int
    """On all disks: primary shards and their copies."""
    policy: str | None = None
    """The policy of index lifecycle management that looks after it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A data stream `logs-<dataset>-<namespace>`; its indices in the order of their generations."""

    name: str
    indices: tuple[BackingIndex, ...]
    """Never empty; the last one is written to."""
    is_ours: bool
    """Its index template is one of Sereno's."""

    @property
    def dataset(self) -> str:
        """The middle part of the name; neither of the others holds a dash."""
        return self.name.split("-", 1)[1].rsplit("-", 1)[0]

    @property
    def write_index(self) -> BackingIndex:
        """The one that new documents go to."""
        return self.indices[-1]


@dataclass(frozen=True, slots=True)
class Deletion:
    """A backing index whose time is over, or will be."""

    index: str
    stream: str
    due_at: datetime
    documents: int
    size_bytes: int
