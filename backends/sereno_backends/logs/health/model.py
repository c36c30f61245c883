"""What is known of a log store at one look; frozen values."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_backends.logs.health.forecast import Growth
from sereno_backends.logs.health.watermarks import WatermarkName
from sereno_backends.logs.lifecycle.model import Stream

RECENT = timedelta(days=1)
"""What of the dead letters is new."""

WHOLE_CLUSTER = "_all"
"""In a block, the name of no index: nothing of the cluster can be written."""


@dataclass(frozen=True, slots=True)
class DiskForecast:
    """A disk of the store and when it is too full."""

    place: str
    """The node's name, or the folder."""
    total_bytes: int
    available_bytes: int
    growth: Growth | None
    """None: nothing is known yet."""
    days_until: dict[WatermarkName, float | None]
    """None: not within a year, or nobody knows. Of a SQLite file's disk, `flood_stage` is when it is full."""
    least_free_bytes: dict[WatermarkName, int]
    """How much has to be free for each watermark."""


@dataclass(frozen=True, slots=True)
class Block:
    """An index that can't be written, or only be deleted."""

    index: str
    description: str
    """In the server's words."""
    is_flood_stage: bool
    """The disk was too full: it may be deleted, nothing else."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One copy of one part of an index."""

    index: str
    is_primary: bool
    state: str
    """`STARTED`, `UNASSIGNED`, …"""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Rejections:
    """Requests that a node refused because it had too many, since it started."""

    node: str
    rejected: int
    uptime: timedelta


@dataclass(frozen=True, slots=True)
class StreamLetters:
    """What a server refused for good, as the data stream of dead letters tells it."""

    stream: str
    letters: int = 0
    recent: int = 0
    """Of the last day."""
    kind: str = ""
    """The most frequent reason of the last day, or of all, in one word; empty where its letters have none."""
    service: str = ""
    """Whose documents are mostly refused for it."""
    example: str = ""
    """The whole reason of the newest letter of that kind."""
    trouble: str = ""
    """Why they can't be counted."""


@dataclass(frozen=True, slots=True)
class ElasticsearchHealth:
    """An Elasticsearch at one look."""

    name: str
    looked_at: datetime
    disks: tuple[DiskForecast, ...]
    watermarks_enabled: bool
    blocks: tuple[Block, ...]
    shards: tuple[Shard, ...]
    """Of log streams."""
    all_shards: int
    """Of everything on the cluster."""
    most_shards: int
    """That the cluster takes: `cluster.max_shards_per_node` for each data node."""
    data_nodes: int
    rejections: tuple[Rejections, ...]
    streams: tuple[Stream, ...]
    template_versions: dict[str, int]
    """By template."""
    dead_letters: StreamLetters


@dataclass(frozen=True, slots=True)
class SqliteHealth:
    """A SQLite store at one look."""

    name: str
    looked_at: datetime
    size_bytes: int
    """Of the file and its write-ahead log."""
    free_inside_bytes: int
    """Pages of the file that will be used before it grows."""
    documents: int
    oldest: datetime | None
    newest: datetime | None
    disk: DiskForecast
