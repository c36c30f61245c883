"""What a collector does for its store beside collecting."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from elasticsearch import Elasticsearch
from prometheus_client import CollectorRegistry
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, SqliteLogStore
from sereno_backends.logs.lifecycle import Retention, Retentions
from sereno_collectors.logs.housekeeping import LOOK_SECONDS, Chores, Housekeeping, HousekeepingMetrics, chores_of
from support.collecting import ALWAYS, Clock
from support.elasticsearch import ElasticsearchServer, fresh_namespace
from support.ports import free_port
from support.proxy import Proxy, Refusal, proxy_before

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


class House:
    """Housekeeping of one store, with a clock that goes on when a test says so."""

    def __init__(self, chores: Chores) -> None:
        self.registry = CollectorRegistry()
        self.reports: list[str] = []
        self.clock = Clock()
        metrics = HousekeepingMetrics(self.registry, self.clock, chores)
        self._work = Housekeeping(chores, metrics, self.reports.append, self.clock)

    def tidy(self, times: int = 1) -> None:
        """Do what is due, so many times, ten minutes apart."""
        for _ in range(times):
            self._work.tidy()
            self.clock.seconds += LOOK_SECONDS

    def figure(self, name: str, **labels: str) -> float | None:
        """A metric."""
        return self.registry.get_sample_value(f"sereno_collector_{name}", labels)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite store with a document of each of the last twenty days."""
    path = tmp_path / "logs.sqlite"
    with closing(SqliteLogStore(path)) as store:
        store.write([LogRecord(str(day), NOW - day * DAY, "checkout", "info", "hello") for day in range(20)])
    return path


def count(path: Path) -> int:
    """How many documents the store has."""
    with closing(SqliteLogStore(path)) as store:
        return store.count(ALWAYS)


def test_retention_is_done_every_hour_and_the_disk_looked_at_every_ten_minutes(path: Path) -> None:
    """Old documents go at once and then hourly; the disk's figures are there; both times of success are told."""
    later = [NOW]
    house = House(chores_of(str(path), Retentions(Retention(7 * DAY)), lambda: later[0], Event()))
    house.tidy()
    assert count(path) == 8
    later[0] += DAY
    house.tidy(5)
    assert count(path) == 8, "an hour isn't over"
    house.tidy()
    assert count(path) == 7
    folder = str(path.parent)
    size, free = (house.figure(f"store_disk_{name}_bytes", disk=folder) for name in ("size", "available"))
    assert size is not None
    assert free is not None
    assert 0 < free < size
    assert house.figure("store_disk_seconds_until_watermark", disk=folder, watermark="flood_stage") == float("inf")
    assert house.figure("housekeeping_last_success_timestamp_seconds", chore="retention") == 1000 + 3600
    assert house.figure("housekeeping_failures_total", chore="retention") == 0
    assert house.reports == []


def test_without_a_retention_file_nothing_is_deleted(path: Path) -> None:
    """No retention: the disk is looked at, every document stays, and no series speaks of retention."""
    house = House(chores_of(str(path), None, lambda: NOW, Event()))
    house.tidy(10)
    assert count(path) == 20
    assert house.figure("housekeeping_last_success_timestamp_seconds", chore="disk_look") == 1000 + 9 * LOOK_SECONDS
    assert house.figure("housekeeping_last_success_timestamp_seconds", chore="retention") is None


def test_a_failure_is_told_once_and_tried_again(path: Path) -> None:
    """A store that is gone is told once, counted each time, shows no figures, and is tidied when it is back."""
    away = path.rename(path.with_name("away.sqlite"))
    house = House(chores_of(str(path), Retentions(Retention(7 * DAY)), lambda: NOW, Event()))
    path.mkdir()
    house.tidy(3)
    assert len(house.reports) == 2
    assert house.reports[0].startswith("retention could not be done: ")
    assert house.figure("housekeeping_failures_total", chore="retention") == 3
    assert house.figure("housekeeping_failures_total", chore="disk_look") == 3
    assert house.figure("store_disk_size_bytes", disk=str(path.parent)) is None
    path.rmdir()
    away.rename(path)
    house.tidy()
    assert count(path) == 8
    assert house.figure("store_disk_size_bytes", disk=str(path.parent)) is not None


