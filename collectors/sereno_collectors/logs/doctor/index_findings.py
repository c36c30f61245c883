"""Indices of Elasticsearch: blocks, shards, copies, rejections, templates."""

from collections import Counter
from collections.abc import Iterator

from sereno_backends.logs.elasticsearch_template import TEMPLATE_VERSION
from sereno_backends.logs.elasticsearch_units import size_text as size
from sereno_backends.logs.health.model import WHOLE_CLUSTER, ElasticsearchHealth, Shard

from sereno_collectors.logs.doctor.model import Finding, Gravity

LARGE_SHARD_BYTES = 65 * 1024**3
"""Elastic's advice is 10 to 50 GiB; rollover is looked at now and then only, so that some go over."""
SMALL_SHARD_BYTES = 1024**3
MANY_SMALL_SHARDS = 20
SHARDS_SHARE = 0.8
_SHOWN = 3
# Both at once: a read-only cluster refuses every other change of its settings.
_CLUSTER_OPENED = (
    '_cluster/settings {"persistent": {"cluster.blocks.read_only": null, "cluster.blocks.read_only_allow_delete": '
    'null}, "transient": {"cluster.blocks.read_only": null, "cluster.blocks.read_only_allow_delete": null}}'
)


def block_findings(health: ElasticsearchHealth) -> Iterator[Finding]:
    """Indices that take no documents, with the request that ends it."""
    flooded = sorted({each.index for each in health.blocks if each.is_flood_stage})
    if flooded:
        yield Finding(
            Gravity.BROKEN,
            "read-only",
            f"{_some(flooded)}: read-only since a disk passed the flood stage; nothing is lost, the collector waits",
            "make room first; below the high watermark the server ends this by itself, at once by "
            'PUT logs-*-*/_settings {"index.blocks.read_only_allow_delete": null}',
        )
    set_by_hand = _by_description(health)
    for description, indices in set_by_hand.items():
        yield Finding(
            Gravity.BROKEN,
            "read-only",
            f"{_some(indices)}: {description}; somebody has set this".replace(WHOLE_CLUSTER, "the whole cluster"),
            f"ask who and why, then PUT {_CLUSTER_OPENED if WHOLE_CLUSTER in indices else _opened(indices)}",
        )
    if not (flooded or set_by_hand):
        yield Finding(Gravity.HEALTHY, "read-only", "no index of the logs that is written to is blocked")


def _opened(indices: list[str]) -> str:
    return f'{",".join(indices)}/_settings {{"index.blocks.write": null, "index.blocks.read_only": null}}'


def _by_description(health: ElasticsearchHealth) -> dict[str, list[str]]:
    """Blocks that the disk hasn't set; of ended indices only those matter that are written to."""
    written = {stream.write_index.name for stream in health.streams} | {WHOLE_CLUSTER}
    found: dict[str, list[str]] = {}
    for block in health.blocks:
        if not block.is_flood_stage and block.index in written:
            found.setdefault(block.description, []).append(block.index)
    return found


def shard_findings(health: ElasticsearchHealth) -> Iterator[Finding]:
    """Shards that are too large, too many, or nowhere."""
    yield from _unplaced(health)
    primaries = [each for each in health.shards if each.is_primary]
    large = [f"{each.index} ({size(each.size_bytes)})" for each in primaries if each.size_bytes > LARGE_SHARD_BYTES]
    if large:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "shards",
            f"{_some(large)}: larger than the 50 GB that Elastic advises; they are slow to move and to search",
            "set rollover_size: 50gb in logs.retention.yaml and let a collector with --retention run, or sereno logs "
            "lifecycle --apply",
        )
    yield from _small(health, primaries)
    full = health.all_shards / health.most_shards if health.most_shards else 0.0
    message = f"{health.all_shards:,} of the {health.most_shards:,} shards that the cluster takes"
    if full >= SHARDS_SHARE:
        yield Finding(
            Gravity.BROKEN if full >= 1 else Gravity.NEEDS_SOMEBODY,
            "shards",
            f"{message}: without a place for the next index no stream rolls over and no new one begins",
            "keep logs for less time, begin indices less often (rollover_age), or add nodes; raising "
            "cluster.max_shards_per_node buys time only",
        )
    else:
        yield Finding(Gravity.HEALTHY, "shards", f"{message}; {len(primaries):,} hold logs")


