"""Runbooks as pages: found by names and words, filled in from an incident, never a file from elsewhere."""

import re
from pathlib import Path

import pytest
from sereno_portal import create_portal
from sereno_portal.pages.runbooks import library
from sereno_postmortems.store import IncidentStore
from support.incident_story import record
from support.incidents import reported, webhook
from support.portal import ROOT
from support.portal_visitor import LABELS, STARTED, Visitor, configured, incident_store, visitor


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """With one open incident."""
    return incident_store(tmp_path / "incidents.sqlite")


def test_every_runbook_has_its_page() -> None:
    """By alert and by service; each of them opens, and every link between them leads somewhere."""
    asks = visitor(None)
    index = asks.get("/api/v1/runbooks").json()
    there = {path.stem for path in (ROOT / "runbooks").glob("*.md")} - {"README"}
    assert {name for one in index["alerts"] for name in one["names"]} == there
    assert len(index["slos"]) == len(list((ROOT / "runbooks").glob("*/*.md")))
    known = {f"/runbooks/{'/'.join(one['names'])}" for one in (*index["alerts"], *index["slos"])}
    assert set(re.findall(r'href="(/runbooks/[^"]+)"', asks.get("/runbooks").text)) == known
    for name in ("/runbooks/SLONoData", "/runbooks/etl/delivery", "/runbooks/NodeMemoryPressure"):
        page = asks.get(name)
        assert page.status_code == 200
        assert '<h2 id="mitigation">Mitigation</h2>' in page.text
        assert '<a href="#mitigation">' in page.text
        assert set(re.findall(r'href="(/runbooks/[^"?]+)"', page.text)) <= known


def test_words_are_searched_in_all_of_them() -> None:
    """All words have to stand there; what is called so comes first; what nobody wrote isn't found."""
    asks = visitor(None)
    assert asks.get("/api/v1/runbooks?q=REDISdown").json()["alerts"][0]["names"] == ["RedisDown"]
    found = asks.get("/api/v1/runbooks?q=replica+redis").json()
    assert 0 < len(found["alerts"]) < len(asks.get("/api/v1/runbooks?q=redis").json()["alerts"])
    page = asks.get("/runbooks?q=<b>nowhere</b>").text
    assert "No runbook holds all of these words." in page
    assert 'value="&lt;b&gt;nowhere&lt;/b&gt;"' in page


def test_an_incident_fills_in_its_labels(store: IncidentStore) -> None:
    """Into queries; the SLO's own runbook is named first, and links keep the incident."""
    incident_id = store.incidents()[0].incident_id
    asks = visitor(store)
    assert f'<option value="{incident_id}">' in asks.get("/runbooks/SLOErrorBudgetBurn").text
    page = asks.get(f"/runbooks/SLOErrorBudgetBurn?incident={incident_id}").text
    assert "{service=&#34;transactions-api&#34;, slo=&#34;availability&#34;}" in page
    assert f'href="/runbooks/transactions-api/availability?incident={incident_id}"' in page
    told = asks.get(f"/api/v1/runbooks/SLOErrorBudgetBurn?incident={incident_id}").json()
    assert told["labels"]["job"] == "transactions-api"
    assert told["own"] == ["transactions-api", "availability"]
    own = asks.get(f"/runbooks/transactions-api/availability?incident={incident_id}").text
    assert f'href="/runbooks/SLOErrorBudgetBurn?incident={incident_id}"' in own


def test_hostile_labels_break_nothing(store: IncidentStore) -> None:
    """Quotes stay within the query, markup is text, and what can't be filled in is named."""
    labels = {**LABELS, "alertname": "SLOErrorBudgetBurn", "service": '"} or vector(1) #</code><script>'}
    group = {"service": labels["service"], "slo": labels["slo"]}
    record(store, webhook([reported(labels, STARTED)], groupLabels=group), STARTED)
    incident = next(one for one in store.incidents() if one.service == labels["service"])
    page = visitor(store).get(f"/runbooks/SLOErrorBudgetBurn?incident={incident.incident_id}").text
    assert "<script>" not in page
    assert "{service=&#34;\\&#34;} or vector(1) #&lt;/code&gt;&lt;script&gt;&#34;, slo=&#34;availability&#34;}" in page
    assert "<code>JOB</code>:\nthe incident doesn&#39;t say it" in page


def test_an_unknown_incident_leaves_the_runbook(store: IncidentStore) -> None:
    """As it is written, with a remark and the ids that look like it."""
    page = visitor(store).get("/runbooks/SLOErrorBudgetBurn?incident=2023-11-14-transactions")
    assert page.status_code == 200
    assert "no incident &#39;2023-11-14-transactions&#39;; nearest: 2023-11-14-transactions-api" in page.text
    assert "SERVICE" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/runbooks/..%2F..%2Fsereno",
        "/runbooks/%2e%2e/README",
        "/runbooks/../../pyproject.toml",
        "/runbooks/etl/..%2f..%2fREADME",
        "/runbooks/README",
        "/runbooks/%2Fetc%2Fpasswd",
        "/runbooks/etl%00/delivery",
        "/api/v1/runbooks/..%2FREADME",
    ],
)
def test_no_name_leads_out_of_the_folder(path: str) -> None:
    """Names are looked up among those that are there."""
    assert visitor(None).get(path).status_code == 404


def test_a_misspelt_name_has_neighbours() -> None:
    """404, with the names that look like it."""
    asks = visitor(None)
    assert "SLOErrorBudgetBurn" in asks.get("/runbooks/SLOErorBudgetBurn").text
    assert asks.get("/runbooks/etl/deliver").status_code == 404
    assert "etl/delivery" in asks.get("/runbooks/etl/deliver").text


def test_runbooks_that_change_are_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a folder that isn't there is told."""
    monkeypatch.setattr(library, "LOOK_SECONDS", 0.0)
    asks = Visitor(create_portal(configured(None, root=tmp_path)))
    assert "runbooks: No such file" in asks.get("/runbooks").text
    assert asks.get("/runbooks/Some").status_code == 503
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "Some.md").write_text("# Some\n\n## Meaning\n\nIt `hurts`.\n", encoding="utf-8")
    assert asks.get("/api/v1/runbooks").json()["alerts"] == [{"names": ["Some"], "summary": "It hurts."}]
