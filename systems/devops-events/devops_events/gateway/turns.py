"""The gateway where there is no nginx: the nodes in turn, and the same line about each answer."""

import socket
import time
from itertools import count

import httpx
import orjson
from fastapi import FastAPI, Request, Response

from devops_events.gateway.nginx import CONNECT_SECONDS, READ_SECONDS, TRIES
from devops_events.gateway.settings import Settings
from devops_events.platforms import WEBHOOKS
from devops_events.settings import LOOPBACK

_NOT_PASSED_ON = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive"})


def create_turns(settings: Settings) -> FastAPI:
    """The application."""
    app = FastAPI(title="DevOps events: gateway", version="1.0.0", redirect_slashes=False)
    client = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS))
    turns, line = count(), _Line(settings.answers_port)

    @app.post(WEBHOOKS + "{platform}")
    async def passed_on(platform: str, request: Request) -> Response:
        began = time.monotonic()
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON}
        body, turn = await request.body(), next(turns)
        tried = []
        for position in range(min(TRIES, len(settings.nodes))):
            node = settings.nodes[(turn + position) % len(settings.nodes)]
            tried.append(node)
            try:
                answer = await client.post(f"{node}{WEBHOOKS}{platform}", content=body, headers=headers)
            except httpx.TransportError:
                continue
            line.tell(request.url.path, answer.status_code, began, tried, "0")
            media_type = answer.headers.get("content-type")
            return Response(answer.content, answer.status_code, media_type=media_type)
        line.tell(request.url.path, 502, began, tried, "-")
        return Response(b"no node answers\n", 502)

    @app.get("/health")
    async def health() -> str:
        return "ok"

    return app


class _Line:
    """Tells the watcher as nginx does."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._to = (LOOPBACK, port)

    def tell(self, path: str, status: int, began: float, tried: list[str], header_seconds: str) -> None:
        told = {
            "path": path,
            "status": status,
            "seconds": time.monotonic() - began,
            "upstream": ", ".join(tried),
            "header_seconds": header_seconds,
        }
        self._socket.sendto(orjson.dumps(told), self._to)
