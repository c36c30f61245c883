"""The disks of an Elasticsearch and when they reach their watermarks: two cheap requests and the streams."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch

from sereno_backends.logs.health.forecast import Growth, Part, days_until, growth_between, growth_of, part_of, total
from sereno_backends.logs.health.model import DiskForecast
from sereno_backends.logs.health.watermarks import Watermark, watermarks
from sereno_backends.logs.lifecycle.model import Retention, Retentions, Stream
from sereno_backends.logs.lifecycle.streams import read_streams

ALL_NAMESPACES = "*"


def look_at_disks(client: Elasticsearch, retentions: Retentions | None, now: datetime) -> tuple[DiskForecast, ...]:
    """Every data node's disk, with what all log streams add to it and what retention takes away.

    Args:
        client: of the server; it needs the privilege `monitor`.
        retentions: by which Sereno's streams are deleted; None: nobody deletes.
        now: the time, aware.
    """
    stats = client.nodes.stats(metric="fs,indices", index_metric="store")["nodes"]
    settings = client.cluster.get_settings(include_defaults=True, flat_settings=True)
    streams = read_streams(client, ALL_NAMESPACES)
    return disk_forecasts(stats, watermarks(settings.body), streams, retentions, now)


def disk_forecasts(
    stats: Mapping[str, Any],
    marks: Sequence[Watermark],
    streams: Sequence[Stream],
    retentions: Retentions | None,
    now: datetime,
) -> tuple[DiskForecast, ...]:
    """The same from what was read already: growth by the sizes and dates of indices, by each node's share of them."""
    growths = [(stream, growth) for stream in streams if (growth := growth_of(stream, now)) is not None]
    parts = [part_of(stream, growth, _retention_of(stream, retentions), now) for stream, growth in growths]
    every = total([growth for _, growth in growths], "sizes and dates of indices")
    nodes = [each for each in stats.values() if is_data_node(each)]
    stored = sum(_stored(each) for each in nodes)
    return tuple(
        _forecast(each, marks, every, parts, _stored(each) / stored if stored else 1 / len(nodes)) for each in nodes
    )


def grown_between(
    before: Sequence[DiskForecast], after: Sequence[DiskForecast], elapsed: timedelta, log_bytes: int
) -> tuple[DiskForecast, ...]:
    """The disks as they were the second time, with the growth that both looks show; retention is not counted.

    Args:
        before: the first look.
        after: the second one.
        elapsed: between them.
        log_bytes: by which all log indices became larger.
    """
    earlier = {each.place: each for each in before}
    share = log_bytes / max(len(after), 1)
    return tuple(
        _regrown(each, earlier[each.place], elapsed, share) if each.place in earlier else each for each in after
    )


def is_data_node(node: Mapping[str, Any]) -> bool:
    """Whether indices lie on it."""
    return any(role.startswith("data") for role in node.get("roles", ()))


def _retention_of(stream: Stream, retentions: Retentions | None) -> Retention | None:
    """What the retention file says of it; None where the file doesn't decide."""
    is_decided = stream.is_ours and stream.write_index.policy in {None, f"sereno-{stream.name}"}
    if retentions is None or not is_decided or stream.namespace != retentions.namespace:
        return None
    return retentions.of(stream.dataset)


def _stored(node: Mapping[str, Any]) -> int:
    return int(node.get("indices", {}).get("store", {}).get("size_in_bytes", 0))


def _forecast(
    node: Mapping[str, Any], marks: Sequence[Watermark], growth: Growth | None, parts: Sequence[Part], share: float
) -> DiskForecast:
    disk = node["fs"]["total"]
    own = [
        Part(
            each.bytes_per_day * share,
            each.keep_days,
            tuple((when, int(size * share)) for when, size in each.deletions),
        )
        for each in parts
    ]
    total_bytes, available = int(disk["total_in_bytes"]), int(disk["available_in_bytes"])
    least = {each.name: each.least_free_bytes(total_bytes) for each in marks}
    return DiskForecast(
        node["name"],
        total_bytes,
        available,
        None if growth is None else _scaled(growth, share),
        {name: days_until(available - free, own) for name, free in least.items()},
        least,
    )


def _scaled(growth: Growth, share: float) -> Growth:
    return replace(
        growth,
        bytes_per_day=growth.bytes_per_day * share,
        lowest_bytes_per_day=growth.lowest_bytes_per_day * share,
        highest_bytes_per_day=growth.highest_bytes_per_day * share,
    )


def _regrown(after: DiskForecast, before: DiskForecast, elapsed: timedelta, log_bytes: float) -> DiskForecast:
    growth = growth_between(before.available_bytes - after.available_bytes, log_bytes, elapsed)
    parts = [Part(growth.bytes_per_day, None)]
    days = {name: days_until(after.available_bytes - free, parts) for name, free in after.least_free_bytes.items()}
    return replace(after, growth=growth, days_until=days)
