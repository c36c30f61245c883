"""What is on disk reaches the second store: all of it, once, through failures and restarts."""

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from elasticsearch import Elasticsearch
from prometheus_client import CollectorRegistry
from sereno_backends.devops import Delivery, Deployment
from sereno_backends.devops.documents import event_from_document
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_backends.logs import ElasticsearchLogStore, LogQuery, LogStore, LogStoreUnreachable, SqliteLogStore
from sereno_collectors.devops.forwarder import Forwarder
from sereno_collectors.devops.metrics import ForwarderMetrics
from support.devops import deployment_body, github, running_receiver, write_configuration
from support.devops_samples import samples
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.ports import free_port
from support.waiting import wait_for

DAY = datetime(2026, 11, 22, tzinfo=UTC)
ALL = LogQuery(DAY, DAY + timedelta(days=1), limit=1000)


@pytest.fixture
def outbox(tmp_path: Path) -> SqliteDevOpsEventStore:
    """A store with the events of all samples."""
    store = SqliteDevOpsEventStore(tmp_path / "devops.sqlite")
    store.prepare()
    store.record([found for one in samples() if isinstance(found := one.delivery(), Delivery)])
    return store


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=marked)])
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogStore]:
    """A log store of each kind."""
    opened: LogStore
    if request.param == "sqlite":
        opened = SqliteLogStore(tmp_path / "logs.sqlite")
    else:
        opened = ElasticsearchLogStore(request.getfixturevalue("elasticsearch").url, namespace=fresh_namespace())
    with closing(opened):
        yield opened


def forwarder(outbox: SqliteDevOpsEventStore, destination: LogStore, told: list[str] | None = None) -> Forwarder:
    """A forwarder with metrics of its own."""
    metrics = ForwarderMetrics(CollectorRegistry(), lambda: outbox.waiting(destination.name))
    return Forwarder(outbox, destination, metrics, (told if told is not None else []).append, scatter=lambda: 0)


def test_everything_arrives_once_and_unchanged(outbox: SqliteDevOpsEventStore, destination: LogStore) -> None:
    """Every event is found in the second store by its id, and its document leads back to it; forwarding again: none."""
    one = forwarder(outbox, destination)
    while one.forward_some():
        pass
    events = {each.event.event_id: each.event for each in outbox.events_after(0, limit=1000)}
    found = {record.record_id: event_from_document(record.document) for record in destination.search(ALL)}
    assert found == events
    assert outbox.waiting(destination.name) == 0
    assert one.forward_some() == 0


def test_deployments_are_found_by_their_action(outbox: SqliteDevOpsEventStore, destination: LogStore) -> None:
    """What timelines of postmortems ask a log store for has the deployments, with service and a sentence."""
    forwarder(outbox, destination).forward_some()
    found = destination.search(LogQuery(ALL.start, ALL.end, services=("checkout",), actions=("deployment",), limit=100))
    assert [record.message for record in found] == ["deployment of checkout 1.4.2 to production succeeded in acme/shop"]


class Amnesia(SqliteDevOpsEventStore):
    """A store that has lost its note of what was forwarded, as after a kill before it."""

    def forwarded(self, destination: str) -> int:  # noqa: ARG002 - the store's signature
        """Nothing that it knows of."""
        return 0


def test_killed_before_it_was_noted_it_is_sent_again_and_known(
    outbox: SqliteDevOpsEventStore, destination: LogStore
) -> None:
    """Forwarded and not noted down, the same events are duplicates in the second store, not copies."""
    forwarder(outbox, destination).forward_some()
    stored = destination.count(ALL)
    assert forwarder(Amnesia(outbox_path(outbox)), destination).forward_some() == stored
    assert destination.count(ALL) == stored


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_after_a_rollover_it_is_known_as_well(
    outbox: SqliteDevOpsEventStore, elasticsearch: ElasticsearchServer
) -> None:
    """Elasticsearch checks ids in the newest index only; events sent again after a rollover are no copies."""
    namespace = fresh_namespace()
    with (
        closing(ElasticsearchLogStore(elasticsearch.url, namespace=namespace)) as destination,
        closing(Elasticsearch(elasticsearch.url)) as client,
    ):
        forwarder(outbox, destination).forward_some()
        stored = destination.count(ALL)
        client.indices.rollover(alias=f"logs-devops-{namespace}")
        assert forwarder(Amnesia(outbox_path(outbox)), destination).forward_some() == stored
        assert destination.count(ALL) == stored > 0


def outbox_path(outbox: SqliteDevOpsEventStore) -> Path:
    """Where the store's file is."""
    return Path(outbox.name.rpartition(" ")[2])


def test_a_server_that_is_away_is_told_once_and_loses_nothing(outbox: SqliteDevOpsEventStore) -> None:
    """While nothing answers everything waits, told in one sentence; the number of what waits is the store's."""
    away = ElasticsearchLogStore(f"http://127.0.0.1:{free_port()}")
    told: list[str] = []
    stop = Event()
    with closing(away):
        thread = Thread(target=forwarder(outbox, away, told).run, args=(stop,))
        thread.start()
        wait_for(lambda: told, what="the trouble is told")
        stop.set()
        thread.join(10)
        with pytest.raises(LogStoreUnreachable):
            forwarder(outbox, away).forward_some()
        assert outbox.waiting(away.name) == len(outbox.events_after(0, limit=1000))
    assert len(told) == 1
    assert "nothing is lost" in told[0]


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_the_command_forwards_what_it_receives(
    elasticsearch: ElasticsearchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the server's address set, a delivery that was answered 200 is found in logs-devops-default."""
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", elasticsearch.url)
    number = int.from_bytes(os.urandom(3), "big")
    body = deployment_body(number)
    headers = github("deployment_status", f"d-{number}", body)
    with (
        running_receiver(write_configuration(tmp_path), tmp_path / "devops.sqlite") as server,
        closing(ElasticsearchLogStore(elasticsearch.url)) as store,
    ):
        sent = httpx.post(f"{server.url}/api/v1/devops/github", headers=headers, content=body, trust_env=False)
        assert sent.json() == {"outcome": "stored", "events": 1}

        def arrived() -> bool:
            found = store.search(LogQuery(ALL.start, ALL.end, actions=("deployment",), limit=1000))
            subjects = [event_from_document(record.document).subject for record in found]
            return any(isinstance(one, Deployment) and one.deployment_id == str(number) for one in subjects)

        wait_for(arrived, what="the event is in Elasticsearch")
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
    assert 'sereno_devops_forwarded_total{outcome="indexed"} 1.0' in metrics
