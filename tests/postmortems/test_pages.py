"""The pages that a page's link leads to, from a real receiver."""

import html
import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from support.incidents import PAGE, SLO, at, reported, running_receiver, webhook

ID = "2026-11-22-transactions-api-availability"
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}"
ANNOTATIONS = {
    "summary": "Customers can't pay: transactions-api/availability is failing",
    "impact": "Customers can't pay",
    "description": "Half of the events were bad.\nMost by http_route: /pay (412).",
    "runbook_url": "https://git.example.org/runbooks/SLOErrorBudgetBurn.md",
    "dashboard_url": "javascript:alert(1)",
}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of one receiver that knows two incidents of an SLO, one open, and a hostile one."""
    with (
        running_receiver(tmp_path_factory.mktemp("pages") / "incidents.sqlite") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yesterday = reported(PAGE, at(1), at(2), annotations=ANNOTATIONS)
        now = reported(PAGE, at(10), annotations=ANNOTATIONS)
        evil = {**PAGE, "service": HOSTILE, "slo": "x"}
        for alert in (yesterday, now):
            client.post("/api/v1/alertmanager", json=webhook([alert])).raise_for_status()
        body = webhook([reported(evil, at(11), annotations={"summary": HOSTILE, "description": HOSTILE})])
        labels = {"service": HOSTILE, "slo": "x"}
        client.post("/api/v1/alertmanager", json=body | {"groupLabels": labels}).raise_for_status()
        yield client
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a person reads of it."""
    return " ".join(html.unescape(re.sub(r"<(style|title)>.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def write(client: httpx.Client, kind: str, text: str, **more: object) -> None:
    """Somebody writes down what they do."""
    entry = {"id": uuid4().hex, "kind": kind, "text": text, "author": "Ana", **more}
    client.post(f"/api/v1/incidents/{ID}-2/entries", json=entry).raise_for_status()


def test_the_link_of_a_page_leads_to_the_newest_incident_of_its_slo(receiver: httpx.Client) -> None:
    """As `incident_url` writes it."""
    answer = receiver.get("/incidents", params=SLO, follow_redirects=True)
    assert answer.url.path == f"/incidents/{ID}-2"
    text = words(answer.text)
    assert text.startswith("OPEN · transactions-api/availability Customers can't pay ")
    assert "Half of the events were bad." in text
    assert f'href="{ANNOTATIONS["runbook_url"]}"' in answer.text
    assert "javascript:" not in answer.text


def test_what_people_did_is_there_the_latest_first(receiver: httpx.Client) -> None:
    """First nobody is on it and the command stands there; then who is, what was tried, whether it helped."""
    assert "Nobody has taken it on yet" in receiver.get(f"/incidents/{ID}-2").text
    write(receiver, "acknowledgement", "")
    write(receiver, "mitigation", f"restarted {HOSTILE}", helped=False)
    write(receiver, "link", "https://tickets.example.org/1 the provider's", at="2026-11-22T10:01:00Z")
    page = receiver.get(f"/incidents/{ID}-2").text
    text = words(page)
    assert "Ana is on it since" in text
    assert "Ana tried: it didn't help" in text
    assert "restarted <script>" in text
    assert 'href="https://tickets.example.org/1"' in page
    assert text.index("Ana tried") < text.index("critical fires")


def test_one_that_is_over_says_how_long_it_lasted(receiver: httpx.Client) -> None:
    """And asks nobody to take it on."""
    text = words(receiver.get(f"/incidents/{ID}").text)
    assert text.startswith("RESOLVED · transactions-api/availability")
    assert "over after 1 h" in text
    assert "Nobody has taken it on" not in text


def test_all_incidents_the_newest_first(receiver: httpx.Client) -> None:
    """Each leads to its own page."""
    links = re.findall(r'href="(/incidents/[^"]+)"', receiver.get("/incidents").text)
    assert links[1:] == [f"/incidents/{ID}-2", f"/incidents/{ID}"]


def test_before_the_page_has_arrived_it_says_so(receiver: httpx.Client) -> None:
    """Whoever is faster than Alertmanager gets a page that looks again; a wrong id names those that look like it."""
    early = receiver.get("/incidents", params={"service": "checkout", "slo": "calls"})
    assert early.status_code == 200
    assert "No incident of checkout/calls yet" in words(early.text)
    assert 'http-equiv="refresh"' in early.text
    unknown = receiver.get(f"/incidents/{ID}-7")
    assert unknown.status_code == 404
    assert f'href="/incidents/{ID}"' in unknown.text


def test_markup_of_alerts_is_text_and_nothing_may_run(receiver: httpx.Client) -> None:
    """Not by escaping alone: the policy allows no script at all."""
    answer = receiver.get("/incidents", params={"service": HOSTILE, "slo": "x"}, follow_redirects=True)
    assert "<script" not in answer.text
    assert "{{ 7*7 }}" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert receiver.get("/incidents/<script>alert(1)</script>").text.count("<script") == 0
