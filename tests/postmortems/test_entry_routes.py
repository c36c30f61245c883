"""Entries and PagerDuty's events over HTTP: who may write, who the author is, and that hostile bodies do nothing."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from support.alertmanager import running_alertmanager
from support.http_sink import http_sink
from support.incidents import PAGE, TICKET, at, prometheus_alert, reported, running_receiver, webhook
from support.pagerduty import SECRET, event, signed
from support.waiting import wait_for

WEBHOOK = "/api/v1/alertmanager"
PAGERDUTY = "/api/v1/pagerduty"
BASE_ID = "2026-11-22-transactions-api-availability"
ENTRIES = f"/api/v1/incidents/{BASE_ID}/entries"
ANA, ALERTMANAGER = ("ana", "the-password-of-ana"), ("alertmanager", "its-own-password")
GROUP_KEY = str(webhook([reported(PAGE, at(10))])["groupKey"])
KEY = hashlib.sha256(GROUP_KEY.encode()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the guarded receiver has its files."""
    return tmp_path_factory.mktemp("guarded")


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[httpx.Client]:
    """A receiver with users and a secret of PagerDuty, with one incident on record."""
    hashes = {name: bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode() for name, word in (ANA, ALERTMANAGER)}
    (folder / "web.yml").write_text(json.dumps({"basic_auth_users": hashes}))
    (folder / "secret").write_text(f"{SECRET}\n")
    options = ("--web-config", folder / "web.yml", "--pagerduty-secret-file", folder / "secret")
    with (
        running_receiver(folder / "i.sqlite", *options, login=":".join(ANA) + "@") as server,
        httpx.Client(base_url=server.url.replace(":".join(ANA) + "@", ""), trust_env=False, timeout=20) as client,
    ):
        body = webhook([reported(PAGE, at(10), at(10, 40))])
        client.post(WEBHOOK, json=body, auth=ALERTMANAGER).raise_for_status()
        yield client
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A receiver without users, for everybody's address, with one incident on record."""
    with (
        running_receiver(tmp_path_factory.mktemp("open") / "i.sqlite", "--host", "0.0.0.0") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        client.post(WEBHOOK, json=webhook([reported(PAGE, at(10), at(10, 40))])).raise_for_status()
        yield client
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


def entries(client: httpx.Client, **auth: tuple[str, str]) -> list[dict[str, object]]:
    """What is on record."""
    found: list[dict[str, object]] = client.get(f"/api/v1/incidents/{BASE_ID}", **auth).json()["entries"]  # type: ignore[arg-type]
    return found


def test_users_guard_everything_and_are_the_authors(guarded: httpx.Client) -> None:
    """Nothing is read or written without a password, and nobody writes under another's name."""
    body = {"id": "u1", "kind": "acknowledgement"}
    for refused in (
        guarded.post(ENTRIES, json=body),
        guarded.get("/api/v1/incidents"),
        guarded.get(f"/api/v1/incidents/{BASE_ID}"),
        guarded.post(WEBHOOK, json=webhook([reported(TICKET, at(10))])),
        guarded.post(ENTRIES, json=body, auth=("ana", "guessed")),
    ):
        assert refused.status_code == 401
    written = guarded.post(ENTRIES, json=body, auth=ANA)
    assert (written.status_code, written.json()["outcome"]) == (200, "stored")
    assert written.json()["entry"]["author"] == "ana"
    assert guarded.post(ENTRIES, json={**body, "author": "ana"}, auth=ANA).json()["outcome"] == "duplicate"
    assert guarded.post(ENTRIES, json={**body, "id": "u2", "author": "ben"}, auth=ANA).status_code == 403
    assert guarded.post(
        ENTRIES, json={**body, "id": "u3"}, auth=ANA, headers={"origin": "https://evil.invalid"}
    ).is_error
    assert [one["author"] for one in entries(guarded, auth=ANA) if str(one["entry_id"]).startswith("u")] == ["ana"]


def test_pagerduty_shows_a_signature_instead_of_a_password(guarded: httpx.Client) -> None:
    """A signed acknowledgement is on record at PagerDuty's own time, once; unsigned ones and users' are refused."""
    raw, headers = signed(event("acknowledged", at(10, 3), key=KEY, agent="Eve", created_at=at(10, 0, 12)))
    unauthenticated = 'sereno_incident_pagerduty_events_total{outcome="unauthenticated"} '
    before = float(guarded.get("/metrics", auth=ANA).text.split(unauthenticated)[1].split("\n")[0])
    for wrong in (None, b"v1=" + b"0" * 64, "v1=ü".encode()):
        given = {} if wrong is None else {b"x-pagerduty-signature": wrong}
        assert guarded.post(PAGERDUTY, content=raw, headers=given, auth=ANA).status_code == 401
    outcomes = [guarded.post(PAGERDUTY, content=raw, headers=headers).json()["outcome"] for _ in range(2)]
    assert outcomes == ["stored", "duplicate"]
    (entry,) = (one for one in entries(guarded, auth=ANA) if one["author"] == "Eve")
    assert (entry["kind"], entry["happened_at"], entry["source"]) == (
        "acknowledgement",
        "2026-11-22T10:03:00Z",
        "pagerduty",
    )
    ping, headers = signed({"event": {"event_type": "pagey.ping"}})
    assert guarded.post(PAGERDUTY, content=ping, headers=headers).json() == {"outcome": "ignored"}
    assert f"{unauthenticated}{before + 3}" in guarded.get("/metrics", auth=ANA).text


def test_a_secret_is_rotated_without_a_restart(guarded: httpx.Client, folder: Path) -> None:
    """The new one counts as soon as it is in the file, the old one no more; while there is none PagerDuty repeats."""
    ping, old = signed({"event": {"event_type": "pagey.ping"}})
    _, new = signed({"event": {"event_type": "pagey.ping"}}, "a secret that was made later")
    path = folder / "secret"
    try:
        for content, statuses in (
            ("a secret that was made later", (401, 200)),
            ("short", (503, 503)),
            (SECRET, (200, 401)),
        ):
            path.write_text(content)
            answered = [guarded.post(PAGERDUTY, content=ping, headers=headers) for headers in (old, new)]
            assert tuple(one.status_code for one in answered) == statuses, content
            assert all(SECRET not in one.text for one in answered)
    finally:
        path.write_text(SECRET)


HOSTILE = {
    "empty": (b"", 400),
    "not UTF-8": (b"\xff\xfe", 400),
    "endless nesting": (b"[" * 200_000, 400),
    "a list": (b"[]", 422),
    "an operator for a text": (b'{"event":{"event_type":"incident.acknowledged","data":{"id":{"$gt":""}}}}', 422),
    "too large": (b'{"event":' + b" " * 1024 * 1024 + b"{}}", 413),
}


@pytest.mark.parametrize(("content", "status"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_4xx_on_both_ways(guarded: httpx.Client, content: bytes, status: int) -> None:
    """Even rightly signed or logged in, what isn't an event or an entry is told and changes nothing."""
    before = entries(guarded, auth=ANA)
    signature = "v1=" + hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
    assert guarded.post(PAGERDUTY, content=content, headers={"x-pagerduty-signature": signature}).status_code == status
    assert guarded.post(ENTRIES, content=content, auth=ANA).status_code == status
    assert entries(guarded, auth=ANA) == before


def test_markup_and_templates_in_entries_are_inert(guarded: httpx.Client) -> None:
    """Words come back as they were written, and no byte of an answer can be taken for markup."""
    text = "<script>alert(1)</script> {{7*7}} {% raw %} ${jndi:ldap://x} '\"`|"
    written = guarded.post(ENTRIES, json={"id": "m1", "kind": "note", "text": text}, auth=ANA)
    assert written.json()["entry"]["text"] == text
    shown = guarded.get(f"/api/v1/incidents/{BASE_ID}", auth=ANA)
    assert text in [one["text"] for one in shown.json()["entries"]]
    for response in (written, shown):
        assert b"<" not in response.content
        assert response.headers["x-content-type-options"] == "nosniff"


def test_without_users_only_this_machine_under_its_own_name_writes(unguarded: httpx.Client) -> None:
    """A page whose name was made to lead here (DNS rebinding), and callers without an author, are refused."""
    body = {"id": "h1", "kind": "note", "text": "words", "author": "ana"}
    for name in ("evil.invalid", "evil.invalid:80", "192.0.2.1", "127.0.0.1.evil.invalid", ""):
        refused = unguarded.post(ENTRIES, json=body, headers={"host": name, "origin": f"http://{name}"})
        assert refused.status_code in (400, 403), name
    forwarded = unguarded.post(ENTRIES, json=body, headers={"x-forwarded-for": "192.0.2.7"})
    assert forwarded.status_code == 403
    assert unguarded.post(ENTRIES, json={**body, "author": None}).status_code == 422
    assert entries(unguarded) == []
    assert unguarded.post(ENTRIES, json=body).json()["outcome"] == "stored"
    assert unguarded.post(ENTRIES, json={**body, "text": "others"}).status_code == 409
    assert unguarded.post("/api/v1/incidents/nix/entries", json={**body, "id": "h2"}).status_code == 404
    assert unguarded.post(PAGERDUTY, content=b"{}").status_code == 403
    assert len(entries(unguarded)) == 1


def test_an_acknowledgement_finds_the_page_that_alertmanager_sent_to_both(
    guarded: httpx.Client, tmp_path: Path
) -> None:
    """A real Alertmanager logs in here and pages PagerDuty; an acknowledgement under PagerDuty's key finds the page."""
    service = 'quo"ted <ü>'
    login = f"basic_auth: {{username: {ALERTMANAGER[0]}, password: {ALERTMANAGER[1]}}}"
    with http_sink() as web:
        config = tmp_path / "alertmanager.yml"
        config.write_text(
            "route: {receiver: page, group_by: [service, slo], group_wait: 0s}\n"
            "receivers:\n  - name: page\n"
            f"    pagerduty_configs: [{{routing_key: '{'k' * 32}', url: '{web.url}/v2/enqueue'}}]\n"
            f"    webhook_configs: [{{url: '{guarded.base_url}{WEBHOOK}', http_config: {{{login}}}}}]\n"
        )
        with running_alertmanager(config, tmp_path / "data") as alertmanager:
            alertmanager.post([prometheus_alert({**PAGE, "service": service}, at(10))])
            wait_for(lambda: web.to("/v2/enqueue") and _about(guarded, service), what="the page, here and there")
        (paged,) = web.to("/v2/enqueue")
    raw, headers = signed(event("acknowledged", at(10, 5), key=paged.body["dedup_key"], agent="Eve", call="PQ"))
    assert guarded.post(PAGERDUTY, content=raw, headers=headers).json() == {"outcome": "stored"}
    (incident,) = _about(guarded, service)
    assert [(one["kind"], one["author"]) for one in incident["entries"]] == [("acknowledgement", "Eve")]


def _about(client: httpx.Client, service: str) -> list[dict[str, Any]]:
    listed = client.get("/api/v1/incidents", auth=ANA).json()["incidents"]
    return [one for one in listed if one["service"] == service]
