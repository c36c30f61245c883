"""Deliveries as a platform makes them: a happening told, with an id that stays when it is sent again, and signed."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import assert_never
from uuid import UUID

import orjson
from sereno_collectors.devops.authentication import (
    BasicAuth,
    BodySignature,
    Scheme,
    StandardWebhooks,
    TokenHeader,
    signing_key,
)

from devops_events.generator.happenings import Past, World
from devops_events.generator.platforms import PLATFORMS
from devops_events.generator.platforms.form import Document


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook; sent again, it is the same one."""

    platform: str
    delivery_id: str
    headers: Mapping[str, str]
    body: bytes

    def signed(self, secret: str, now: datetime) -> dict[str, str]:
        """All headers of one attempt."""
        scheme = PLATFORMS[self.platform].scheme
        told = {"Content-Type": "application/json", **self.headers}
        return told | credentials(scheme, secret, self.delivery_id, self.body, now)


def credentials(scheme: Scheme, secret: str, delivery_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """What shows the receiver who sends."""
    match scheme:
        case BodySignature(header):
            return {header: "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        case TokenHeader(header):
            return {header: secret}
        case BasicAuth():
            return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
        case StandardWebhooks():
            timestamp = str(int(now.timestamp()))
            signed = f"{delivery_id}.{timestamp}.".encode() + body
            digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
            return {
                "webhook-id": delivery_id,
                "webhook-timestamp": timestamp,
                "webhook-signature": "v1," + base64.b64encode(digest).decode(),
            }
        case _:
            assert_never(scheme)


class Deliveries:
    """An endless supply for all platforms in turn; the same seed and times give the same again.

    Args:
        random: decides what happens.
        changed: what a platform does to a document before it sends it (a fault).
    """

    def __init__(self, random: Random, changed: Callable[[str, Document], Document] = lambda _, told: told) -> None:
        self._random = random
        self._changed = changed
        self._worlds = {name: World(Random(random.getrandbits(64))) for name in PLATFORMS}  # noqa: S311 - no secret
        self.pasts = {name: Past() for name in PLATFORMS}

    def next(self, at: datetime) -> Delivery:
        """What the platform whose turn it is tells of this moment."""
        name = self._random.choice(tuple(PLATFORMS))
        happening = self._worlds[name].next(at)
        self.pasts[name].add(happening)
        delivery_id = str(UUID(int=self._random.getrandbits(128)))
        webhook = PLATFORMS[name].webhook(happening, delivery_id)
        return Delivery(name, delivery_id, webhook.headers, orjson.dumps(self._changed(name, webhook.document)))
