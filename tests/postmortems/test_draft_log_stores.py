"""A draft reads the same log evidence from Elasticsearch as from the embedded store."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, LogStore, SqliteLogStore
from sereno_postmortems.draft import Fact, Measured, open_logs
from sereno_postmortems.draft.log_evidence import LogEvidence, ask_logs
from sereno_postmortems.draft.windows import windows_of
from sereno_postmortems.store import IncidentStore
from support.elasticsearch import ElasticsearchServer, fresh_namespace, marked
from support.incident_story import FAULT_MESSAGE, SERVICE, entry_time, log_records, minute, write_incident

T = TypeVar("T")

LATER = minute(150)


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=marked)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogStore]:
    """A real store that holds the story's logs."""
    opened: SqliteLogStore | ElasticsearchLogStore
    if request.param == "sqlite":
        opened = SqliteLogStore(tmp_path / "logs.sqlite")
    else:
        server: ElasticsearchServer = request.getfixturevalue("elasticsearch")
        opened = ElasticsearchLogStore(server.url, fresh_namespace())
    with closing(opened):
        assert not opened.write(list(log_records())).rejections
        yield opened


def _asked(store: LogStore, tmp_path: Path) -> LogEvidence:
    write_incident(tmp_path / "incidents.sqlite")
    incident = IncidentStore(tmp_path / "incidents.sqlite").incidents()[0]
    windows = windows_of(incident, first_sign=entry_time(62), now=LATER)
    return ask_logs(open_logs(store, LATER), (SERVICE,), windows)


def test_the_log_evidence_is_the_storys(store: LogStore, tmp_path: Path) -> None:
    """Deeds, error messages with their counts and traces, and the first error are the true ones."""
    evidence = _asked(store, tmp_path)
    deeds, errors = _known(evidence.deeds), _known(evidence.errors)
    first = _known(evidence.first_error)
    assert [deed.action for deed in deeds] == ["deployment", "fault_started", "fault_stopped"]
    assert errors[0].told.message == FAULT_MESSAGE
    assert (errors[0].told.count, errors[0].is_new) == (150, True)
    assert errors[0].told.first == minute(60, 1)
    assert errors[0].told.trace_id is not None
    assert _known(evidence.error_count) == 150 + len(_usual()) + 1  # and the critical one
    assert isinstance(first, LogRecord)
    assert first.timestamp == minute(60, 1)


def _usual() -> list[LogRecord]:
    """The error that is usual, as far as it lies in the evidence window: minutes 52 to 86."""
    return [r for r in log_records() if r.record_id.startswith("usual") and minute(52) <= r.timestamp < minute(86)]


def _known(fact: Fact[T]) -> T:
    assert isinstance(fact, Measured), fact
    return fact.value
