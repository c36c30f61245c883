"""Both stores under one name, and records to put into them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogQuery, LogRecord, LogStore, SqliteLogStore
from support.elasticsearch import fresh_namespace, marked
from support.log_records import NOON, Ask, MakeRecord


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
