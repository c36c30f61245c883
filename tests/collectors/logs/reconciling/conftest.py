"""Both stores with numbered documents, and the reader of each."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, LogStore, SqliteLogStore
from sereno_backends.logs.sequences import SequenceReader, open_sequence_reader
from support.elasticsearch import fresh_namespace, marked
from support.log_records import NOON

Emit = Callable[..., None]
"""`emit(numbers, at=seconds after noon, copy=…)`: the store takes these numbers of this test's source."""


@pytest.fixture
def source() -> str:
    """The name of this test's service and source."""
    return f"source-{uuid4().hex}"


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=marked)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the store is."""
    if request.param == "sqlite":
        return str(tmp_path / "logs.sqlite")
    url: str = request.getfixturevalue("elasticsearch").url
    return url


@pytest.fixture
def store(location: str) -> Iterator[LogStore]:
    """The empty store."""
    http = location.startswith("http")
    with closing(
        ElasticsearchLogStore(location, namespace=fresh_namespace()) if http else SqliteLogStore(location)
    ) as opened:
        opened.write(())
        yield opened


@pytest.fixture
def reader(location: str, store: LogStore) -> Iterator[SequenceReader]:
    """The store's sequence numbers."""
    assert store
    with closing(open_sequence_reader(location)) as opened:
        yield opened


@pytest.fixture
def emit(store: LogStore, source: str) -> Emit:
    """Write numbered documents to the store."""

    def write(numbers: list[int], *, at: float = 0, copy: str = "") -> None:
        document = {"service.node.name": source}
        store.write(
            [
                LogRecord(
                    f"{source}-{number}{copy}",
                    NOON + timedelta(seconds=at),
                    source,
                    "info",
                    "hello",
                    document={**document, "event.sequence": number},
                )
                for number in numbers
            ]
        )

    return write
