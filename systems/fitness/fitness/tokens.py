"""Tokens that the users service issues and every service checks (JWT, HS256, one key for all)."""

import logging
import time
from dataclasses import dataclass
from typing import Literal, cast

import jwt
from fastapi import HTTPException, Request
from prometheus_client import CollectorRegistry, Counter

from fitness.program import Clock

ISSUER = "fitness-users"
LIFE_SECONDS = 900
_ALGORITHM = "HS256"
_BEARER = "bearer "

Role = Literal["member", "admin"]
Reason = Literal["missing", "malformed", "expired", "wrong_key"]
REASONS: tuple[Reason, ...] = ("missing", "malformed", "expired", "wrong_key")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of its bearer."""

    user: str
    role: Role


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The token isn't accepted."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class Tokens:
    """Issues and reads tokens.

    Args:
        key: what they are signed with, at least 32 bytes.
        clock: seconds since the epoch.
    """

    def __init__(self, key: str, clock: Clock = time.time) -> None:
        self._key = key
        self._clock = clock

    def issue(self, claims: Claims) -> str:
        """A token that holds for a quarter of an hour."""
        now = int(self._clock())
        said = {"iss": ISSUER, "sub": claims.user, "role": claims.role, "iat": now, "exp": now + LIFE_SECONDS}
        return jwt.encode(said, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Claims:
        """What a token says. Raises `Refused`."""
        try:
            said = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                # By our own clock, below: PyJWT's can't be given.
                options={"require": ["exp", "iss", "sub", "role"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError as error:
            raise Refused("wrong_key", "the token is signed with another key") from error
        except jwt.InvalidTokenError as error:
            raise Refused("malformed", "the token is none of ours") from error
        if not isinstance(said["exp"], int) or said["role"] not in ("member", "admin"):
            raise Refused("malformed", "the token is none of ours")
        if said["exp"] <= self._clock():
            raise Refused("expired", "the token has expired: log in again")
        return Claims(str(said["sub"]), cast("Role", said["role"]))


class Bearer:
    """A dependency of routes that need a token; counts those that are refused, by reason."""

    def __init__(self, tokens: Tokens, registry: CollectorRegistry) -> None:
        self._tokens = tokens
        self._failures = Counter(
            "fitness_token_failures",
            "Requests whose token was refused; wrong_key: signed with a key that isn't this service's.",
            ["reason"],
            registry=registry,
        )
        for reason in REASONS:
            self._failures.labels(reason)

    async def __call__(self, request: Request) -> Claims:
        """Whose request it is; 401 with the reason."""
        try:
            return self._tokens.read(_token(request))
        except Refused as error:
            self._failures.labels(error.reason).inc()
            if error.reason == "wrong_key":
                # Either somebody forges tokens, or two services have different keys: both are for us to look at.
                _logger.error(  # noqa: TRY400 - the stack says nothing that the message doesn't
                    "A token was refused because it is signed with another key than ours",
                    extra={
                        "ecs": {
                            "error.type": "jwt.exceptions.InvalidSignatureError",
                            "error.message": "signature verification failed",
                        }
                    },
                )
            raise HTTPException(401, str(error), {"www-authenticate": "Bearer"}) from error


def _token(request: Request) -> str:
    given = request.headers.get("authorization", "")
    if not given.lower().startswith(_BEARER):
        raise Refused("missing", "there is no token: log in, and send it as Authorization: Bearer")
    return given[len(_BEARER) :].strip()
