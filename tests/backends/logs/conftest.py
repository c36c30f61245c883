"""Both stores under one name, and records to put into them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore, LogQuery, LogRecord, LogStore, SqliteLogStore
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.log_records import NOON, Ask, MakeRecord
from support.proxy import Proxy, proxy_before


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=marked)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogStore]:
    """An empty log store of each kind."""
    opened: LogStore
    if request.param == "sqlite":
        opened = SqliteLogStore(tmp_path / "logs.sqlite")
    else:
        server = request.getfixturevalue("elasticsearch")
        opened = ElasticsearchLogStore(server.url, namespace=fresh_namespace())
    opened.write(())
    yield opened
    opened.close()


@pytest.fixture
def record() -> MakeRecord:
    """Make a record; `at` is seconds after noon."""

    def make(record_id: str, message: str = "hello", *, at: float = 0, **more: Any) -> LogRecord:
        timestamp = NOON + timedelta(seconds=at)
        known = {"service": "checkout", "level": "info", **more}
        return LogRecord(record_id=record_id, timestamp=timestamp, message=message, **known)

    return make


@pytest.fixture
def ask() -> Ask:
    """Make a query over the hours around noon."""

    def make(**conditions: Any) -> LogQuery:
        window = {"start": NOON - timedelta(hours=1), "end": NOON + timedelta(hours=1)}
        return LogQuery(**{**window, **conditions})

    return make


@pytest.fixture
def namespace() -> str:
    """A namespace of this test alone."""
    return fresh_namespace()


@pytest.fixture
def client(elasticsearch: ElasticsearchServer) -> Iterator[Elasticsearch]:
    """The official client, to look behind the store."""
    with closing(Elasticsearch(elasticsearch.url)) as opened:
        yield opened


@pytest.fixture
def elastic_store(elasticsearch: ElasticsearchServer, namespace: str) -> Iterator[ElasticsearchLogStore]:
    """A store on the real server."""
    with closing(ElasticsearchLogStore(elasticsearch.url, namespace)) as opened:
        yield opened


@pytest.fixture
def proxy(elasticsearch: ElasticsearchServer) -> Iterator[Proxy]:
    """A proxy before the real server."""
    with proxy_before(elasticsearch.url) as running:
        yield running