def _small(health: ElasticsearchHealth, primaries: list[Shard]) -> Iterator[Finding]:
    """Ended indices that were begun too often for what they hold."""
    ended = {index.name: stream.name for stream in health.streams for index in stream.indices[:-1]}
    small = Counter(
        ended[each.index] for each in primaries if each.index in ended and each.size_bytes < SMALL_SHARD_BYTES
    )
    for stream, count in small.most_common():
        if count >= MANY_SMALL_SHARDS:
            yield Finding(
                Gravity.NOTE,
                "shards",
                f"{stream}: {count} of its ended indices hold less than 1 GB each; each costs memory",
                f"set a longer rollover_age for {stream.split('-', 1)[1].rsplit('-', 1)[0]} in logs.retention.yaml",
            )


def _unplaced(health: ElasticsearchHealth) -> Iterator[Finding]:
    unplaced = [each for each in health.shards if each.state == "UNASSIGNED"]
    lost = sorted({each.index for each in unplaced if each.is_primary})
    if lost:
        yield Finding(
            Gravity.BROKEN,
            "shards",
            f"{_some(lost)}: on no node, so that nothing of them can be read or written",
            "GET _cluster/allocation/explain says why; mostly a node is gone, or every disk is over its watermarks",
        )
    copies = sorted({each.index for each in unplaced if not each.is_primary})
    if copies and health.data_nodes == 1:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "copies",
            f"{_some(copies)}: a copy is asked for that a cluster of one node can't place; its health is never green",
            'PUT logs-*-*/_settings {"index.auto_expand_replicas": "0-1"}: no copy on one node, one on several',
        )
    elif copies:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "copies",
            f"{_some(copies)}: a copy is on no node: the loss of one disk would lose these documents",
            "GET _cluster/allocation/explain says why; mostly a node is gone, or disks are over their low watermark",
        )


def rejection_findings(health: ElasticsearchHealth, *, watched: bool) -> Iterator[Finding]:
    """Requests that were refused because there were too many."""
    busy = [each for each in health.rejections if each.rejected]
    for each in busy:
        since = f"in {each.uptime.total_seconds():.0f} s" if watched else f"since it started {_ago(each.uptime.days)}"
        yield Finding(
            Gravity.NEEDS_SOMEBODY if watched else Gravity.NOTE,
            "rejections",
            f"node {each.node} refused {each.rejected:,} write requests {since}: more came than it could take; the "
            "collector sends them again",
            "see what writes so much, or add nodes"
            if watched
            else "sereno logs doctor --watch 60 tells whether it goes on",
        )
    if not busy:
        yield Finding(Gravity.HEALTHY, "rejections", "no write request was refused for lack of room")


def _ago(days: int) -> str:
    return f"{days} day{'s' * (days > 1)} ago" if days else "within a day"


def template_findings(health: ElasticsearchHealth) -> Iterator[Finding]:
    """Templates that are gone or old: the next index gets other mappings than documents need."""
    missing = sorted(each.name for each in health.streams if each.template is None)
    if missing:
        yield Finding(
            Gravity.BROKEN,
            "templates",
            f"{_some(missing)}: no index template matches any more; no next index can be begun",
            "restart the collector, or let it write one document into the stream: it installs the template",
        )
    old = sorted(
        each.template
        for each in health.streams
        if each.is_ours and each.template and health.template_versions.get(each.template, 0) < TEMPLATE_VERSION
    )
    if old:
        yield Finding(
            Gravity.NEEDS_SOMEBODY,
            "templates",
            f"{_some(old)}: older than this Sereno's (version {TEMPLATE_VERSION}); newer fields are not searchable",
            "run a collector of this version; its next document installs the template, for the next index",
        )
    if not (missing or old):
        ours = sum(each.is_ours for each in health.streams)
        yield Finding(Gravity.HEALTHY, "templates", f"those of {ours} streams of Sereno's are there and of today")


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
