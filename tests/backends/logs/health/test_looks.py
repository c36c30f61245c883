"""Looks at real stores."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, SqliteLogStore
from sereno_backends.logs.health.disks import disk_forecasts
from sereno_backends.logs.health.elasticsearch_look import look_at_elasticsearch, look_twice
from sereno_backends.logs.health.sqlite_look import look_at_sqlite
from sereno_backends.logs.health.watermarks import WatermarkName, watermarks
from sereno_backends.logs.lifecycle import BackingIndex, Retention, Retentions, Stream
from support.elasticsearch import ElasticsearchServer, fresh_namespace
from support.log_records import NOON
from support.waiting import wait_for

DAY = timedelta(days=1)
WATERMARK_KEYS = [f"cluster.routing.allocation.disk.watermark.{name}" for name in WatermarkName]


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_blocks_copies_and_growth_of_a_real_server(elasticsearch: ElasticsearchServer) -> None:
    """A flood-stage block, a copy that one node can't place, the template and growth by size and age are seen."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as store:
        store.write([LogRecord(str(number), NOON, "checkout", "info", "hello " * 50) for number in range(500)])
    with Elasticsearch(elasticsearch.url) as client:
        (index,) = client.indices.resolve_index(name=stream)["data_streams"][0]["backing_indices"]
        client.indices.flush(index=stream)
        client.indices.put_settings(
            index=stream,
            settings={
                "index.blocks.read_only_allow_delete": True,
                "index.auto_expand_replicas": False,
                "index.number_of_replicas": 1,
            },
        )
        try:
            health = look_at_elasticsearch(client, "test", None, lambda: datetime.now(UTC) + DAY)
        finally:
            client.indices.put_settings(
                index=stream,
                settings={"index.blocks.read_only_allow_delete": None, "index.number_of_replicas": 0},
            )
    assert [each.is_flood_stage for each in health.blocks if each.index == index] == [True]
    states = {each.is_primary: each.state for each in health.shards if each.index == index}
    assert states == {True: "STARTED", False: "UNASSIGNED"}
    (seen,) = (each for each in health.streams if each.name == stream)
    assert seen.is_ours
    assert health.template_versions[f"sereno-{stream}"] > 0
    (disk,) = health.disks
    assert disk.growth is not None
    # All streams of this server are of today: in a day they would have grown by what they hold.
    held = sum(each.size_bytes for each in health.streams)
    assert disk.growth.bytes_per_day == pytest.approx(held, rel=0.2)
    assert health.data_nodes == 1
    assert health.most_shards == 1000


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_a_watermark_that_is_exceeded_on_a_real_server(elasticsearch: ElasticsearchServer) -> None:
    """A low watermark above the free space of the real disk is exceeded now; the others aren't."""
    prefix = "cluster.routing.allocation.disk.watermark"
    settings = {f"{prefix}.low": "900tb", f"{prefix}.high": "200mb", f"{prefix}.flood_stage": "100mb"}
    with Elasticsearch(elasticsearch.url) as client:
        client.cluster.put_settings(persistent=settings)
        try:
            (disk,) = look_at_elasticsearch(client, "test", None, lambda: datetime.now(UTC)).disks
        finally:
            client.cluster.put_settings(persistent=dict.fromkeys(settings))
    assert disk.days_until[WatermarkName.LOW] == 0
    assert disk.days_until[WatermarkName.FLOOD_STAGE] is None


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_two_looks_measure_what_came_in_between(elasticsearch: ElasticsearchServer) -> None:
    """Between two looks the log indices' own growth is one of the extremes, and rejections are those in between."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with (
        closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as store,
        Elasticsearch(elasticsearch.url) as client,
    ):
        store.write([LogRecord("0", NOON, "checkout", "info", "hello")])

        def write(_: float) -> None:
            store.write([LogRecord(str(each), NOON, "checkout", "info", f"{each} " * 300) for each in range(1, 2000)])
            client.indices.flush(index=stream)
            # The server looks at the sizes of its files every ten seconds (indices.store.stats_refresh_interval).
            wait_for(lambda: size() > 50_000, what="the server has seen the size of its files", timeout_seconds=30)

        def size() -> int:
            return int(client.indices.stats(index=stream)["_all"]["total"]["store"]["size_in_bytes"])

        moments = iter([NOON, NOON + DAY])
        health = look_twice(lambda: look_at_elasticsearch(client, "test", None, lambda: next(moments)), 60, write)
    (disk,) = health.disks
    assert disk.growth is not None
    assert disk.growth.measured == DAY
    assert disk.growth.highest_bytes_per_day > 50_000
    assert [each.rejected for each in health.rejections] == [0]


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_a_clock_that_is_set_back_between_two_looks(elasticsearch: ElasticsearchServer) -> None:
    """The time between is at least what was waited; nothing is divided by nothing."""
    with Elasticsearch(elasticsearch.url) as client:
        moments = iter([NOON, NOON - timedelta(hours=1)])
        health = look_twice(
            lambda: look_at_elasticsearch(client, "test", None, lambda: next(moments)), 60, lambda _: None
        )
    (disk,) = health.disks
    assert disk.growth is not None
    assert disk.growth.measured == timedelta(seconds=60)


def test_a_retention_counts_for_the_streams_that_it_governs_only() -> None:
    """A stream of Sereno's in another namespace is deleted from by nobody, and fills the disk in the forecast."""
    stats = {
        "n": {
            "name": "n",
            "roles": ["data"],
            "fs": {"total": {"total_in_bytes": 10_000, "available_in_bytes": 5_000}},
            "indices": {"store": {"size_in_bytes": 700}},
        }
    }
    marks = watermarks({"defaults": dict.fromkeys(WATERMARK_KEYS, "0b")})

    def filled(namespace: str) -> float | None:
        indices = tuple(BackingIndex(f"i{age}", NOON - age * DAY, 1, 100) for age in range(7, 0, -1))
        stream = Stream(f"logs-app-{namespace}", indices, is_ours=True, template="t")
        (disk,) = disk_forecasts(stats, marks, [stream], Retentions(Retention(7 * DAY, DAY)), NOON)
        return disk.days_until[WatermarkName.FLOOD_STAGE]

    assert filled("default") is None
    assert filled("prod") == pytest.approx(50)


def test_a_sqlite_file_and_its_disk(tmp_path: Path) -> None:
    """Size, documents and growth by the documents of the last week; the longest retention bounds the forecast."""
    path = tmp_path / "logs.sqlite"
    with closing(SqliteLogStore(path)) as store:
        store.write(
            [
                LogRecord(f"{day}-{number}", NOON - day * DAY, "checkout", "info", "hello " * 50)
                for day in range(14)
                for number in range(100)
            ]
        )
    health = look_at_sqlite(path, None, NOON)
    growth = health.disk.growth
    assert growth is not None
    assert (health.documents, growth.measured) == (1400, 7 * DAY)
    assert health.oldest == NOON - 13 * DAY
    # eight hundred of fourteen hundred documents in seven days
    assert growth.bytes_per_day == pytest.approx(health.size_bytes * 8 / 14 / 7, rel=0.2)
    assert 0 < health.disk.available_bytes < health.disk.total_bytes
    kept = look_at_sqlite(path, Retentions(Retention(14 * DAY)), NOON)
    assert kept.disk.days_until[WatermarkName.FLOOD_STAGE] is None
