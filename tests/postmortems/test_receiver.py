"""The receiver as a process of its own: good deliveries are kept, bad ones are told, nothing is an internal error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.incidents import PAGE, SLO, TICKET, at, reported, running_receiver, webhook

WEBHOOK = "/api/v1/alertmanager"
BASE_ID = "2026-11-22-transactions-api-availability"
GOOD_ALERT = reported(PAGE, at(10))
MARKUP = "<script>alert(1)</script>&\"'`|\\\x00\n](javascript:x)"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of one receiver that no test of this module writes incidents into."""
    with (
        running_receiver(tmp_path_factory.mktemp("receiver") / "incidents.sqlite") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yield client
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a fresh receiver."""
    with (
        running_receiver(tmp_path / "incidents.sqlite") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yield client
        assert "Traceback" not in server.log.read_text(encoding="utf-8")


def metric(client: httpx.Client, name: str, **labels: str) -> float | None:
    """The value of one metric of the receiver; None if it isn't there."""
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def changed(**changes: Any) -> bytes:
    """A good body with something changed in it."""
    return json.dumps(webhook([GOOD_ALERT], **changes)).encode()


def alert_changed(**changes: Any) -> bytes:
    """A good body with something changed in its alert."""
    return changed(alerts=[{**GOOD_ALERT, **changes}])


HOSTILE = {
    "empty": (b"", 400),
    "not JSON": (b"hello", 400),
    "half a body": (changed()[:-20], 400),
    "a form": (b"a=1&b=2", 400),
    "not UTF-8": (b'{"version": "\xff\xfe"}', 400),
    "UTF-16": (changed().decode().encode("utf-16"), 400),
    "lone surrogate": (changed(receiver="\ud800"), 400),
    "endless nesting": (b'{"version":' + b"[" * 200_000, 400),
    "nested label": (b'{"alerts":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}", 400),
    "null": (b"null", 422),
    "a list": (b"[]", 422),
    "a number": (b"1e400", 422),
    "an empty object": (b"{}", 422),
    "a GitHub webhook": (b'{"action":"opened","repository":{"full_name":"a/b"}}', 422),
    "a Grafana webhook": (changed(version="1"), 422),
    "version as number": (changed(version=4), 422),
    "no alerts": (changed(alerts=[]), 422),
    "alerts null": (changed(alerts=None), 422),
    "a thousand empty alerts": (changed(alerts=[{}] * 1000), 422),
    "unknown status": (changed(status="maybe"), 422),
    "alert of unknown status": (alert_changed(status="silenced"), 422),
    "label value a number": (alert_changed(labels={"service": 1}), 422),
    "label value a list": (alert_changed(labels={"service": ["x"]}), 422),
    "no labels": (alert_changed(labels={}), 422),
    "no fingerprint": (alert_changed(fingerprint=""), 422),
    "start missing": (changed(alerts=[{k: v for k, v in GOOD_ALERT.items() if k != "startsAt"}]), 422),
    "start without zone": (alert_changed(startsAt="2026-11-22T10:00:00"), 422),
    "start a number": (alert_changed(startsAt=1795341600), 422),
    "start in year 1": (alert_changed(startsAt="0001-01-01T00:00:00Z"), 422),
    "start before the calendar": (alert_changed(startsAt="0001-01-01T00:00:00+14:00"), 422),
    "start after the calendar": (alert_changed(startsAt="9999-12-31T23:59:59-14:00"), 422),
    "start no date": (alert_changed(startsAt="yesterday"), 422),
    "end no date": (alert_changed(endsAt="2026-02-30T00:00:00Z", status="resolved"), 422),
    "endless number": (b'{"truncatedAlerts":' + b"9" * 5_000 + b"}", 400),
    "number beyond all counts": (changed(truncatedAlerts=10**400), 422),
    "negative truncation": (changed(truncatedAlerts=-1), 422),
    "group labels a list": (changed(groupLabels=["service"]), 422),
    "group key missing": (changed(groupKey=None), 422),
    "too large": (alert_changed(annotations={"summary": "x" * 1024 * 1024}), 413),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_wrong_body_is_told_and_changes_nothing(shared: httpx.Client, body: bytes, status: int) -> None:
    """Whatever isn't Alertmanager's gets the fitting 4xx with a JSON message, and no record comes of it."""
    response = shared.post(WEBHOOK, content=body, headers={"content-type": "application/json"})
    assert response.status_code == status, response.text
    assert len(response.json()["error"]) > 10
    assert len(response.content) < 10_000
    assert shared.get("/api/v1/incidents").json() == {"incidents": []}


def test_every_problem_of_a_body_is_told_with_its_place(shared: httpx.Client) -> None:
    """All findings come at once, each with where it is."""
    body = changed(version="3", alerts=[{**GOOD_ALERT, "startsAt": "x", "labels": {"service": 1}}])
    problems = shared.post(WEBHOOK, content=body).json()["problems"]
    assert [problem.split(":")[0] for problem in problems] == [
        "version",
        "alerts.0.labels.service",
        "alerts.0.startsAt",
    ]


def test_a_body_that_lies_about_its_length_is_cut_off(shared: httpx.Client) -> None:
    """A chunked body without a length is refused as soon as it is too large, not read to its end."""

    def chunks() -> Iterator[bytes]:
        for _ in range(2000):
            yield b"x" * 65536

    try:
        response = shared.post(WEBHOOK, content=chunks())
    except (httpx.WriteError, httpx.ReadError):  # it may hang up while we still write
        return
    assert response.status_code == 413


def test_a_web_page_of_another_origin_may_not_post(shared: httpx.Client) -> None:
    """A page that the on-call engineer visits can't write incidents into the receiver on the same machine."""
    for origin in ("https://evil.invalid", "null", "http://["):
        refused = shared.post(WEBHOOK, content=changed(), headers={"origin": origin, "content-type": "text/plain"})
        assert refused.status_code == 403
    assert shared.get("/api/v1/incidents").json() == {"incidents": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/incidents/nothing-of-that-name", 404),
        ("/api/v1/incidents/..%2f..%2fetc%2fpasswd", 404),
        ("/api/v1/incidents/%00", 404),
        ("/api/v1/incidents?status=firing'--", 422),
        ("/api/v1/incidents?limit=0", 422),
        ("/api/v1/incidents?limit=99999999999999999999999", 422),
        ("/nowhere", 404),
        (WEBHOOK, 405),
    ],
)
def test_wrong_questions_are_4xx_in_json(shared: httpx.Client, path: str, status: int) -> None:
    """Unknown ids, paths, methods and parameters are told as JSON, never an internal error."""
    response = shared.get(path)
    assert response.status_code == status, response.text
    assert response.json()


def test_a_delivery_becomes_a_record(receiver: httpx.Client) -> None:
    """A page is on record with its alert, its notification and its state; its resolution closes it."""
    assert receiver.post(WEBHOOK, json=webhook([reported(PAGE, at(10))])).json() == {"outcome": "stored"}
    incident = receiver.get(f"/api/v1/incidents/{BASE_ID}").json()
    assert (incident["status"], incident["severity"]) == ("open", "critical")
    assert (incident["service"], incident["slo"]) == (SLO["service"], SLO["slo"])
    assert incident["opened_at"] == "2026-11-22T10:00:00Z"
    assert incident["alerts"][0]["labels"] == PAGE
    assert incident["notifications"][0]["group_key"].startswith("{}")
    receiver.post(WEBHOOK, json=webhook([reported(PAGE, at(10), at(10, 30))]))
    receiver.post(WEBHOOK, json=webhook([reported(PAGE, at(12))]))
    listed = receiver.get("/api/v1/incidents").json()["incidents"]
    assert [(one["incident_id"], one["status"]) for one in listed] == [
        (f"{BASE_ID}-2", "open"),
        (BASE_ID, "resolved"),
    ]
    for status, expected in (("open", f"{BASE_ID}-2"), ("resolved", BASE_ID)):
        found = receiver.get("/api/v1/incidents", params={"status": status}).json()["incidents"]
        assert [one["incident_id"] for one in found] == [expected]
    assert metric(receiver, "sereno_incidents", status="open") == 1
    assert metric(receiver, "sereno_incidents", status="resolved") == 1
    near = receiver.get("/api/v1/incidents/2026-11-22-transactions-api-latency")
    assert near.status_code == 404
    assert BASE_ID in near.json()["nearest"]


def test_a_repeated_delivery_changes_nothing(receiver: httpx.Client) -> None:
    """The same content again, differently written, is a duplicate and leaves the record as it was."""
    body = webhook([reported(PAGE, at(10)), reported(TICKET, at(10, 1))])
    assert receiver.post(WEBHOOK, json=body).json() == {"outcome": "stored"}
    before = receiver.get(f"/api/v1/incidents/{BASE_ID}").json()
    rewritten = json.dumps(dict(reversed(body.items())) | {"alerts": body["alerts"][::-1]}, indent=2)
    assert receiver.post(WEBHOOK, content=rewritten).json() == {"outcome": "duplicate"}
    assert receiver.get(f"/api/v1/incidents/{BASE_ID}").json() == before
    assert metric(receiver, "sereno_incident_webhook_deliveries_total", outcome="duplicate") == 1
    assert metric(receiver, "sereno_incident_webhook_deliveries_total", outcome="stored") == 1


def test_the_watchdog_is_counted_and_makes_no_incident(receiver: httpx.Client) -> None:
    """The alert that always fires proves the way: counted, its time kept, no incident."""
    watchdog = reported({"alertname": "Watchdog", "severity": "none"}, at(1))
    body = webhook([watchdog], groupLabels={"alertname": "Watchdog"})
    assert [receiver.post(WEBHOOK, json=body).json()["outcome"] for _ in range(2)] == ["watchdog", "watchdog"]
    assert metric(receiver, "sereno_incident_webhook_deliveries_total", outcome="watchdog") == 2
    assert (metric(receiver, "sereno_incident_watchdog_last_received_timestamp_seconds") or 0) > 1.7e9
    assert receiver.get("/api/v1/incidents").json() == {"incidents": []}


def test_markup_in_labels_is_kept_and_inert(receiver: httpx.Client) -> None:
    """Label values come back unchanged as data, but no byte of an answer can be taken for markup."""
    labels = {**PAGE, "service": MARKUP, "<b>name</b>": MARKUP}
    body = webhook([reported(labels, at(10), annotations={"summary": MARKUP})], groupLabels={"service": MARKUP})
    assert receiver.post(WEBHOOK, json=body).status_code == 200
    for path in ("/api/v1/incidents", "/api/v1/incidents/2026-11-22-script-alert-1-script-javascript-x-availability"):
        response = receiver.get(path)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert b"<" not in response.content
    assert response.json()["alerts"][0]["labels"] == labels
    refused = receiver.post(WEBHOOK, content=alert_changed(labels={"<script>": 1}))
    assert refused.status_code == 422
    assert b"<" not in refused.content


def test_the_interface_describes_itself(shared: httpx.Client) -> None:
    """The documentation page is on and names every path."""
    assert shared.get("/docs").status_code == 200
    assert set(shared.get("/openapi.json").json()["paths"]) == {
        WEBHOOK,
        "/api/v1/incidents",
        "/api/v1/incidents/{incident_id}",
        "/api/v1/incidents/{incident_id}/entries",
        "/api/v1/pagerduty",
        "/incidents",
        "/incidents/{incident_id}",
        "/health",
        "/metrics",
    }


@pytest.mark.parametrize("starts_at", ["1970-01-01T00:30:00+01:00", "9000-12-31T23:30:00-01:00"])
def test_a_time_at_the_edge_of_the_calendar_spoils_no_record(receiver: httpx.Client, starts_at: str) -> None:
    """Its year is one that is taken, in UTC it is the one beside it: what was stored can be read."""
    alert = {**reported(PAGE, at(10)), "startsAt": starts_at}
    assert receiver.post(WEBHOOK, json=webhook([alert])).status_code == 200
    assert len(receiver.get("/api/v1/incidents").json()["incidents"]) == 1
    assert receiver.get("/incidents").status_code == 200
