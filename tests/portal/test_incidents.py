"""The pages of incidents: what happened is told, escaped, in every language, also while the source is down."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.incidents import Incident
from sereno_portal import create_portal
from sereno_portal.web.languages import words_of
from sereno_postmortems.entries import Submission
from sereno_postmortems.pages.happenings import SAYINGS
from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents, IncidentSourceUnreachable
from sereno_postmortems.store import IncidentStore, Written
from support.incident_story import record
from support.incidents import reported, webhook
from support.portal_visitor import HOSTILE, LABELS, STARTED, Visitor, configured, incident_store, visitor
from support.ports import free_port


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """With one open incident."""
    return incident_store(tmp_path / "incidents.sqlite")


def test_an_incident_shows_what_matters_first(store: IncidentStore) -> None:
    """Impact, who is on it, where to look; nothing of the alert's texts is markup, and no link is a script."""
    incident_id = store.incidents()[0].incident_id
    page = visitor(store).get(f"/incidents/{incident_id}").text
    assert "Customers can&#39;t pay" in page
    assert "Nobody has taken it on yet." in page
    assert f'href="/runbooks/SLOErrorBudgetBurn?incident={incident_id}"' in page
    assert 'href="/services/transactions-api/availability"' in page
    assert 'href="https://grafana.example/d/x"' in page
    assert "javascript:" not in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    told = visitor(store).get(f"/api/v1/incidents/{incident_id}").json()
    assert (told["status"], told["severity"], told["taken"]) == ("open", "critical", None)
    assert told["incident"]["alerts"][0]["annotations"]["summary"].endswith(HOSTILE)
    assert told["links"] == {"runbook": "", "dashboard": "https://grafana.example/d/x", "logs": ""}


def test_open_incidents_come_first(store: IncidentStore) -> None:
    """Then the newest; a service or a state can be asked for, and what isn't there is told."""
    other = {**LABELS, "service": "etl", "slo": "delivery"}
    at = STARTED + timedelta(minutes=5)
    ended = reported(other, at, at + timedelta(minutes=3))
    record(store, webhook([ended], groupLabels={"service": "etl", "slo": "delivery"}), at + timedelta(minutes=4))
    asks = visitor(store)
    rows = asks.get("/api/v1/incidents").json()["rows"]
    assert [(row["subject"], row["is_open"]) for row in rows] == [
        ("transactions-api/availability", True),
        ("etl/delivery", False),
    ]
    assert [row["subject"] for row in asks.get("/api/v1/incidents?state=resolved").json()["rows"]] == ["etl/delivery"]
    assert asks.get("/api/v1/incidents?service=etl&state=open").json()["rows"] == []
    assert "There is no such incident." in asks.get("/incidents?service=nobody").text
    assert "● open" in asks.get("/incidents").text
    assert asks.get("/incidents?state=wrong").status_code == 422


def test_a_long_list_has_pages(store: IncidentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each incident stands on one of them; filters stay; beyond the last page is the last one."""
    monkeypatch.setattr("sereno_portal.pages.incidents.views.ROWS_A_PAGE", 2)
    for day in range(1, 5):
        at = STARTED - timedelta(days=day)
        record(store, webhook([reported(LABELS, at, at + timedelta(minutes=3))]), at + timedelta(minutes=4))
    asks = visitor(store)
    pages = [asks.get(f"/api/v1/incidents?page={number}").json() for number in (1, 2, 3, 9)]
    assert [(page["page"], page["pages"], len(page["rows"])) for page in pages] == [
        (1, 3, 2),
        (2, 3, 2),
        (3, 3, 1),
        (3, 3, 1),
    ]
    assert len({row["incident_id"] for page in pages for row in page["rows"]}) == 5
    second = asks.get("/incidents?service=transactions-api&page=2").text
    assert 'href="?service=transactions-api&amp;page=3"' in second
    assert "Page 2 of 3" in second
    assert asks.get("/incidents?page=0").status_code == 422


def test_an_unknown_incident_has_neighbours(store: IncidentStore) -> None:
    """404, with the ids that look like it."""
    incident_id = store.incidents()[0].incident_id
    answer = visitor(store).get(f"/incidents/{incident_id[:-1]}")
    assert answer.status_code == 404
    assert incident_id in answer.text


def test_every_happening_is_said_in_spanish(store: IncidentStore) -> None:
    """Names and texts within it stay as they are."""
    assert set(words_of("es")) >= SAYINGS
    page = visitor(store).get(f"/incidents/{store.incidents()[0].incident_id}?lang=es").text
    assert "critical se activa: 5 % fail &lt;script&gt;" in page


def test_a_source_that_is_away_takes_nothing_else_away() -> None:
    """The incidents' page says which and why; runbooks and health go on."""
    away = visitor(HttpIncidents(f"http://name:secret@127.0.0.1:{free_port()}"))
    answer = away.get("/incidents")
    assert answer.status_code == 503
    assert "can&#39;t be read" in answer.text
    assert "start `sereno incidents serve`" in answer.text
    assert "secret" not in answer.text
    assert away.get("/api/v1/incidents").json().keys() == {"error"}
    assert away.get("/runbooks/SLOErrorBudgetBurn").status_code == 200
    assert away.get("/health").status_code == 200


def test_nobody_has_named_a_source() -> None:
    """The page says how to name one."""
    answer = visitor(None).get("/incidents")
    assert answer.status_code == 200
    assert "sereno portal --incidents" in answer.text


class _GoesAway:
    """A database that can be taken away."""

    def __init__(self, store: IncidentStore) -> None:
        self._place = DatabaseIncidents(store)
        self.name = "the record"
        self.is_away = False

    def incidents(self) -> Sequence[Incident]:
        if self.is_away:
            raise IncidentSourceUnreachable("the record is away")
        return self._place.incidents()

    def write(self, incident_id: str, submission: Submission) -> Written:
        return self._place.write(incident_id, submission)


def test_what_was_known_is_shown_while_the_source_is_away(
    store: IncidentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the remark that it is old."""
    monkeypatch.setattr("sereno_portal.incident_shelf.FRESH_SECONDS", 0.0)
    place = _GoesAway(store)
    asks = Visitor(create_portal(configured(place)))
    assert "the record is away" not in asks.get("/incidents").text
    place.is_away = True
    page = asks.get("/incidents")
    assert page.status_code == 200
    assert "the record is away" in page.text
    assert "transactions-api/availability" in page.text
