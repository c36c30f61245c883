"""PagerDuty's webhook (version 3) as its documentation shows it, signed as PagerDuty signs."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

SECRET = "the secret that PagerDuty showed once"  # noqa: S105 - shared with nobody


def person(name: str) -> dict[str, Any]:
    """A reference to a user."""
    api = "https://api.pagerduty.com/users/PLH1HKV"
    return {"html_url": api, "id": "PLH1HKV", "self": api, "summary": name, "type": "user_reference"}


def event(
    kind: str,
    at: datetime,
    *,
    key: str = "",
    agent: str | None = "Tenex Engineer",
    call: str = "PGR0VU2",
    created_at: datetime | None = None,
    assignees: tuple[str, ...] = (),
    content: str = "",
    event_id: str | None = None,
) -> dict[str, Any]:
    """One event; `annotated` tells of a note, which holds its incident's id and no key."""
    incident = {
        "id": call,
        "type": "incident",
        "self": f"https://api.pagerduty.com/incidents/{call}",
        "html_url": f"https://acme.pagerduty.com/incidents/{call}",
        "number": 2,
        "status": "triggered",
        "incident_key": key,
        "created_at": (created_at or at).isoformat(),
        "title": "Customers can't pay",
        "service": {"id": "PF9KMXH", "summary": "API Service", "type": "service_reference"},
        "assignees": [person(name) for name in assignees],
        "escalation_policy": {"id": "PUS0KTE", "summary": "Default", "type": "escalation_policy_reference"},
        "teams": [],
        "priority": None,
        "urgency": "high",
        "conference_bridge": None,
        "resolve_reason": None,
    }
    note = {
        "incident": {"id": call, "summary": "Customers can't pay", "type": "incident_reference"},
        "id": "P7AA2Q9",
        "content": content,
        "trimmed": False,
        "type": "incident_note",
    }
    return {
        "event": {
            "id": event_id
            or hashlib.sha256(f"{kind} {at} {call} {agent} {key} {created_at} {content}".encode())
            .hexdigest()[:26]
            .upper(),
            "event_type": f"incident.{kind}",
            "resource_type": "incident",
            "occurred_at": at.isoformat(),
            "agent": None if agent is None else person(agent),
            "client": None,
            "data": note if kind == "annotated" else incident,
        }
    }


def signed(body: dict[str, Any], *secrets: str) -> tuple[bytes, dict[str, str]]:
    """The bytes and the headers; several secrets sign while they are rotated."""
    raw = json.dumps(body).encode()
    made = [hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest() for secret in secrets or (SECRET,)]
    signatures = ",".join(f"v1={one}" for one in made)
    return raw, {"x-pagerduty-signature": signatures, "content-type": "application/json"}
