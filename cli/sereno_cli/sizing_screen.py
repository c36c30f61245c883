"""What `sereno logs size` shows."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from sereno_backends.logs.elasticsearch_units import size_text

if TYPE_CHECKING:
    from sereno_backends.logs.sizing import ClusterSize, LogLoad


def print_size(load: "LogLoad", size: "ClusterSize") -> None:
    """Each figure with what it was made of."""
    kept = f"{load.keep_days:g} d and up to {load.rollover_days:g} d more"
    masters = f"{size.master_nodes} of their own" if size.master_nodes else "the data nodes themselves"
    spare = "one of them may be lost" if load.replicas else "none may be lost: there is no replica"
    rows = (
        ("lines", f"{size.documents_a_day:,.0f} a day", f"{load.lines_a_second:,.10g} a second"),
        (
            "primary data",
            f"{size_text(size.primary_bytes_a_day)} a day",
            f"{load.bytes_a_line:g} bytes a line, {load.disk_per_line_byte:g} of them on disk",
        ),
        ("stored", size_text(size.stored_bytes), f"{kept}; copies of each shard: {1 + load.replicas}"),
        ("primary shards", str(size.primary_shards), f"of each index, for {load.peak:g} times the average"),
        ("indices", str(size.indices), f"{size.shards} shards in all"),
        ("data nodes", str(size.data_nodes), f"{size_text(load.node_disk_bytes)} of disk each, {spare}"),
        ("masters", masters, ""),
        ("memory a node", size_text(size.memory_bytes_a_node), f"half of it heap: {size_text(size.heap_bytes_a_node)}"),
    )
    for name, figure, why in rows:
        click.echo(f"{name:<15} {figure:<22} {why}".rstrip())


def size_json(load: "LogLoad", size: "ClusterSize") -> str:
    """Both, by the names that they have in `sereno_backends.logs.sizing`."""
    return json.dumps({"load": asdict(load), "size": asdict(size)}, indent=2)
