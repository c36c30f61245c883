"""One look at an Elasticsearch: disks, blocks, shards, rejections, templates, streams and dead letters."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.health.dead_letters import look_at_dead_letters
from sereno_backends.logs.health.disks import ALL_NAMESPACES, disk_forecasts, grown_between, is_data_node
from sereno_backends.logs.health.model import WHOLE_CLUSTER, Block, ElasticsearchHealth, Rejections, Shard
from sereno_backends.logs.health.watermarks import is_enabled, watermarks
from sereno_backends.logs.lifecycle.model import Retentions
from sereno_backends.logs.lifecycle.streams import read_streams

FLOOD_STAGE_BLOCK = "12"
"""`index.blocks.read_only_allow_delete` (Elasticsearch, IndexMetadata.INDEX_READ_ONLY_ALLOW_DELETE_BLOCK)."""
CLOSED_BLOCK = "4"
_PRESSURES = ("coordinating_rejections", "primary_rejections", "replica_rejections")


def look_at_elasticsearch(
    client: Elasticsearch, name: str, retentions: Retentions | None, now: Callable[[], datetime]
) -> ElasticsearchHealth:
    """Everything at one moment, of all log streams; dead letters of the retention's namespace.

    Args:
        client: of the server; it needs `monitor`, and `view_index_metadata` and `read` on `logs-*`.
        name: what the server is called in messages.
        retentions: by which Sereno's streams are deleted; None: nobody deletes.
        now: the time, aware.

    Raises:
        LogStoreError: the server can't be reached, or says no.
    """
    with explained(name):
        moment = now()
        stats = client.nodes.stats(metric="fs,indices,thread_pool,jvm,indexing_pressure", index_metric="store")["nodes"]
        settings = client.cluster.get_settings(include_defaults=True, flat_settings=True).body
        streams = read_streams(client, ALL_NAMESPACES)
        data_nodes = sum(map(is_data_node, stats.values()))
        return ElasticsearchHealth(
            name=name,
            looked_at=moment,
            disks=disk_forecasts(stats, watermarks(settings), streams, retentions, moment),
            watermarks_enabled=is_enabled(settings),
            blocks=_blocks(client.cluster.state(metric="blocks")["blocks"]),
            shards=_shards(client),
            all_shards=int(client.cluster.health()["active_shards"]),
            most_shards=_most_shards(settings) * data_nodes,
            data_nodes=data_nodes,
            rejections=tuple(_rejections(each) for each in stats.values()),
            streams=streams,
            template_versions=_template_versions(client),
            dead_letters=look_at_dead_letters(client, name, (retentions or Retentions()).namespace, moment),
        )


def look_twice(
    look: Callable[[], ElasticsearchHealth], seconds: float, sleep: Callable[[float], None] = time.sleep
) -> ElasticsearchHealth:
    """Two looks some time apart: growth is what the disks show; rejections are those in between."""
    before = look()
    sleep(seconds)
    after = look()
    # A clock that is set back meanwhile must not make it nothing, or negative.
    elapsed = max(after.looked_at - before.looked_at, timedelta(seconds=seconds))
    earlier = {each.node: each.rejected for each in before.rejections}
    rejections = tuple(
        Rejections(each.node, max(0, each.rejected - earlier.get(each.node, 0)), elapsed) for each in after.rejections
    )
    log_bytes = sum(each.size_bytes for each in after.streams) - sum(each.size_bytes for each in before.streams)
    disks = grown_between(before.disks, after.disks, elapsed, log_bytes)
    return replace(after, disks=disks, rejections=rejections)


def _blocks(found: Mapping[str, Any]) -> tuple[Block, ...]:
    """Write blocks of log streams' indices, and of the whole cluster."""
    indices = {WHOLE_CLUSTER: found.get("global", {}), **found.get("indices", {})}
    return tuple(
        Block(index, each["description"], number == FLOOD_STAGE_BLOCK)
        for index, blocks in indices.items()
        if index == WHOLE_CLUSTER or ".ds-logs-" in index
        for number, each in blocks.items()
        if number != CLOSED_BLOCK and "write" in each.get("levels", ())
    )


def _shards(client: Elasticsearch) -> tuple[Shard, ...]:
    found: Any = client.cat.shards(index="logs-*-*", format="json", bytes="b", h="index,prirep,state,store")
    return tuple(
        Shard(each["index"], each["prirep"] == "p", each["state"], int(each["store"] or 0)) for each in found.body
    )


def _most_shards(settings: Mapping[str, Mapping[str, Any]]) -> int:
    key = "cluster.max_shards_per_node"
    return int(
        next(settings[where][key] for where in ("transient", "persistent", "defaults") if key in settings[where])
    )


def _rejections(node: Mapping[str, Any]) -> Rejections:
    pressure = node.get("indexing_pressure", {}).get("memory", {}).get("total", {})
    rejected = node["thread_pool"]["write"]["rejected"] + sum(int(pressure.get(each, 0)) for each in _PRESSURES)
    return Rejections(node["name"], rejected, timedelta(milliseconds=node["jvm"]["uptime_in_millis"]))


def _template_versions(client: Elasticsearch) -> dict[str, int]:
    found = client.indices.get_index_template()["index_templates"]
    return {each["name"]: int(each["index_template"].get("version") or 0) for each in found}
