"""What other systems send: signed webhooks of development platforms, Alertmanager's and PagerDuty's, and entries."""

import atexit
import base64
import hashlib
import hmac
import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from sereno_backends.devops import Disposition, Provider
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_collectors.devops.model import Source
from sereno_collectors.devops.receiver import ReceiverParts
from sereno_collectors.devops.receiver import create_receiver as create_devops_receiver
from sereno_postmortems.receiver import create_receiver as create_incident_receiver
from sereno_postmortems.store import IncidentStore

from benchmarks.fuzz.asking import Answered, App, Asked, ask, require_sound
from benchmarks.fuzz.target import ROOT, Target, require

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SECRET = "the-secret-of-the-fuzzing"  # noqa: S105 - shared with nobody
_SIGNING = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
_BASIC = "fuzz:the-password-of-the-fuzzing"
_SECRETS = {
    Provider.GITHUB: _SECRET,
    Provider.GITLAB: _SECRET,
    Provider.AZURE_DEVOPS: _BASIC,
    Provider.JENKINS: _BASIC,
    Provider.BITBUCKET: _SECRET,
    Provider.GENERIC: _SIGNING,
}
_HOST = (b"host", b"127.0.0.1:8000")


def scratch() -> Path:
    """A folder that is gone when the process is."""
    folder = Path(tempfile.mkdtemp(prefix="sereno-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _devops() -> tuple[App, SqliteDevOpsEventStore]:
    folder = scratch()
    for provider, secret in _SECRETS.items():
        (folder / provider.value).write_text(secret, encoding="utf-8")
    sources = [Source(each.value, each, (folder / each.value,)) for each in _SECRETS]
    store = SqliteDevOpsEventStore(folder / "devops.sqlite")
    store.prepare()
    return create_devops_receiver(ReceiverParts(sources, store, CollectorRegistry(), lambda: NOW)), store


def _proof(provider: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The credentials that the provider would send with this body."""
    match provider:
        case "github":
            return {"x-hub-signature-256": "sha256=" + hmac.new(_SECRET.encode(), body, "sha256").hexdigest()}
        case "bitbucket":
            return {"x-hub-signature": "sha256=" + hmac.new(_SECRET.encode(), body, "sha256").hexdigest()}
        case "gitlab":
            return {"x-gitlab-token": _SECRET}
        case "generic":
            sender, at = headers.get("webhook-id", ""), str(int(NOW.timestamp()))
            key = base64.b64decode(_SIGNING.removeprefix("whsec_"))
            signed = f"{sender}.{at}.".encode("latin-1", "replace") + body
            signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            return {"webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
        case _:
            return {"authorization": "Basic " + base64.b64encode(_BASIC.encode()).decode()}


def check_devops(data: bytes) -> None:
    """An authentic delivery is stored, ignored or refused with words; translators say what misfits."""
    provider, headers, body = _delivery(data)
    told = {"content-type": "application/json", **headers, **_proof(provider, headers, body)}
    lines = tuple(
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in told.items()
    )
    app, _ = _devops()
    answered = ask(app, Asked("POST", f"/api/v1/devops/{provider}".encode(), (_HOST, *lines), body))
    require_sound(answered)
    require(answered.status in (200, 202, 400, 401, 404, 413, 415, 422), f"answered {answered.status}")
    _, store = _devops()
    if answered.status == 202:  # noqa: PLR2004 - HTTP
        reason = str(json.loads(answered.body).get("reason", ""))
        require(not reason.startswith("the translator of"), f"a translator failed: {reason}")
        store.kept(Disposition.UNKNOWN_SCHEMA, limit=1)


def _delivery(data: bytes) -> tuple[str, dict[str, str], bytes]:
    """What a sample says: provider, headers, body; bytes that are none come as GitHub's body."""
    plain = {"x-github-event": "push", "x-github-delivery": hashlib.sha256(data).hexdigest()}
    try:
        told = json.loads(data)
        provider, headers = told["provider"], told["headers"]
        if provider in {each.value for each in _SECRETS} and isinstance(headers, dict):
            pairs = {str(name).lower(): _one_line(str(value)) for name, value in headers.items()}
            return provider, pairs, json.dumps(told["body"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return "github", plain, data


def _one_line(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def devops_samples() -> tuple[bytes, ...]:
    """Good deliveries of all providers, as JSON: provider, headers, body."""
    found = []
    for path in sorted((ROOT / "tests/collectors/devops/samples").glob("*/*.json")):
        if not path.name.endswith(".expected.json"):
            told: dict[str, Any] = json.loads(path.read_bytes())
            kept = {"provider": path.parent.name, "headers": told["headers"], "body": told["body"]}
            found.append(json.dumps(kept).encode())
    return tuple(found)


@cache
def _incidents() -> App:
    store = IncidentStore(scratch() / "incidents.sqlite")
    store.prepare()
    return create_incident_receiver(store, clock=lambda: NOW, pagerduty_secrets=lambda: [_SECRET])


def _post(path: str, body: bytes, *headers: tuple[bytes, bytes]) -> Answered:
    answered = ask(_incidents(), Asked("POST", path.encode(), (_HOST, *headers), body))
    require_sound(answered)
    return answered


def _get(path: str) -> Answered:
    answered = ask(_incidents(), Asked("GET", path.encode(), (_HOST,)))
    require_sound(answered)
    return answered


def check_incidents(data: bytes) -> None:
    """A body of any of the three kinds is taken or refused with words; what was taken can be shown."""
    _post("/api/v1/alertmanager", data)
    signature = "v1=" + hmac.new(_SECRET.encode(), data, "sha256").hexdigest()
    _post("/api/v1/pagerduty", data, (b"x-pagerduty-signature", signature.encode()))
    listed = json.loads(_get("/api/v1/incidents?limit=3").body)["incidents"]
    for incident in listed[:2]:
        _get(f"/incidents/{_quoted(incident['incident_id'])}")
        _post(f"/api/v1/incidents/{_quoted(incident['incident_id'])}/entries", data)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


_ALERT = {
    "status": "firing",
    "labels": {"alertname": "SLOErrorBudgetBurn", "severity": "critical", "service": "api", "slo": "availability"},
    "annotations": {"summary": "burning", "runbook_url": "https://example.org/r", "impact": "nobody can pay"},
    "startsAt": "2026-11-22T10:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.invalid/graph",
    "fingerprint": "00" * 8,
}
_WEBHOOK = {
    "version": "4",
    "groupKey": '{}:{service="api"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "incidents",
    "groupLabels": {"service": "api", "slo": "availability"},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.invalid",
    "alerts": [_ALERT],
}
_PERSON = {"id": "P1", "summary": "Ana", "type": "user_reference", "html_url": None, "self": None}
_EVENT = {
    "id": "E1",
    "event_type": "incident.acknowledged",
    "resource_type": "incident",
    "occurred_at": "2026-11-22T10:03:00Z",
    "agent": _PERSON,
    "client": None,
    "data": {
        "id": "C1",
        "type": "incident",
        "incident_key": hashlib.sha256(b'{}:{service="api"}').hexdigest(),
        "created_at": "2026-11-22T10:00:10Z",
        "assignees": [_PERSON],
        "html_url": "https://x.example/C1",
    },
}
_RESOLVED = {
    **_WEBHOOK,
    "status": "resolved",
    "alerts": [{**_ALERT, "status": "resolved", "endsAt": "2026-11-22T11:00:00Z"}],
}
_ENTRY = {
    "id": "e1",
    "kind": "mitigation",
    "text": "rolled back",
    "helped": True,
    "author": "Ana",
    "at": "2026-11-22T11:00:00Z",
}
INCIDENT_BODIES: Final = tuple(json.dumps(each).encode() for each in (_WEBHOOK, _RESOLVED))
_SEEDS = tuple(json.dumps(each).encode() for each in (_WEBHOOK, _RESOLVED, {"event": _EVENT}, _ENTRY))
_WORDS = (
    *(
        b'"firing"',
        b'"resolved"',
        b'"incident.resolved"',
        b'"incident.annotated"',
        b'"note"',
        b'"link"',
        b'"withdrawal"',
    ),
    *(
        b'"severity"',
        b'"impact"',
        b'"acknowledgement"',
        b'"corrects":"e1"',
        b'"alertname":"Watchdog"',
        b'"content":"x"',
    ),
)
TARGETS = (
    Target("devops-webhooks", "stored, ignored or refused; no translator fails", devops_samples(), (), check_devops),
    Target("incident-webhooks", "taken or refused; what was taken is shown", _SEEDS, _WORDS, check_incidents),
)
