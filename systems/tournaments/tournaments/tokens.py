"""Tokens that say who somebody is: JWT, signed by a secret that accounts and gateway share."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

_ALGORITHM = "HS256"
_ISSUER = "tournaments"
LIFETIME = timedelta(minutes=30)


class TokenRefused(Exception):  # noqa: N818 - reads as what happened
    """The token isn't ours, is over, or says nothing; `reason` is one of a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the token is {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    role: str
    """`player` or `organizer`."""


def read_secret(path: Path) -> str:
    """The secret of a file that only we may read; made where there is none, by whoever comes first. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        # Written whole before it has its name: another program may be reading it already.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(draft)
        finally:
            draft.unlink()
    return path.read_text().strip()


def issue(user: User, secret: str, now: datetime | None = None) -> str:
    """A token for half an hour."""
    begin = now or datetime.now(UTC)
    claims = {"sub": user.name, "role": user.role, "iss": _ISSUER, "iat": begin, "exp": begin + LIFETIME}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(token: str, secret: str) -> User:
    """Whose token it is. Raises `TokenRefused`."""
    try:
        claims = jwt.decode(
            token, secret, algorithms=[_ALGORITHM], issuer=_ISSUER, options={"require": ["exp", "sub", "iss"]}
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("expired") from None
    except jwt.InvalidSignatureError:
        raise TokenRefused("forged") from None
    except jwt.InvalidTokenError:
        raise TokenRefused("malformed") from None
    return User(str(claims["sub"]), str(claims.get("role", "player")))
