"""Whether a delivery was sent by who shares a secret with us. Every comparison takes the same time, right or wrong."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from now, in both directions: the replay window of Standard Webhooks."""
SIGNING_PREFIX = "whsec_"
"""Secrets of Standard Webhooks begin so; the rest is the key in base64."""
_VERSION = "v1"
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class BodySignature:
    """`<header>: sha256=<HMAC-SHA256 of the raw body in hexadecimal>`: GitHub, Bitbucket."""

    header: str


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """The secret itself in a header: GitLab's older way."""

    header: str


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """`Authorization: Basic`; the secret is `user:password`: Azure DevOps, Jenkins."""


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """`webhook-id`, `webhook-timestamp` and `webhook-signature`, as standardwebhooks.com specifies them."""


Scheme: TypeAlias = BodySignature | TokenHeader | BasicAuth | StandardWebhooks


class Refused(StrEnum):
    """Why a delivery isn't taken for authentic."""

    MISSING = "missing"
    WRONG = "wrong"
    STALE = "stale"
    """Rightly signed, but for another time: perhaps somebody plays it again."""


def header_of(scheme: Scheme) -> str:
    """The header whose presence says that a delivery is authenticated in this way."""
    match scheme:
        case BodySignature(header) | TokenHeader(header):
            return header
        case BasicAuth():
            return "authorization"
        case StandardWebhooks():
            return "webhook-signature"
        case _:
            assert_never(scheme)


def is_for(secret: str, scheme: Scheme) -> bool:
    """Whether a secret is of the scheme's kind: signing keys are never compared as tokens, nor tokens used as keys."""
    return secret.startswith(SIGNING_PREFIX) == isinstance(scheme, StandardWebhooks)


def offered(schemes: Iterable[Scheme], headers: Mapping[str, str], secrets: Sequence[str]) -> Scheme | None:
    """The first scheme that the delivery uses and that there are secrets for; no weaker one is tried after it."""
    for scheme in schemes:
        if header_of(scheme) in headers and any(is_for(secret, scheme) for secret in secrets):
            return scheme
    return None


def authenticate(
    scheme: Scheme, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Refused | None:
    """None if one of the secrets made the delivery.

    Args:
        scheme: as `offered` chose it.
        headers: names in lower case.
        body: the raw bytes.
        secrets: all that are valid now; those of another kind are left out.
        now: aware.
    """
    keys = [secret for secret in secrets if is_for(secret, scheme)]
    given = headers.get(header_of(scheme), "")
    match scheme:
        case BodySignature():
            right = [_hex_signature(key, body) for key in keys]
            return _one_of(_raw(given), right)
        case TokenHeader():
            return _one_of(_raw(given), [key.encode() for key in keys])
        case BasicAuth():
            return _one_of(_basic_credentials(given), [key.encode() for key in keys])
        case StandardWebhooks():
            return _standard(headers, body, keys, now)
        case _:
            assert_never(scheme)


def _raw(header: str) -> bytes:
    """The bytes that came: HTTP's headers are read as Latin-1, whatever they are."""
    return header.encode("latin-1", "replace")


def _hex_signature(key: str, body: bytes) -> bytes:
    return b"sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode()


def _one_of(given: bytes, right: Sequence[bytes]) -> Refused | None:
    """Compares with all of them, so that the time doesn't tell which one it was, or how much of it."""
    # Of digests, not of the values: compare_digest gives away lengths.
    digest = hashlib.sha256(given).digest()
    matches = [hmac.compare_digest(digest, hashlib.sha256(one).digest()) for one in right]
    return None if any(matches) else Refused.WRONG


def _basic_credentials(header: str) -> bytes:
    scheme, _, encoded = header.partition(" ")
    try:
        return base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        return b""


def _standard(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now: datetime) -> Refused | None:
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp:
        return Refused.MISSING
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):  # noqa: PLR2004 - the year 33658
        return Refused.WRONG
    signed = _raw(f"{message_id}.{timestamp}.") + body
    right = [hmac.new(signing_key(key), signed, hashlib.sha256).digest() for key in keys]
    answers = [_one_of(given, right) for given in _signatures(headers.get("webhook-signature", ""))]
    if None not in answers:
        return Refused.WRONG
    is_near = abs(int(timestamp) - now.timestamp()) <= TOLERANCE.total_seconds()
    return None if is_near else Refused.STALE


def _signatures(header: str) -> list[bytes]:
    """The header holds several where the sender rotates its keys."""
    found: list[bytes] = []
    for one in header.split(" ")[:_MOST_SIGNATURES]:
        version, _, encoded = one.partition(",")
        if version == _VERSION:
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def signing_key(secret: str) -> bytes:
    """The key in a secret of Standard Webhooks.

    Raises:
        ValueError: what follows the prefix is no base64.
    """
    encoded = secret.removeprefix(SIGNING_PREFIX)
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
