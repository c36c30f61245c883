"""Incidents as documents and from elsewhere: what isn't one is refused before anything is done with it."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sereno_backends.incidents import EntryKind
from sereno_postmortems.documents import NotAnIncident, incident_document, incident_from_document
from sereno_postmortems.entries import Submission
from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents, UnknownIncident, find_incident
from sereno_postmortems.store import IncidentStore
from support.incident_story import write_incident


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """A record of one incident."""
    write_incident(tmp_path / "i.sqlite")
    return IncidentStore(tmp_path / "i.sqlite")


def test_a_document_is_the_incident_and_back(store: IncidentStore) -> None:
    """Nothing is lost on the way through JSON, and what is derived is there for readers."""
    (incident,) = store.incidents()
    document = incident_document(incident)
    assert incident_from_document(document) == incident
    assert (document["status"], document["severity"], document["alerts"][0]["name"]) == (
        "resolved",
        "critical",
        "SLOErrorBudgetBurn",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"incident_id": "../../etc/cron.d/x"},
        {"incident_id": "2026-11-22-a/b"},
        {"incident_id": "2026-11-22-a\n"},
        {"incident_id": ""},
        {"incident_id": None},
        {"opened_at": "2026-11-22T10:00:00"},
        {"opened_at": "never"},
        {"opened_at": "2026-11-22T10:00:00+05:00"},
        {"opened_at": "0001-01-01T00:00:00Z"},
        {"resolved_at": "2026-11-22T10:00:00"},
        {"alerts": []},
        {"alerts": [{}]},
        {"alerts": None},
        {"notifications": [{"received_at": "x"}]},
        {"group_labels": ["a"]},
    ],
)
def test_a_document_that_is_no_incident_is_refused(store: IncidentStore, change: Mapping[str, Any]) -> None:
    """An id that could leave its folder, a time without zone, another shape: refused with the place."""
    document = incident_document(store.incidents()[0])
    with pytest.raises(NotAnIncident, match=next(iter(change))):
        incident_from_document({**document, **change})


def test_unknown_ids_come_with_ids_to_choose_from(store: IncidentStore) -> None:
    """Near ids first; when nothing is near, the latest ones."""
    source = DatabaseIncidents(store)
    (incident,) = source.incidents()
    assert find_incident(source, "latest") == find_incident(source, incident.incident_id) == incident
    for asked in (incident.incident_id[:-3], "zzz"):
        with pytest.raises(UnknownIncident) as caught:
            find_incident(source, asked)
        assert caught.value.nearest == (incident.incident_id,)


def test_an_answer_that_got_lost_is_asked_for_again() -> None:
    """A connection that ends without an answer is no reason to give up: the very same entry goes again."""
    asked: list[dict[str, Any]] = []

    class Forgetful(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if len(asked) == 1:
                self.close_connection = True
                return
            entry = {"entry_id": asked[-1]["id"], "kind": "note", "author": "ana", "text": "words"}
            moments = {"happened_at": "2026-11-22T10:00:00Z", "written_at": "2026-11-22T10:00:00Z"}
            answer = json.dumps({"outcome": "duplicate", "entry": entry | moments}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forgetful) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            place = HttpIncidents(f"http://127.0.0.1:{server.server_address[1]}")
            note = Submission("e1", EntryKind.NOTE, "words", "ana", None)
            assert place.write("2026-11-22-shop", note).entry.entry_id == "e1"
        finally:
            server.shutdown()
            thread.join()
    assert [one["id"] for one in asked] == ["e1", "e1"]
