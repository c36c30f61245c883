"""Who may write about an incident, and what becomes of it: once, under one's own name, by our own forms only."""

from pathlib import Path

import bcrypt
import pytest
from sereno_backends.incidents import IncidentEntry
from sereno_backends.serving import BasicAuth
from sereno_portal import create_portal
from sereno_postmortems.sources import HttpIncidents
from sereno_postmortems.store import IncidentStore
from support.portal_visitor import HOSTILE, OURS, Visitor, configured, hidden, incident_store, visitor
from support.ports import free_port

ANA = {"Authorization": "Basic YW5hOnNlc2FtZQ=="}  # ana:sesame
NOTE = {"kind": "note", "text": "looking at the pool", "author": "Ana"}


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """With one open incident."""
    return incident_store(tmp_path / "incidents.sqlite")


def address(store: IncidentStore) -> str:
    """Of the incident's page."""
    return f"/incidents/{store.incidents()[0].incident_id}"


def entries(store: IncidentStore) -> list[IncidentEntry]:
    """What is on record."""
    return list(store.incidents()[0].entries)


def form(asks: Visitor, store: IncidentStore, kind: str = "") -> dict[str, str]:
    """The hidden fields of a form of the incident's page."""
    return hidden(asks.get(address(store)).text, kind)


def test_an_entry_is_written_once(store: IncidentStore) -> None:
    """A form sent twice changes nothing the second time; the browser is led back to the page, which shows it."""
    asks = visitor(store)
    sent = {**form(asks, store), **NOTE, "text": HOSTILE}
    for _ in range(2):
        answer = asks.post(f"{address(store)}/entries", sent, Origin=f"http://{OURS}", Sec_Fetch_Site="same-origin")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address(store)}#happened")
    assert [(entry.author, entry.text) for entry in entries(store)] == [("Ana", HOSTILE)]
    page = asks.get(address(store)).text
    assert "Ana noted" in page
    assert "<script>alert" not in page
    assert 'value="Ana"' in page, "the name is remembered"


def test_an_incident_is_taken_on_and_mended(store: IncidentStore) -> None:
    """Take it on, try something, say later that it helped, take an entry back: each stands on record."""
    asks = visitor(store)

    def send(kind: str, /, **typed: str) -> None:
        fields = {**form(asks, store, kind), "author": "Ana", **typed}
        assert asks.post(f"{address(store)}/entries", fields).status_code == 303

    send("acknowledgement")
    assert "Ana is on it" in asks.get(address(store)).text
    send("", kind="mitigation", text="rolled back", helped="", at="2023-11-14T22:00")
    send("mitigation", helped="yes")
    mitigation, acknowledged = store.incidents()[0].standing_entries
    assert (mitigation.text, mitigation.helped, f"{mitigation.happened_at:%H:%M}") == ("rolled back", True, "22:00")
    assert "Ana tried: it helped" in asks.get(address(store)).text
    send("withdrawal", text="it was somebody else")
    assert acknowledged not in store.incidents()[0].standing_entries
    assert "Ana is on it" not in asks.get(address(store)).text


def test_what_is_refused_stays_in_the_form(store: IncidentStore) -> None:
    """With the reason, in the reader's language; nothing was written."""
    asks = visitor(store)
    sent = {**form(asks, store), "kind": "link", "text": "no <address>", "author": "Ana"}
    answer = asks.post(f"{address(store)}/entries?lang=es", sent)
    assert answer.status_code == 422
    assert "un enlace comienza con http:// o https://" in answer.text
    assert "required>no &lt;address&gt;</textarea>" in answer.text
    assert '<option value="link" selected>' in answer.text
    assert hidden(answer.text)["id"] == sent["id"]
    assert entries(store) == []


