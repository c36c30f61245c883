"""Basic auth in front of an ASGI application."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from sereno_backends.serving.passwords import Login, Passwords, login_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

AUTHENTICATED_USER = "sereno.user"
"""Where the scope of a request has the name of who asked; absent where nobody had to show a password."""
_CHECKED_AT_ONCE = 1


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
        self._passwords = Passwords(users)
        self._left_to_app = left_to_app
        self._checking = CapacityLimiter(_CHECKED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the application answer."""
        if scope["type"] == "http":
            is_ours = self._left_to_app is None or not scope["path"].startswith(self._left_to_app)
            if is_ours and self._passwords.are_asked:
                login = login_of(dict(scope["headers"]).get(b"authorization", b""))
                if login is None or not await self._is_known(login):
                    await _refuse(send)
                    return
                scope[AUTHENTICATED_USER] = login[0]
        await self._app(scope, receive, send)

    async def _is_known(self, login: Login) -> bool:
        # Whom we know doesn't queue behind those who guess.
        return self._passwords.remembers(login) or await run_sync(self._passwords.knows, login, limiter=self._checking)


async def _refuse(send: Send) -> None:
    headers = [(b"www-authenticate", b"Basic"), (b"content-type", b"text/plain"), (b"content-length", b"13")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"Unauthorized\n"})
