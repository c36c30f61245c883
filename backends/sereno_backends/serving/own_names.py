"""Under which names a server may be asked: what tells a page whose own name was made to lead here from our users."""

import ipaddress
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sereno_backends.addresses import is_loopback
from sereno_backends.serving.basic_auth import AUTHENTICATED_USER, Application, Receive, Scope, Send

_LONGEST_NAME = 200
_HOST = b"host"
PROBED = ("/health", "/metrics")
"""They tell nothing of anybody, and probes ask under the address of a container."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one server.

    Args:
        names: in small letters.
        with_loopback: whether names and addresses of this machine are taken as well.
        command: whose `--public-name` says more of them.
        for_every_name: paths that are answered whatever the name.
        headers: of a refusal.
    """

    names: Collection[str]
    with_loopback: bool
    command: str
    for_every_name: tuple[str, ...] = PROBED
    headers: Mapping[str, str] = field(default_factory=dict)


class OwnNames:
    """Refuses (421) what is asked under names that aren't the server's.

    A web page can make its own name lead to this machine. Its browser takes us for that page's own server then: the
    page reads everything, and sends any header. Only the name, which it can't change, tells it from us.
    Who has shown a password isn't asked: browsers send one only to the name that it was typed for.
    """

    def __init__(self, app: Application, own: Names) -> None:
        self._app = app
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, or refuse."""
        own = self._own
        if scope["type"] == "http" and AUTHENTICATED_USER not in scope and scope["path"] not in own.for_every_name:
            name = name_asked(scope)
            if name not in own.names and not (own.with_loopback and is_this_machine(name)):
                await _misdirected(scope["path"], name, own, send)
                return
        await self._app(scope, receive, send)


def name_asked(scope: Scope) -> str:
    """The name or address under which the server is asked, in small letters, without the port; empty where none is."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == _HOST), "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower()


def is_this_machine(host: str) -> bool:
    """Whether a name or address means the machine itself: `localhost`, 127.0.0.0/8, `::1`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return is_loopback(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


async def _misdirected(path: str, name: str, own: Names, send: Send) -> None:
    what = f"nothing is served here under the name {name[:_LONGEST_NAME]!r}; `{own.command} --public-name` says names"
    is_json = path.startswith("/api/")
    body = (json.dumps({"error": what}) if is_json else f"{what}\n").encode()
    kind = b"application/json" if is_json else b"text/plain; charset=utf-8"
    headers = [(key.lower().encode(), value.encode()) for key, value in own.headers.items()]
    headers += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": body})