def test_words_outlive_an_incident_that_was_renumbered(store: IncidentStore) -> None:
    """The page tells the ids that look like it, and what was typed."""
    asks = visitor(store)
    answer = asks.post(f"{address(store)}-2/entries", {**form(asks, store), **NOTE})
    assert answer.status_code == 404
    assert address(store).rpartition("/")[2] in answer.text
    assert "looking at the pool" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_foreign_pages_write_nothing(store: IncidentStore, headers: dict[str, str]) -> None:
    """Neither by a form nor by JSON, whatever else is right."""
    asks = visitor(store)
    sent = {**form(asks, store), **NOTE}
    assert asks.post(f"{address(store)}/entries", sent, **headers).status_code == 403
    body = {"id": "a1", **NOTE}
    assert asks.post_json(f"/api/v1{address(store)}/entries", body, **headers).status_code == 403
    assert entries(store) == []


def test_only_a_form_that_was_shown_is_taken(store: IncidentStore) -> None:
    """Not without its token, nor with that of another browser, another incident or another user."""
    asks, other = visitor(store), visitor(store)
    sent = {**form(asks, store), **NOTE}
    foreign = {**sent, "token": form(other, store)["token"]}
    for wrong in ({**sent, "token": ""}, {**sent, "token": "ä"}, foreign):
        answer = asks.post(f"{address(store)}/entries", wrong)
        assert answer.status_code == 403
        assert "looking at the pool" in answer.text, "what was typed isn't lost"
    asks.cookies.clear()
    assert asks.post(f"{address(store)}/entries", sent).status_code == 403
    assert entries(store) == []


@pytest.mark.parametrize(
    ("address_of", "host", "headers"),
    [
        ("203.0.113.9", "sereno.example", {}),
        ("127.0.0.1", "evil.example", {}),
        ("127.0.0.1", OURS, {"X-Forwarded-For": "203.0.113.9"}),
    ],
    ids=["elsewhere", "a foreign name that leads here", "through a proxy"],
)
def test_strangers_only_look(store: IncidentStore, address_of: str, host: str, headers: dict[str, str]) -> None:
    """Without users, only programs of this machine write, under its own name; others are told so."""
    app = create_portal(configured(store, listens_locally=False))
    asks = Visitor(app, address=address_of, host=host, **headers)
    page = asks.get(address(store)).text
    assert '<form method="post"' not in page
    assert "people have to log in" in page
    assert asks.post(f"{address(store)}/entries", {"id": "a1", **NOTE}).status_code == 403
    assert asks.post_json(f"/api/v1{address(store)}/entries", {"id": "a1", **NOTE}).status_code == 403
    assert entries(store) == []


def test_who_logs_in_writes_under_that_name(store: IncidentStore) -> None:
    """From anywhere; another name is refused."""
    users = {"ana": bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()}
    asks = Visitor(
        BasicAuth(create_portal(configured(store)), lambda: users), address="203.0.113.9", host="sereno.example", **ANA
    )
    page = asks.get(address(store)).text
    assert 'name="author"' not in page
    answer = asks.post(f"{address(store)}/entries", {**hidden(page), "kind": "note", "text": "mine"})
    assert answer.status_code == 303
    written = asks.post_json(f"/api/v1{address(store)}/entries", {"id": "a1", "kind": "note", "text": "too"})
    assert written.json()["entry"]["author"] == "ana"
    refused = asks.post_json(f"/api/v1{address(store)}/entries", {"id": "a2", **NOTE})
    assert (refused.status_code, "you are ana" in refused.json()["error"]) == (403, True)
    assert {entry.author for entry in entries(store)} == {"ana"}


