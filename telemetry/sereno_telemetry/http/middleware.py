"""The request metrics: a pure ASGI middleware around everything else that an app does."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sereno_telemetry.http.exchange import Exchange
from sereno_telemetry.http.metrics import HttpMetrics
from sereno_telemetry.http.naming import Naming, path_in_app

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

EXCHANGE = "sereno_telemetry.exchange"
"""Where the scope of a measured request holds its `Exchange`."""


class RequestMetrics:
    """Measures every HTTP request of `app`, except those to `excluded_path`, and lets everything through unchanged."""

    def __init__(self, app: AsgiApp, *, naming: Naming, metrics: HttpMetrics, excluded_path: str | None) -> None:
        self.app = app  # FastAPI follows `app` from layer to layer to see whether somebody traces already
        self._naming = naming
        self._metrics = metrics
        self._excluded_path = excluded_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI calls it."""
        exchange = self._begin(scope, receive, send)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.end(error)
            raise
        else:
            exchange.end(None)
        finally:
            scope.pop(
                EXCHANGE, None
            )  # scope and exchange hold each other: left so, each request waits for the collector

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> Exchange | None:
        """Start the clock; None if this request isn't ours to measure, or can't be measured."""
        try:
            if scope["type"] != "http" or EXCHANGE in scope:  # in scope: a parent app measures it already
                return None
            # FastAPI's own telemetry leaves a mounted app alone if its parent has said anything about this request;
            # without that, a mounted app begins a second server span as soon as global providers exist.
            scope.setdefault("fastapi.telemetry", None)
            excluded = self._excluded_path
            if excluded is not None and scope["path"].endswith(excluded) and path_in_app(scope) == excluded:
                return None
            exchange = Exchange(self._naming, self._metrics, scope, receive, send)
            scope[EXCHANGE] = exchange
            self._metrics.enter()
        except Exception as error:  # noqa: BLE001 - fail open
            self._metrics.health.note(error, doing="starting to measure a request")
            return None
        return exchange
