"""Rollover and deletion by Sereno's own job, on a real server that has no lifecycle."""

from datetime import UTC, datetime, timedelta

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs.lifecycle import Retention, RetentionJob, Retentions
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked

pytestmark = marked
DAY = timedelta(days=1)


def make_stream(client: Elasticsearch, stream: str, *, description: str, policy: str | None = None) -> None:
    """A stream of two indices with one document each."""
    settings = {"index.number_of_replicas": 0} | ({"index.lifecycle.name": policy} if policy else {})
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

        def job(later: timedelta) -> RetentionJob:
            return RetentionJob(client, "test", retentions, lambda: datetime.now(UTC) + later)

        assert job(6 * DAY).run() == ()
        assert [each.index for each in job(8 * DAY).planned()] == before[ours][:1]
        assert {stream: indices(client, stream) for stream in before} == before
        assert [each.index for each in job(8 * DAY).run()] == before[ours][:1]
        assert indices(client, ours) == before[ours][1:]
        assert {stream: indices(client, stream) for stream in (longer, foreign)} == {
            stream: before[stream] for stream in (longer, foreign)
        }
        assert job(9 * DAY).run() == ()


def test_full_index_is_followed_by_the_next(elasticsearch: ElasticsearchServer) -> None:
    """An index that is larger than its limit is rolled over, and an empty one is left as it is."""
    namespace = fresh_namespace()
    stream = f"logs-app-{namespace}"
    with Elasticsearch(elasticsearch.url) as client:
        make_stream(client, stream, description="Logs written by Sereno (test)")
        small = Retentions(Retention(7 * DAY, rollover_bytes=1), namespace=namespace)
        job = RetentionJob(client, "test", small, lambda: datetime.now(UTC))
        for _ in range(2):
            job.run()
            assert len(indices(client, stream)) == 3


@pytest.mark.parametrize(("days", "hours"), [(1, 1), (7, 24), (30, 168), (365, 720)])
def test_age_to_roll_over_follows_the_retention(days: int, hours: int) -> None:
    """Without a stated age, indices are as long as Elasticsearch's own lifecycle would make them."""
    assert Retention(days * DAY).age_to_roll_over == timedelta(hours=hours)