def test_a_proxy_of_this_machine_says_who_it_is(store: IncidentStore) -> None:
    """Of others the header means nothing, nor does one that came twice; without it nobody writes."""
    app = create_portal(configured(store, user_header="X-Forwarded-User", public_names=("sereno.example",)))
    ours = Visitor(app, host="sereno.example", X_Forwarded_User="Inés", X_Forwarded_For="203.0.113.9")
    page = ours.get(address(store)).text
    assert "Inés" in page
    sent = {**hidden(page), "kind": "note", "text": "mine"}
    assert ours.post(f"{address(store)}/entries", sent).status_code == 303
    nobody = Visitor(app, host="sereno.example")
    assert "come by the proxy" in nobody.get(address(store)).text
    elsewhere = Visitor(app, address="203.0.113.9", host="sereno.example", X_Forwarded_User="Inés")
    twice = Visitor(app, host="sereno.example", X_Forwarded_User="Inés\nana")
    for stranger in (nobody, elsewhere, twice):
        body = {"id": "a1", "kind": "note", "text": "not mine"}
        assert stranger.post_json(f"/api/v1{address(store)}/entries", body).status_code == 403
    assert [entry.author for entry in entries(store)] == ["Inés"]


REBOUND = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:19097", "192.0.2.1"]


@pytest.mark.parametrize("host", REBOUND)
def test_a_page_whose_name_leads_here_learns_nothing(store: IncidentStore, host: str) -> None:
    """Neither reads nor writes, whichever user it says to be; what probes ask is told."""
    body = {"id": "a1", "kind": "note", "text": "not theirs"}
    behind_proxy = {"user_header": "X-Forwarded-User", "public_names": ("sereno.example",)}
    for options in ({}, behind_proxy, {"public_names": ("sereno.example",), "listens_locally": False}):
        asks = Visitor(create_portal(configured(store, **options)), host=host, X_Forwarded_User="ana")
        for path in (address(store), f"/api/v1{address(store)}", "/static/portal.js"):
            answer = asks.get(path)
            assert answer.status_code == 421
            assert "--public-name" in answer.text
        assert asks.post_json(f"/api/v1{address(store)}/entries", body).status_code == 421
        assert asks.get("/health").status_code == 200
        assert asks.get("/metrics").status_code == 200
    assert entries(store) == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:19097", "127.0.0.1:1", "[::1]:19097", "Sereno.Example:8443"])
def test_own_names_are_served(store: IncidentStore, host: str) -> None:
    """Those of this machine without being told, and the public one; behind a proxy only this."""
    app = create_portal(configured(store, public_names=("sereno.example",)))
    assert Visitor(app, host=host).get(address(store)).status_code == 200
    proxied = configured(store, user_header="X-Forwarded-User", public_names=("sereno.example",))
    expected = 200 if host.startswith("Sereno") else 421
    assert Visitor(create_portal(proxied), host=host).get(address(store)).status_code == expected


def test_json_is_taken_by_the_same_rules(store: IncidentStore) -> None:
    """The same again changes nothing; what is wrong is told; other types than JSON aren't read."""
    asks = visitor(store)
    target = f"/api/v1{address(store)}/entries"
    body = {"id": "a1", **NOTE}
    assert [asks.post_json(target, body).json()["outcome"] for _ in range(2)] == ["stored", "duplicate"]
    assert asks.post_json(target, {**body, "text": "other"}).status_code == 409
    nameless = asks.post_json(target, {"id": "a2", "kind": "note", "text": "x"})
    assert (nameless.status_code, nameless.json()["problems"][0][:7]) == (422, "author:")
    assert asks.post(target, body).status_code == 415
    assert asks.post_json("/api/v1/incidents/2023-11-14-nothing/entries", body).status_code == 404
    assert asks.post_json(target, {"id": "a3", **NOTE, "text": "x" * 2_000_000}).status_code == 413
    assert len(entries(store)) == 1


def test_a_source_that_is_away_is_told_to_who_writes(store: IncidentStore) -> None:
    """503, and nothing pretends to be written."""
    asks = visitor(HttpIncidents(f"http://127.0.0.1:{free_port()}"))
    assert asks.post_json(f"/api/v1{address(store)}/entries", {"id": "a1", **NOTE}).status_code == 503