def test_a_bug_ends_no_collector() -> None:
    """Whatever a chore raises is counted and told, and the other one is done."""
    done: list[str] = []

    def broken() -> None:
        raise KeyError("nobody foresaw this")

    def look() -> tuple[()]:
        done.append("looked")
        return ()

    house = House(Chores(look, broken))
    house.tidy()
    assert done == ["looked"]
    assert house.figure("housekeeping_failures_total", chore="retention") == 1
    assert "KeyError('nobody foresaw this')" in house.reports[0]


@pytest.fixture
def old_index(elasticsearch: ElasticsearchServer) -> Iterator[tuple[Proxy, Retentions, str]]:
    """A proxy before a server with a stream of Sereno's, whose first index has a successor."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as store:
        store.write([LogRecord("1", NOW, "checkout", "info", "hello")])
        with Elasticsearch(elasticsearch.url) as client:
            client.indices.rollover(alias=stream)
        store.write([LogRecord("2", NOW, "checkout", "info", "hello")])
    with proxy_before(elasticsearch.url) as proxy:
        yield proxy, Retentions(Retention(7 * DAY), namespace=namespace), stream


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_elasticsearch_is_kept_in_order(
    elasticsearch: ElasticsearchServer, old_index: tuple[Proxy, Retentions, str]
) -> None:
    """A refused deletion is a failure that is told with its reason; the next time it is done, and the node is seen."""
    proxy, retentions, stream = old_index
    chores = chores_of(proxy.url, retentions, lambda: datetime.now(UTC) + 8 * DAY, Event())
    house = House(chores)
    proxy.refuse = lambda asked: Refusal(400) if asked.method == "DELETE" else None
    house.tidy()
    assert house.figure("housekeeping_failures_total", chore="retention") == 1
    assert house.reports[0].startswith("retention could not be done: 1 of its steps failed, the first one because ")
    proxy.refuse = lambda _: None
    house.tidy()
    with Elasticsearch(elasticsearch.url) as client:
        (found,) = client.indices.resolve_index(name=stream)["data_streams"]
        assert [name[-1] for name in found["backing_indices"]] == ["2"]
    assert house.figure("store_disk_watermark_bytes", disk="sereno", watermark="flood_stage") == 100 * 1024**2
    assert (house.figure("store_disk_seconds_until_watermark", disk="sereno", watermark="low") or 0) > 0
    chores.close()


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_rotated_credentials_are_used(
    old_index: tuple[Proxy, Retentions, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both chores go on with the new key as soon as its file changed; nobody restarts the collector."""
    proxy, retentions, _ = old_index
    file = tmp_path / "key"
    file.write_text("b2xk")
    monkeypatch.setenv("SERENO_ELASTICSEARCH_API_KEY_FILE", str(file))
    chores = chores_of(proxy.url, retentions, lambda: datetime.now(UTC) + 8 * DAY, Event())
    house = House(chores)
    proxy.refuse = lambda asked: None if asked.authorization == "ApiKey bmV3" else Refusal(401)
    house.tidy()
    assert house.figure("housekeeping_failures_total", chore="retention") == 1
    assert house.figure("housekeeping_failures_total", chore="disk_look") == 1
    file.write_text("bmV3")
    house.tidy()
    assert house.figure("housekeeping_failures_total", chore="retention") == 1
    assert house.figure("housekeeping_failures_total", chore="disk_look") == 1
    chores.close()


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_one_of_two_servers_is_down(elasticsearch: ElasticsearchServer) -> None:
    """With two addresses the chores are done by the one that answers."""
    addresses = f"http://127.0.0.1:{free_port()},{elasticsearch.url}"
    chores = chores_of(addresses, Retentions(Retention(7 * DAY), namespace=fresh_namespace()), lambda: NOW, Event())
    house = House(chores)
    house.tidy()
    assert house.reports == []
    chores.close()
