"""Rollover and deletion by Sereno's own job, on a real server that has no lifecycle."""

from datetime import UTC, datetime, timedelta

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs.dead_letters import DATASET
from sereno_backends.logs.elasticsearch_template import index_template
from sereno_backends.logs.lifecycle import (
    Deletion,
    Lifecycle,
    LifecycleRun,
    Manager,
    Retention,
    Retentions,
    RollOver,
)
from sereno_backends.logs.lifecycle.streams import read_streams
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.proxy import Proxy, Refusal

pytestmark = marked
DAY = timedelta(days=1)


def make_stream(client: Elasticsearch, stream: str, *, description: str) -> None:
    """A stream of two indices with one document each."""
    settings = {"index.number_of_replicas": 0}
    client.indices.put_index_template(
        name=f"test-{stream}",
        index_patterns=[stream],
        data_stream={},
        priority=600,
        meta={"description": description},
        template={"settings": settings},
    )
    client.index(index=stream, op_type="create", document={"@timestamp": "2026-01-01T00:00:00Z"}, refresh=True)
    client.indices.rollover(alias=stream)
    client.index(index=stream, op_type="create", document={"@timestamp": "2026-01-02T00:00:00Z"}, refresh=True)


def lifecycle(client: Elasticsearch, retention: Retention, namespace: str, *, later: timedelta) -> Lifecycle:
    """The lifecycle as it will be seen some time from now."""
    return Lifecycle(client, "test", Retentions(retention, namespace=namespace), lambda: datetime.now(UTC) + later)


def indices(client: Elasticsearch, stream: str) -> list[str]:
    """Its backing indices, oldest first."""
    (found,) = client.indices.resolve_index(name=stream)["data_streams"]
    return list(found["backing_indices"])


def test_exactly_what_is_over_is_deleted(elasticsearch: ElasticsearchServer) -> None:
    """A dry look deletes nothing; a run deletes ended indices of our streams past their dataset's retention alone."""
    namespace = fresh_namespace()
    ours, longer, foreign = (f"logs-{dataset}-{namespace}" for dataset in ("ours", "longer", "foreign"))
    with Elasticsearch(elasticsearch.url) as client:
        for stream in (ours, longer):
            make_stream(client, stream, description="Logs written by Sereno (test)")
        make_stream(client, foreign, description="somebody else's")
        before = {stream: indices(client, stream) for stream in (ours, longer, foreign)}
        never = timedelta(days=9_000)
        retentions = Retentions(Retention(7 * DAY, never), {"longer": Retention(30 * DAY, never)}, namespace)

        def job(later: timedelta) -> Lifecycle:
            return Lifecycle(client, "test", retentions, lambda: datetime.now(UTC) + later)

        assert job(6 * DAY).run() == LifecycleRun()
        assert [each.index for each in job(8 * DAY).plan().actions if isinstance(each, Deletion)] == before[ours][:1]
        assert {stream: indices(client, stream) for stream in before} == before
        assert [each.index for each in job(8 * DAY).run().deleted] == before[ours][:1]
        assert indices(client, ours) == before[ours][1:]
        assert {stream: indices(client, stream) for stream in (longer, foreign)} == {
            stream: before[stream] for stream in (longer, foreign)
        }
        assert job(9 * DAY).run() == LifecycleRun()


def test_full_index_is_followed_by_the_next(elasticsearch: ElasticsearchServer) -> None:
    """An index that is larger than its limit is rolled over, and an empty one is left as it is."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        make_stream(client, stream, description="Logs written by Sereno (test)")
        small = Retentions(Retention(7 * DAY, rollover_bytes=1), namespace=namespace)
        job = Lifecycle(client, "test", small, lambda: datetime.now(UTC))
        (planned,) = job.plan().actions
        assert planned == RollOver(stream, ("max_primary_shard_size: 1b", "min_docs: 1"))
        assert len(indices(client, stream)) == 2, "a look begins no index"
        for _ in range(2):
            job.run()
            assert job.plan().actions == ()
            assert len(indices(client, stream)) == 3


def test_the_template_that_decides_says_whose_a_stream_is(elasticsearch: ElasticsearchServer) -> None:
    """A stream is Sereno's by the matching template of highest priority, not by any that matches."""
    namespace = fresh_namespace()
    taken_over, kept = f"logs-taken-{namespace}", f"logs-kept-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        for stream in (taken_over, kept):
            make_stream(client, stream, description="Logs written by Sereno (test)")
        for stream, priority in ((taken_over, 700), (kept, 10)):
            client.indices.put_index_template(
                name=f"admin-{stream}", index_patterns=[f"{stream}*"], data_stream={}, priority=priority
            )
        found = read_streams(client, namespace)
        assert {each.name: (each.is_ours, each.template) for each in found} == {
            kept: (True, f"test-{kept}"),
            taken_over: (False, f"admin-{taken_over}"),
        }
        run = lifecycle(client, Retention(DAY), namespace, later=30 * DAY).run()
        assert {each.stream for each in run.done} == {kept}


