"""Drafts of postmortems on demand: measured by the portal's Prometheus, safe to read, one at a time."""

import io
import itertools
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sereno_backends.incidents import Incident
from sereno_portal import create_portal
from sereno_portal.pages.incidents import drafts
from sereno_portal.pages.incidents.drafts import Draft, DraftDesk
from sereno_postmortems.store import IncidentStore
from support.portal import END
from support.portal_visitor import Visitor, configured, incident_store, visitor
from support.prometheus import RunningProcess


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """With one open incident."""
    return incident_store(tmp_path / "incidents.sqlite")


def test_a_draft_is_measured(past: RunningProcess, store: IncidentStore) -> None:
    """As a page with its pictures, as Markdown, and packed with the pictures; the same figures in all of them."""
    incident_id = store.incidents()[0].incident_id
    asks = Visitor(create_portal(configured(store, prometheus=past.url)))
    page = asks.get(f"/incidents/{incident_id}/draft").text
    assert '<h2 id="timeline">Timeline</h2>' in page
    assert "&lt;!-- measured" not in page
    assert "<script>alert" not in page
    assert "Objective 99" in page
    plain = asks.get(f"/incidents/{incident_id}/draft.md")
    assert plain.headers["content-disposition"] == f'attachment; filename="{incident_id}.md"'
    assert "<!-- measured:impact" in plain.text
    packed = zipfile.ZipFile(io.BytesIO(asks.get(f"/incidents/{incident_id}/draft.zip").content))
    pictures = [name for name in packed.namelist() if name.endswith(".svg")]
    assert packed.read(f"{incident_id}.md").decode() == plain.text
    assert pictures
    for name in pictures:
        assert f'src="/incidents/{incident_id}/draft/{name}"' in page
        picture = asks.get(f"/incidents/{incident_id}/draft/{name}")
        assert picture.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in picture.headers["content-security-policy"]
    assert asks.get(f"/incidents/{incident_id}/draft/{incident_id}/other.svg").status_code == 404
    assert asks.get(f"/api/v1/incidents/{incident_id}/draft").json()["text"] == plain.text


def test_a_draft_without_sources_says_so(store: IncidentStore) -> None:
    """It is written all the same."""
    answer = visitor(store).get(f"/incidents/{store.incidents()[0].incident_id}/draft")
    assert answer.status_code == 200
    assert "A source is missing:" in answer.text


def test_an_own_template_with_mistakes_is_told(store: IncidentStore, tmp_path: Path) -> None:
    """The draft is Sereno's own then."""
    (tmp_path / "postmortems").mkdir()
    (tmp_path / "postmortems" / "template.md.j2").write_text("{{ nonsense }}", encoding="utf-8")
    asks = Visitor(create_portal(configured(store, root=tmp_path)))
    page = asks.get(f"/incidents/{store.incidents()[0].incident_id}/draft").text
    assert "PM10" in page
    assert "Lessons" in page


def test_one_draft_is_written_at_a_time(store: IncidentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes meanwhile doesn't wait for long, and makes no second one; it is kept for a minute."""
    monkeypatch.setattr(drafts, "WAIT_SECONDS", 0.05)
    incident = store.incidents()[0]
    may_end, made, now = threading.Event(), [], [0.0]

    def make(one: Incident) -> Draft:
        made.append(one.incident_id)
        assert may_end.wait(10)
        return Draft(one.incident_id, datetime.fromtimestamp(END, UTC), "text", {}, ())

    desk = DraftDesk(make, lambda: now[0])
    assert [desk.draft(incident) for _ in range(3)] == [None, None, None]
    may_end.set()
    monkeypatch.setattr(drafts, "WAIT_SECONDS", 10.0)
    first = desk.draft(incident)
    assert first is not None
    assert desk.draft(incident) is first
    assert len(made) == 1
    now[0] += drafts.KEPT_SECONDS
    assert desk.draft(incident) is not first


def test_a_crowd_keeps_no_threads(store: IncidentStore) -> None:
    """A few wait for the draft; the others are answered at once."""
    incident = store.incidents()[0]
    may_end = threading.Event()
    draft = Draft(incident.incident_id, datetime.fromtimestamp(END, UTC), "text", {}, ())
    desk = DraftDesk(lambda _: (may_end.wait(30), draft)[1], lambda: 0.0)
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(desk.draft, incident) for _ in range(12)]
        at_once = [one.result() for _, one in zip(range(8), as_completed(asked, timeout=10), strict=False)]
        may_end.set()
        answers = [one.result(timeout=10) for one in asked]
    assert at_once == [None] * 8
    assert [each for each in answers if each is not None] == [draft] * drafts.MOST_WAITING


def test_a_draft_that_fails_can_be_tried_again(store: IncidentStore) -> None:
    """The desk isn't blocked by it."""
    incident = store.incidents()[0]
    outcomes: list[Draft | None] = [None, Draft(incident.incident_id, datetime.fromtimestamp(END, UTC), "", {}, ())]

    def make(_: Incident) -> Draft:
        outcome = outcomes.pop(0)
        if outcome is None:
            raise RuntimeError("broken")
        return outcome

    now = [0.0]
    desk = DraftDesk(make, lambda: now[0])
    for _ in range(2):  # the second is whoever was told to look again
        with pytest.raises(RuntimeError, match="broken"):
            desk.draft(incident)
    now[0] += drafts.FAILURE_SECONDS
    assert desk.draft(incident) is not None


def test_a_draft_that_fails_is_told_to_who_asked_for_it(store: IncidentStore) -> None:
    """Whoever waits for another incident's draft meanwhile looks again, and gets the own one."""
    broken = store.incidents()[0]
    sound = replace(broken, incident_id="2023-11-14-another")
    has_begun, may_end = threading.Event(), threading.Event()

    def make(one: Incident) -> Draft:
        if one is sound:
            return Draft(one.incident_id, datetime.fromtimestamp(END, UTC), "text", {}, ())
        has_begun.set()
        assert may_end.wait(10)
        raise RuntimeError("broken")

    asked = itertools.count()
    have_asked = threading.Event()

    def monotonic() -> float:
        if next(asked) == 1:
            have_asked.set()
        return 0.0

    desk = DraftDesk(make, monotonic)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(desk.draft, broken)
        assert has_begun.wait(10)
        second = pool.submit(desk.draft, sound)
        assert have_asked.wait(10)
        may_end.set()
        assert second.result(timeout=10) is None
        with pytest.raises(RuntimeError, match="broken"):
            first.result(timeout=10)
    found = desk.draft(sound)
    assert found is not None
    assert found.incident_id == sound.incident_id
