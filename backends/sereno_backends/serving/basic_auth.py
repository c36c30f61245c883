"""Basic auth in front of an ASGI application, by bcrypt hashes that may change while it runs."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import bcrypt
from anyio import CapacityLimiter
from anyio.to_thread import run_sync

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

AUTHENTICATED_USER = "sereno.user"
"""Where the scope of a request has the name of who asked; absent where nobody had to show a password."""
_REMEMBERED = 100
_CHECKED_AT_ONCE = 1
"""As in Prometheus: strangers who guess keep one core busy, and none of the threads that scrapes need."""


class BasicAuth:
    """Lets through who knows a name and its password; everyone, where no users are configured.

    Args:
        app: what is protected.
        users: names and bcrypt hashes, as of now; asked for each request.
        left_to_app: paths that begin so are let through: the application itself asks there who comes.
    """

    def __init__(
        self, app: Application, users: Callable[[], Mapping[str, str]], left_to_app: str | None = None
    ) -> None:
        self._app = app
        self._users = users
        self._left_to_app = left_to_app
        self._known: set[bytes] = set()
        self._checking = CapacityLimiter(_CHECKED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the application answer."""
        if scope["type"] == "http":
            users = self._users()
            is_ours = self._left_to_app is None or not scope["path"].startswith(self._left_to_app)
            if users and is_ours:
                login = _login(dict(scope["headers"]).get(b"authorization", b""))
                if login is None or not await self._is_known(users, *login):
                    await _refuse(send)
                    return
                scope[AUTHENTICATED_USER] = login[0]
        await self._app(scope, receive, send)

    async def _is_known(self, users: Mapping[str, str], name: str, password: bytes) -> bool:
        # For unknown names a hash like the others, so that the time taken doesn't tell which names there are.
        hashed = users.get(name) or next(iter(users.values()))
        # bcrypt takes a tenth of a second of CPU by design: a password is checked once, not at each scrape. What is
        # remembered is a digest of name, password and hash: a changed hash is a new question. Wrong ones are forgotten:
        # guesses must not push out what is right.
        key = hashlib.sha256(b"\0".join((name.encode(), password, hashed.encode()))).digest()
        if key in self._known:
            return name in users
        right = await run_sync(_matches, password, hashed, limiter=self._checking) and name in users
        if right:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known.add(key)
        return right


def _matches(password: bytes, hashed: str) -> bool:
    # Longer ones are cut, as bcrypt always did and Prometheus does; the library itself refuses them.
    return bcrypt.checkpw(password[:72], hashed.encode())


def _login(header: bytes) -> tuple[str, bytes] | None:
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon and b"\0" not in password else None
    except (binascii.Error, UnicodeDecodeError):
        return None


async def _refuse(send: Send) -> None:
    headers = [(b"www-authenticate", b"Basic"), (b"content-type", b"text/plain"), (b"content-length", b"13")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"Unauthorized\n"})
