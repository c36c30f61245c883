"""A server's side of one request, without a server: scopes made by hand, every message kept."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = list[tuple[bytes, bytes]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

USUAL_HEADERS: Headers = [
    (b"host", b"shop.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"accept-language", b"de,en-GB;q=0.8"),
    (b"x-forwarded-for", b"203.0.113.7"),
    (b"x-forwarded-proto", b"https"),
    (b"connection", b"keep-alive"),
]
MOST_SECONDS = 20.0
"""Until an exchange that hangs is given up."""


def traceparent(number: int, *, sampled: bool) -> bytes:
    """A W3C trace context whose ids tell the number of the request (which must not be 0)."""
    return f"00-{number:032x}-{number:016x}-0{int(sampled)}".encode()


def http_scope(method: str, path: str, headers: Headers, *, root_path: str = "") -> dict[str, Any]:
    """The scope of one request, as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": method,
        "root_path": root_path,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": b"",
        "headers": headers,
        "state": {},
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server got from the app for one request."""

    status_code: int | None
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    is_complete: bool
    raised: str | None
    """Type and text of the exception that came out of the app."""

    def header(self, name: str) -> str:
        """The first header of this name, or nothing."""
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == name.encode()), "")


class Exchange:
    """One request; `leaves_after` is the number of messages that the client waits for before it goes away."""

    def __init__(self, *, body: bytes = b"", is_body_cut: bool = False, leaves_after: int | None = None) -> None:
        self._body = body
        self._is_body_cut = is_body_cut
        self._leaves_after = leaves_after
        self._asked = 0
        self._over = asyncio.Event()
        self._messages: list[Mapping[str, Any]] = []
        if leaves_after == 0 and not is_body_cut:
            self._over.set()

    async def run(self, app: AsgiApp, scope: dict[str, Any]) -> Answer:
        """Let the app answer; what it raises is in the answer."""
        raised = None
        try:
            await asyncio.wait_for(app(scope, self._receive, self._send), MOST_SECONDS)
        except BaseException as error:  # noqa: BLE001 - a server survives whatever an app raises
            raised = f"{type(error).__name__}: {error}"
        return self._answer(raised)

    async def _receive(self) -> dict[str, Any]:
        self._asked += 1
        if self._asked == 1:
            return {"type": "http.request", "body": self._body, "more_body": self._is_body_cut}
        if not self._is_body_cut:
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._leaves_after is not None and len(self._messages) >= self._leaves_after:
            return  # uvicorn drops what a client that left would get
        self._messages.append(dict(message))
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last or len(self._messages) == self._leaves_after:
            self._over.set()

    def _answer(self, raised: str | None) -> Answer:
        starts = [message for message in self._messages if message["type"] == "http.response.start"]
        bodies = [message for message in self._messages if message["type"] == "http.response.body"]
        return Answer(
            status_code=starts[0]["status"] if starts else None,
            body=b"".join(message.get("body", b"") for message in bodies),
            headers=tuple(
                (bytes(key), bytes(value)) for key, value in (starts[0].get("headers", ()) if starts else ())
            ),
            is_complete=len(starts) == 1 and bool(bodies) and not bodies[-1].get("more_body", False),
            raised=raised,
        )
