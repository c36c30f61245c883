"""How large a log store has to be: by its own formulae, and by what has to hold whatever comes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sereno_backends.logs.sizing import (
    FULL_AT,
    GIB,
    LARGEST_HEAP_BYTES,
    LARGEST_SHARD_BYTES,
    MOST_SHARDS_A_NODE,
    LogLoad,
    size_cluster,
)

USUAL = LogLoad(2_000, 600, keep_days=30, rollover_days=7, disk_per_line_byte=0.5)

loads = st.builds(
    LogLoad,
    lines_a_second=st.floats(0.01, 1e6),
    bytes_a_line=st.floats(10, 1e5),
    keep_days=st.floats(7, 1000),
    rollover_days=st.floats(0.1, 7),
    replicas=st.integers(0, 3),
    peak=st.floats(1, 100),
    node_disk_bytes=st.floats(50 * GIB, 1e14),
)


def test_a_load_by_hand() -> None:
    """2,000 lines of 600 bytes, half of it on disk: 51.84 GB a day, for 37 days, twice."""
    size = size_cluster(USUAL)
    assert size.documents_a_day == 172_800_000
    assert size.primary_bytes_a_day == 51_840_000_000
    assert size.stored_bytes == 51_840_000_000 * 37 * 2
    # 1,918 GB of primaries in shards of 50 GiB: 36; with a replica of each.
    assert (size.primary_shards, size.indices, size.shards) == (1, 36, 72)
    # 3,836 GB in 5 nodes of 1 TiB that are filled to 85 %, and one that may be lost.
    assert (size.data_nodes, size.master_nodes) == (6, 3)
    assert size.heap_bytes_a_node * 2 == size.memory_bytes_a_node


@given(load=loads)
def test_what_is_stored_fits(load: LogLoad) -> None:
    """Disks stay below the watermark and nodes below their limit of shards, one node lost where there are replicas."""
    size = size_cluster(load)
    left = size.data_nodes - (1 if load.replicas else 0)
    assert size.stored_bytes <= left * load.node_disk_bytes * FULL_AT * 1.000001
    assert size.shards <= left * MOST_SHARDS_A_NODE
    assert size.data_nodes > load.replicas
    shards = size.indices * size.primary_shards
    assert size.stored_bytes / (1 + load.replicas) <= shards * LARGEST_SHARD_BYTES * 1.000001
    assert size.heap_bytes_a_node <= LARGEST_HEAP_BYTES
    assert size.primary_shards * load.lines_a_second_of_a_shard >= load.lines_a_second * load.peak


@given(load=loads, times=st.floats(1, 10))
def test_more_lines_never_need_less(load: LogLoad, times: float) -> None:
    """Every figure grows with the lines, or stays."""
    small, large = size_cluster(load), size_cluster(replace(load, lines_a_second=load.lines_a_second * times))
    assert large.stored_bytes >= small.stored_bytes
    assert large.data_nodes >= small.data_nodes
    assert large.primary_shards >= small.primary_shards
