"""Applications asked within this process, byte by byte as a server would: what they raise comes out here."""

import asyncio
import atexit
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from benchmarks.fuzz.target import require

App = Callable[
    [MutableMapping[str, Any], Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]
]
_LOOP = asyncio.new_event_loop()
atexit.register(_LOOP.close)
_MOST_HEADERS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as HTTP has it."""

    method: str
    target: bytes
    """Path and query as they stand in the first line."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def request_of(data: bytes) -> Asked | None:
    """A request in the form of HTTP/1.1; None where a server would refuse it before any application sees it."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    words = first.split(b" ")
    if len(words) < 2 or not words[0].isalpha() or not words[1].startswith(b"/"):  # noqa: PLR2004 - method and target
        return None
    if any(byte <= 0x20 or byte >= 0x7F for byte in words[1]):  # noqa: PLR2004 - visible ASCII
        return None
    pairs = [line.split(b":", 1) for line in lines[:_MOST_HEADERS] if b":" in line]
    headers = tuple((name.strip().lower(), value.strip()) for name, value in pairs if name.strip().isascii())
    visible = tuple((name, value) for name, value in headers if not set(value) & set(b"\0\r\n"))
    return Asked(words[0].decode().upper(), words[1], visible, body)


def ask(app: App, asked: Asked, *, client: str = "127.0.0.1") -> Answered:
    """One request; whatever the application raises is raised here."""
    return _LOOP.run_until_complete(_ask(app, asked, client))


async def _ask(app: App, asked: Asked, client: str) -> Answered:
    path, _, query = asked.target.partition(b"?")
    told = iter(({"type": "http.request", "body": asked.body, "more_body": False},))
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(told, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode(errors="replace"),
        "raw_path": path,
        "root_path": "",
        "query_string": query,
        "headers": list(asked.headers),
        "client": (client, 40_000),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return _answered(sent)


def _answered(sent: Iterable[MutableMapping[str, Any]]) -> Answered:
    start, *rest = sent
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(start["status"], headers, b"".join(message.get("body", b"") for message in rest))


def require_sound(answered: Answered, *, also: tuple[int, ...] = ()) -> None:
    """No error of the server (but those that are expected), no header that ends early."""
    is_sound = answered.status < 500 or answered.status in also  # noqa: PLR2004 - HTTP
    require(is_sound, f"answered {answered.status}: {answered.body[:300]!r}")
    require(not any(set(value) & set("\r\n\0") for value in answered.headers.values()), f"headers {answered.headers}")