def test_one_refusal_keeps_no_other_index_from_its_turn(elasticsearch: ElasticsearchServer, proxy: Proxy) -> None:
    """A deletion that the server refuses is a failure with its reason; all other deletions are done."""
    namespace = fresh_namespace()
    streams = [f"logs-{dataset}-{namespace}" for dataset in ("a", "b", "c")]
    with Elasticsearch(elasticsearch.url) as direct:
        for stream in streams:
            make_stream(direct, stream, description="Logs written by Sereno (test)")
        before = {stream: indices(direct, stream) for stream in streams}
        refused = before[streams[1]][0]
        proxy.refuse = lambda asked: Refusal(400) if asked.method == "DELETE" and refused in asked.path else None
        with Elasticsearch(proxy.url) as client:
            run = lifecycle(client, Retention(DAY, rollover_age=9_000 * DAY), namespace, later=8 * DAY).run()
        assert {each.index for each in run.deleted} == {before[streams[0]][0], before[streams[2]][0]}
        assert [each.action.index for each in run.failures if isinstance(each.action, Deletion)] == [refused]
        assert "400" in run.failures[0].message


def test_a_stream_that_cannot_roll_over_keeps_nothing_from_being_deleted(
    elasticsearch: ElasticsearchServer, proxy: Proxy
) -> None:
    """Where the server refuses every rollover (at its shard limit, for one), what is over is deleted all the same."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with Elasticsearch(elasticsearch.url) as direct, Elasticsearch(proxy.url) as client:
        make_stream(direct, stream, description="Logs written by Sereno (test)")
        before = indices(direct, stream)
        proxy.refuse = lambda asked: Refusal(400) if "/_rollover" in asked.path else None
        run = lifecycle(client, Retention(DAY), namespace, later=8 * DAY).run()
        assert [each.index for each in run.deleted] == before[:1]
        assert [each.action for each in run.failures] == [RollOver(stream, ())]


def test_in_the_flood_stage_room_is_made(elasticsearch: ElasticsearchServer) -> None:
    """Indices that are read-only since the disk passed the flood stage are deleted when their time is over."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        make_stream(client, stream, description="Logs written by Sereno (test)")
        before = indices(client, stream)
        client.indices.put_settings(index=stream, settings={"index.blocks.read_only_allow_delete": True})
        try:
            run = lifecycle(client, Retention(DAY, rollover_bytes=1), namespace, later=8 * DAY).run()
        finally:
            client.indices.put_settings(index=stream, settings={"index.blocks.read_only_allow_delete": None})
        assert [each.index for each in run.deleted] == before[:1]


def test_closed_indices_are_deleted_when_their_time_is_over(elasticsearch: ElasticsearchServer) -> None:
    """An index that somebody closed has no figures, and doesn't keep its stream from its retention."""
    namespace = fresh_namespace()
    stream = f"logs-closed-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        make_stream(client, stream, description="Logs written by Sereno (test)")
        first, last = indices(client, stream)
        client.indices.close(index=first)
        assert [each.index for each in lifecycle(client, Retention(DAY), namespace, later=8 * DAY).run().deleted] == [
            first
        ]
        assert last in indices(client, stream)


def test_a_server_without_lifecycles_is_looked_after_by_sereno(elasticsearch: ElasticsearchServer) -> None:
    """The plan says who does it, what would be done, and what is left alone and why; planning changes nothing."""
    namespace = fresh_namespace()
    ours, foreign = (f"logs-{dataset}-{namespace}" for dataset in ("ours", "foreign"))
    with Elasticsearch(elasticsearch.url) as client:
        make_stream(client, ours, description="Logs written by Sereno (test)")
        make_stream(client, foreign, description="somebody else's")
        before = {stream: indices(client, stream) for stream in (ours, foreign)}
        plan = lifecycle(client, Retention(DAY), namespace, later=8 * DAY).plan()
        assert plan.manager is Manager.SERENO
        assert [each.index for each in plan.actions if isinstance(each, Deletion)] == before[ours][:1]
        assert {each.stream: each.reason for each in plan.left_alone} == {
            foreign: f"its index template test-{foreign} isn't Sereno's",
        }
        assert {stream: indices(client, stream) for stream in before} == before


@pytest.mark.parametrize(("days", "hours"), [(1, 1), (7, 24), (30, 168), (365, 720)])
def test_age_to_roll_over_follows_the_retention(days: int, hours: int) -> None:
    """Without a stated age, indices are as long as Elasticsearch's own lifecycle would make them."""
    assert Retention(days * DAY).age_to_roll_over == timedelta(hours=hours)


def test_dead_letters_have_a_retention(elasticsearch: ElasticsearchServer) -> None:
    """The stream of dead letters follows its own dataset's retention, else the default; its template is Sereno's."""
    namespace = fresh_namespace()
    stream = f"logs-sereno.dead_letter-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        client.indices.put_index_template(name=f"sereno-{stream}", **index_template(stream))
        for letter in ("first", "second"):
            document = {"@timestamp": "2026-01-01T00:00:00Z", "message": letter}
            client.index(index=stream, op_type="create", document=document, refresh=True)
            client.indices.rollover(alias=stream)
        before = indices(client, stream)

        def run(datasets: dict[str, Retention], later: timedelta) -> list[str]:
            retentions = Retentions(Retention(7 * DAY), datasets, namespace)
            job = Lifecycle(client, "test", retentions, lambda: datetime.now(UTC) + later)
            return [each.index for each in job.run().deleted]

        assert run({DATASET: Retention(90 * DAY)}, 8 * DAY) == []
        assert run({}, 6 * DAY) == []
        assert sorted(run({}, 8 * DAY)) == sorted(before[:-1])
        assert indices(client, stream)[0] == before[-1]
