"""Who asks, and who may write: by a login, by a reverse proxy of this machine, or else only on this machine."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from sereno_backends.serving import AUTHENTICATED_USER
from sereno_backends.serving.basic_auth import Application, Receive, Scope, Send
from sereno_postmortems.requests import is_foreign_page, is_from_here

LONGEST_NAME = 200
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_OWN_PAGES = ("same-origin", "none")
"""What Sec-Fetch-Site says where one of our own pages, or the address line, leads here."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks."""

    user: str | None
    """The name that was proved; None where nobody had to."""
    may_write: bool

    @property
    def types_name(self) -> bool:
        """Whether what this visitor writes stands under a name that the form asks for."""
        return self.may_write and self.user is None


class ProxyUser:
    """Takes the user's name from a header of a reverse proxy on this machine; of others the header says nothing.

    The proxy must replace the header, and the server must not (uvicorn's `proxy_headers`) replace the peer's address.
    A login of `--web-config` outranks it.
    """

    def __init__(self, app: Application, header: str) -> None:
        self._app = app
        self._header = header.lower().encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say who asks, and go on."""
        if scope["type"] == "http" and AUTHENTICATED_USER not in scope and _is_loopback(scope.get("client")):
            values = [value for name, value in scope["headers"] if name == self._header]
            # Two of them: somebody has sent one himself, and the proxy has added its own.
            name = _name(values[0]) if len(values) == 1 else None
            if name is not None:
                scope[AUTHENTICATED_USER] = name
        await self._app(scope, receive, send)


def visitor_of(request: Request, user_header: str | None) -> Visitor:
    """Who asks. Where neither users nor a proxy are configured, programs of this machine may write.

    Args:
        request: with the user's name in its scope, where it is known.
        user_header: which header a proxy was said to send; None if there is no proxy.
    """
    user: str | None = request.scope.get(AUTHENTICATED_USER)
    if user is not None:
        return Visitor(user, may_write=True)
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    return Visitor(None, may_write=user_header is None and not is_forwarded and is_from_here(request))


def is_foreign(request: Request) -> bool:
    """Whether a page of another origin sends this, by what its browser says."""
    return is_foreign_page(request) or request.headers.get("sec-fetch-site", "none") not in _OWN_PAGES


def is_surely_ours(request: Request) -> bool:
    """Whether a browser says that a page of ours, or its address line, leads here.

    For what a mere link would do. Browsers send no Sec-Fetch-Site over plain HTTP to another machine: there the page
    that leads here says it by Referer, which our pages send (`Referrer-Policy`), and which no other page can forge.
    """
    if is_foreign(request):
        return False
    if "sec-fetch-site" in request.headers:
        return True
    try:
        return urlsplit(request.headers.get("referer", "")).netloc == request.headers.get("host", "")
    except ValueError:
        return False


def _name(value: bytes) -> str | None:
    try:
        name = value.decode().strip()
    except UnicodeDecodeError:
        return None
    return name if name and name.isprintable() and len(name) <= LONGEST_NAME else None


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
