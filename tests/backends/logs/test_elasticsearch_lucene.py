"""Queries of Grafana's log panels, counted in a real Elasticsearch."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogStoreRefused, LogStoreUnreachable
from sereno_backends.logs.elasticsearch_lucene import ElasticsearchDocuments
from support.elasticsearch import ElasticsearchServer, marked
from support.log_records import NOON, MakeRecord
from support.ports import free_port

pytestmark = marked

HOUR = timedelta(hours=1)


@pytest.fixture
def documents(
    elasticsearch: ElasticsearchServer,
    elastic_store: ElasticsearchLogStore,
    client: Elasticsearch,
    namespace: str,
    record: MakeRecord,
) -> Iterator[ElasticsearchDocuments]:
    """Three lines of two services, as the log collector stores them."""
    elastic_store.write(
        [
            record("1", "user 7 is unknown", level="error"),
            record("2", "paid", at=10),
            record("3", "slow", service="users", level="warning", at=20),
        ]
    )
    client.indices.refresh(index=f"logs-*-{namespace}")  # as the server itself does every few seconds
    with ElasticsearchDocuments(elasticsearch.url, f"logs-*-{namespace}", {}) as opened:
        yield opened


COUNTS = {
    "": 3,
    "*": 3,
    'service.name:"checkout"': 2,
    'service.name:"checkout" AND log.level:(error OR warning)': 1,
    "log.level:(error OR warning)": 2,
    "message:unknown": 1,
    "service.name:nobody": 0,
}


def test_matching_documents_are_counted(documents: ElasticsearchDocuments) -> None:
    """By Lucene as people write it into a panel; empty is everything. Only the window counts."""
    assert {lucene: documents.count(lucene, NOON - HOUR, NOON + HOUR) for lucene in COUNTS} == COUNTS
    assert documents.count("*", NOON, NOON + timedelta(seconds=10)) == 1


def test_what_is_no_lucene_is_refused(documents: ElasticsearchDocuments) -> None:
    """The server's own words are told."""
    with pytest.raises(LogStoreRefused, match=r"(?i)parse"):
        documents.count("service.name:(", NOON - HOUR, NOON + HOUR)


def test_a_server_that_is_away_is_no_zero() -> None:
    """Nothing is called empty that wasn't asked."""
    with (
        closing(ElasticsearchDocuments(f"http://127.0.0.1:{free_port()}", "logs-*", {})) as nowhere,
        pytest.raises(LogStoreUnreachable),
    ):
        nowhere.count("*", NOON - HOUR, NOON + HOUR)
