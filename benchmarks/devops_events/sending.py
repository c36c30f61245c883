"""A platform that sends to two nodes: a part of its deliveries twice, and again whatever wasn't answered."""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import httpx

_AT_ONCE = 48
_ATTEMPTS = 60
_PAUSE_SECONDS = 0.25
_FIRST_FAILURE = 500
REPOSITORY: Final = "acme/benchmark"
"""Whose commits these are; the system's own generator knows others."""


@dataclass(slots=True)
class Sent:
    """What was sent, and what was answered."""

    answers: dict[str, int] = field(default_factory=dict)
    """How often each outcome was told: accepted, duplicate."""
    repeated: int = 0
    """Attempts that got no answer, or 5xx, and were made again."""
    given_up: int = 0


def plan(count: int, doubles: float, seed: int) -> Iterator[tuple[int, ...]]:
    """Numbers that go out together: most alone, half of the doubles at the same moment, half of them later."""
    random = Random(seed)
    later: list[tuple[int, int]] = []
    for number in range(count):
        double = random.random() < doubles
        if double and random.random() < 0.5:  # noqa: PLR2004
            yield number, number
        else:
            yield (number,)
            if double:
                later.append((number + random.randrange(10, 2000), number))
        while later and later[0][0] <= number:
            yield (later.pop(0)[1],)
    yield from ((number,) for _, number in later)


def send(urls: Sequence[str], secret: bytes, plan: Iterator[tuple[int, ...]], progress: Callable[[int], None]) -> Sent:
    """Send all; `progress` is told how many have been answered."""
    return asyncio.run(_send(urls, secret, plan, progress))


async def _send(
    urls: Sequence[str], secret: bytes, plan: Iterator[tuple[int, ...]], progress: Callable[[int], None]
) -> Sent:
    sent, turns, answered = Sent(), itertools.count(), itertools.count(1)
    limits = httpx.Limits(max_connections=2 * _AT_ONCE, max_keepalive_connections=2 * _AT_ONCE)
    async with httpx.AsyncClient(timeout=10, trust_env=False, limits=limits) as client:

        async def deliver(number: int) -> None:
            headers, body = _delivery(number, secret)
            for attempt in range(_ATTEMPTS):
                url = urls[next(turns) % len(urls)]
                try:
                    answer = await client.post(f"{url}/webhooks/github", content=body, headers=headers)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code < _FIRST_FAILURE:
                    outcome = str(answer.json().get("outcome", answer.status_code))
                    sent.answers[outcome] = sent.answers.get(outcome, 0) + 1
                    return
                sent.repeated += 1
                await asyncio.sleep(_PAUSE_SECONDS * min(attempt + 1, 4))
            sent.given_up += 1

        async def work() -> None:
            for together in plan:
                await asyncio.gather(*(deliver(number) for number in together))
                progress(next(answered))

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return sent


def _delivery(number: int, secret: bytes) -> tuple[dict[str, str], bytes]:
    """A push of a commit of its own, signed as GitHub signs it."""
    sha = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
    commit = {
        "id": sha,
        "message": f"change {number}",
        "timestamp": "2026-11-26T12:00:00Z",
        "author": {"name": "Ada", "email": "ada@example.org", "username": "ada"},
    }
    document = {
        "ref": "refs/heads/main",
        "before": "0" * 40,
        "after": sha,
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "pusher": {"name": "ada"},
        "commits": [commit],
        "head_commit": commit,
    }
    body = json.dumps(document).encode()
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": delivery_id(number),
        "x-hub-signature-256": f"sha256={signature}",
    }, body


def delivery_id(number: int) -> str:
    """What GitHub would call it."""
    return f"benchmark-{number}"
