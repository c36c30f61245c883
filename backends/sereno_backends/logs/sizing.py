"""How large an Elasticsearch has to be for so many lines: pure arithmetic, each number with its source.

What it counts is kept on data nodes of one kind ("hot"); docs/scale-out/elasticsearch.md has the formulae in words.
"""

from dataclasses import dataclass
from math import ceil

DAY_SECONDS = 86_400
GIB = 2**30

DISK_PER_LINE_BYTE = 0.87
"""Bytes on a primary's disk for a byte of line: `python -m benchmarks.scale.store_size`."""
FULL_AT = 0.85
"""Elasticsearch's default `cluster.routing.allocation.disk.watermark.low`: above it a node gets no further shard."""
LARGEST_SHARD_BYTES = 50 * GIB
"""Elastic's "Size your shards": 10 to 50 GB; also where lifecycle policies of Sereno begin the next index."""
MOST_SHARDS_A_NODE = 1000
"""Elasticsearch's default `cluster.max_shards_per_node`."""
DISK_PER_MEMORY = 30
"""Bytes of disk for a byte of a hot node's memory, as Elastic's hosted hot tier has it by default (about 1:30)."""
LEAST_HEAP_BYTES, LARGEST_HEAP_BYTES = GIB, 31 * GIB
"""Half of the memory is heap, and at most so much that object pointers stay compressed ("Set the JVM heap size")."""
MASTERS_FROM_NODES = 6
"""From so many data nodes on three nodes that are masters only; fewer ones are masters themselves. Our own choice."""


@dataclass(frozen=True, slots=True)
class LogLoad:
    """What comes, and what is asked of the store."""

    lines_a_second: float
    """On average over a day."""
    bytes_a_line: float
    keep_days: float
    rollover_days: float
    replicas: int = 1
    peak: float = 3.0
    """The busiest minutes' lines, as a multiple of the average."""
    node_disk_bytes: float = 1024 * GIB
    disk_per_line_byte: float = DISK_PER_LINE_BYTE
    lines_a_second_of_a_shard: float = 10_000
    """What a primary shard takes in on its own node; measure yours (`python -m benchmarks.log_throughput`)."""


@dataclass(frozen=True, slots=True)
class ClusterSize:
    """What holds it."""

    documents_a_day: float
    primary_bytes_a_day: float
    stored_bytes: float
    """With replicas, and with what is kept longer because only whole indices are deleted."""
    disk_bytes: float
    """Of all data nodes."""
    primary_shards: int
    """Of the index that is written to."""
    indices: int
    shards: int
    """Of all indices, replicas among them."""
    data_nodes: int
    master_nodes: int
    """That are nothing else; 0: the data nodes are masters, three at least of all of them."""
    heap_bytes_a_node: float
    memory_bytes_a_node: float


def size_cluster(load: LogLoad) -> ClusterSize:
    """The smallest cluster that holds the load, with one data node lost where there are replicas."""
    documents = load.lines_a_second * DAY_SECONDS
    primary = documents * load.bytes_a_line * load.disk_per_line_byte
    kept_days = load.keep_days + load.rollover_days
    stored = primary * kept_days * (1 + load.replicas)
    # As many as take the peak side by side; an index that grows over the size is rolled over sooner.
    primaries = max(1, ceil(load.lines_a_second * load.peak / load.lines_a_second_of_a_shard))
    by_size = primary * kept_days / (primaries * LARGEST_SHARD_BYTES)
    indices = ceil(max(by_size, kept_days / load.rollover_days))
    shards = indices * primaries * (1 + load.replicas)
    of_disk = ceil(stored / (load.node_disk_bytes * FULL_AT))
    of_shards = ceil(shards / MOST_SHARDS_A_NODE)
    # What a lost node had is built anew on the others: they need the room for it.
    needed = max(of_disk, of_shards) + (1 if load.replicas else 0)
    nodes = max(needed, load.replicas + 1, 3 if load.replicas else 1)
    share = stored / nodes / FULL_AT
    memory = min(max(share / DISK_PER_MEMORY, 2 * LEAST_HEAP_BYTES), 2 * LARGEST_HEAP_BYTES)
    return ClusterSize(
        documents_a_day=documents,
        primary_bytes_a_day=primary,
        stored_bytes=stored,
        disk_bytes=nodes * load.node_disk_bytes,
        primary_shards=primaries,
        indices=indices,
        shards=shards,
        data_nodes=nodes,
        master_nodes=3 if nodes >= MASTERS_FROM_NODES else 0,
        heap_bytes_a_node=memory / 2,
        memory_bytes_a_node=memory,
    )
