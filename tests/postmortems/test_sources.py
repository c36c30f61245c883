"""Incidents as documents and from elsewhere: what isn't one is refused before anything is done with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sereno_postmortems.documents import NotAnIncident, incident_document, incident_from_document
from sereno_postmortems.sources import DatabaseIncidents, UnknownIncident, find_incident
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
