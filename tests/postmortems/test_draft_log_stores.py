"""A draft reads the same log evidence from Elasticsearch as from the embedded store."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pytest
from sereno_backends.kibana import Kibana
from sereno_backends.logs import ElasticsearchLogStore, LogRecord, LogStore, SqliteLogStore
from sereno_postmortems.draft import Fact, Measured, open_logs
from sereno_postmortems.draft.client_evidence import ask_clients
from sereno_postmortems.draft.log_evidence import COMPARED_MESSAGES, LogEvidence, ask_logs
from sereno_postmortems.draft.markdown import own_address
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


def _asked(store: LogStore, tmp_path: Path, kibana: Kibana | None = None) -> LogEvidence:
    write_incident(tmp_path / "incidents.sqlite")
    incident = IncidentStore(tmp_path / "incidents.sqlite").incidents()[0]
    windows = windows_of(incident, first_sign=entry_time(62), now=LATER)
    return ask_logs(open_logs(store, LATER, kibana), (SERVICE,), windows)


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


def test_kinds_of_messages_are_compared_with_before(store: LogStore, tmp_path: Path) -> None:
    """Messages that differ in numbers only are counted as one, before the incident as well."""
    store.write(
        [
            *(_error(f"n{number}", f"payment {number} refused", minute(62, number)) for number in range(40)),
            *(_error(f"b{number}", f"payment {number + 90} refused", minute(20, number)) for number in range(7)),
            *(_error(f"k{number}", f"row {number} is locked", minute(70, number)) for number in range(5)),
        ]
    )
    evidence = _asked(store, tmp_path)
    found = {error.told.fingerprint.template: error for error in _known(evidence.errors)}
    payment, row = found["payment <num> refused"], found["row <num> is locked"]
    assert (payment.told.count, payment.told.different_messages, payment.usual_count) == (40, 40, 7)
    assert (row.told.count, row.is_new, row.told.first) == (5, True, minute(70))
    assert evidence.are_errors_complete
    assert isinstance(evidence.errors, Measured)
    assert len(evidence.errors.sources) == 2, "both windows are named as sources"


def test_clients_are_found_in_both_stores(store: LogStore, tmp_path: Path) -> None:
    """Whoever calls is counted by the first field that names a client, however its keys are spelled."""
    store.write(
        [
            *(_called(f"c{n}", minute(62, n), {"client.ip": "203.0.113.9"}, 401) for n in range(30)),
            *(_called(f"u{n}", minute(63, n), {"user": {"name": "ana"}}, 200) for n in range(10)),
            *(_called(f"b{n}", minute(20, n), {"client": {"ip": "203.0.113.9"}}, 200) for n in range(5)),
        ]
    )
    write_incident(tmp_path / "incidents.sqlite")
    incident = IncidentStore(tmp_path / "incidents.sqlite").incidents()[0]
    windows = windows_of(incident, first_sign=entry_time(62), now=LATER)
    found = _known(ask_clients(open_logs(store, LATER), (SERVICE,), windows))
    assert [(one.field, one.who, one.lines, one.refused, one.usual_lines) for one in found.busiest] == [
        ("client.ip", "203.0.113.9", 30, 30, 5),
        ("user.name", "ana", 10, 0, 0),
    ]
    assert (found.named, found.usual_named, found.distinct) == (40, 5, 2)
    assert found.read == found.total


def test_counts_of_very_many_messages_are_lower_bounds(store: LogStore, tmp_path: Path) -> None:
    """More different messages than are asked for: the draft knows that a kind may have come more often."""
    store.write([_error(f"n{number}", f"row {number} is locked", minute(62)) for number in range(COMPARED_MESSAGES)])
    evidence = _asked(store, tmp_path)
    assert not evidence.are_errors_complete
    assert _known(evidence.errors)[0].told.count <= COMPARED_MESSAGES


def test_the_errors_are_linked_in_kibana(store: LogStore, tmp_path: Path) -> None:
    """With Kibana's address there is a link to the errors of the evidence window; without it there is none."""
    assert _asked(store, tmp_path).errors_link is None
    link = _asked(store, tmp_path, Kibana("https://kibana.example.org")).errors_link
    assert link is not None
    told = unquote(link)
    assert f"time:(from:'{minute(52):%Y-%m-%dT%H:%M:%S}.000Z',to:'{minute(86):%Y-%m-%dT%H:%M:%S}.000Z')" in told
    assert f'service.name: "{SERVICE}" and log.level: ("error" or "critical" or "fatal")' in told
    assert own_address(link) == f"`{link}`"


def _called(record_id: str, at: datetime, client: dict[str, object], code: int) -> LogRecord:
    document = {**client, "http.response.status_code": code}
    return LogRecord(record_id, at, SERVICE, "info", "GET /payments", document=document)


def _error(record_id: str, message: str, at: datetime) -> LogRecord:
    return LogRecord(record_id, at, SERVICE, "error", message)


def _usual() -> list[LogRecord]:
    """The error that is usual, as far as it lies in the evidence window: minutes 52 to 86."""
    return [r for r in log_records() if r.record_id.startswith("usual") and minute(52) <= r.timestamp < minute(86)]


def _known(fact: Fact[T]) -> T:
    assert isinstance(fact, Measured), fact
    return fact.value
