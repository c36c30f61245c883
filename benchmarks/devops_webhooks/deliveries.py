"""Signed deliveries as GitHub sends them, ready as bytes of HTTP."""

import hashlib
import hmac
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECRET = "secret-of-the-benchmark-only"  # noqa: S105 - shared with nobody
START = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery, told by its number."""

    number: int
    request: bytes


def delivery(number: int, path: str) -> Delivery:
    """A deployment that succeeded; every third one a push of five commits instead."""
    kind, told = ("push", _push(number)) if number % 3 == 0 else ("deployment_status", _deployment(number))
    body = json.dumps(told).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-GitHub-Event: {kind}\r\nX-GitHub-Delivery: delivery-{number}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return Delivery(number, head.encode() + body)


def disturbed(count: int, path: str, seed: int) -> list[Delivery]:
    """All of them, a tenth twice, a twentieth at the end and out of order."""
    chance = random.Random(seed)
    numbers = range(count)
    late = chance.sample(numbers, count // 20)
    in_time = [number for number in numbers if number not in set(late)]
    for double in chance.sample(numbers, count // 10):
        in_time.insert(chance.randrange(len(in_time)), double)
    return [delivery(number, path) for number in (*in_time, *late)]


def _at(number: int) -> str:
    return (START + timedelta(seconds=number)).isoformat()


def _repository(number: int) -> dict[str, object]:
    name = f"service-{number % 20}"
    return {
        "id": number % 20,
        "name": name,
        "full_name": f"acme/{name}",
        "html_url": f"https://github.com/acme/{name}",
        "private": True,
        "owner": {"login": "acme", "id": 1, "type": "Organization"},
        "default_branch": "main",
    }


def _deployment(number: int) -> dict[str, object]:
    at = _at(number)
    told = {
        "id": number,
        "sha": f"{number:040x}",
        "ref": "main",
        "task": "deploy",
        "environment": "production",
        "created_at": at,
        "updated_at": at,
        "payload": {},
        "description": "Released by the pipeline",
        "creator": {"login": "ada", "id": 7, "type": "User", "html_url": "https://github.com/ada"},
        "production_environment": True,
    }
    status = {"id": number, "state": "success", "environment": "production", "created_at": at, "updated_at": at}
    return {
        "action": "created",
        "deployment": told,
        "deployment_status": {**status, "log_url": f"https://github.com/acme/runs/{number}", "description": ""},
        "repository": _repository(number),
    }


def _push(number: int) -> dict[str, object]:
    commits = [
        {
            "id": f"{number * 10 + position:040x}",
            "message": f"Change {position}\n\nBecause it was asked for.",
            "timestamp": _at(number),
            "url": f"https://github.com/acme/commit/{number * 10 + position:040x}",
            "author": {"name": "Ada", "email": "ada@example.org", "username": "ada"},
            "distinct": True,
            "modified": ["a.py", "b.py"],
        }
        for position in range(1, 6)
    ]
    return {
        "ref": "refs/heads/main",
        "before": f"{number:040x}",
        "after": commits[-1]["id"],
        "repository": _repository(number),
        "commits": commits,
        "head_commit": commits[-1],
    }
