"""Connections that ask nothing: hung up in time and bounded in number, so that strangers can't take all descriptors."""

import asyncio
import resource
from asyncio import TimerHandle
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

_MOST_CONNECTIONS: Final = 1_000
_MOST_AT_ONCE: Final = 64

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def most_connections() -> int:
    """Half of the descriptors that the process may have: the other half is for what it asks, and its files.

    Without a bound asyncio writes a traceback for every connection that it finds no descriptor for, by the megabyte.
    """
    return min(_MOST_CONNECTIONS, _descriptors() // 2)


def accepted_at_once() -> int:
    """How many connections asyncio may accept in one turn of its loop.

    One that there is no room for is closed three turns after it was accepted, and each of the turns accepts as many:
    four times this many, a quarter of the descriptors, may be open beside `most_connections`.
    """
    return max(1, min(_MOST_AT_ONCE, _descriptors() // 16))


def _descriptors() -> int:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if allowed == resource.RLIM_INFINITY else allowed


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, to clients that are slow on purpose, too."""

    head_seconds = 10.0
    """How long the head of a request may take to come; bodies have limits of their own."""
    _head: TimerHandle | None = None
    _before: object = None
    """The request whose successor is waited for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection if there is room for it."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            transport.abort()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read on; where no request came of it, its rest has to come in time."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """Of the request after this one; more drops of the same head make the wait no longer."""
        if self._head is None or self._before is not self.cycle:
            self._wait_no_more()
            self._before = self.cycle
            self._head = self.loop.call_later(self.head_seconds, self._give_up)

    def _wait_no_more(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        """Hang up, unless a request has come since."""
        self._head = None
        if self.cycle is self._before:
            self.transport.close()


def ended_politely(app: Any) -> Any:
    """The application; requests that the server's end breaks off are 503, not 500 and a traceback."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await app(scope, receive, noted)
        except asyncio.CancelledError:
            if scope["type"] != "http" or has_begun:
                raise
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    return answer
