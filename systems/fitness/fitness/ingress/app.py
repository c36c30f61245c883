"""Hands requests on to the service that they are for, and answers in its place where it doesn't.

It stands for a Kubernetes ingress, which counts requests by service and code the same way: what a dead or frozen pod
does to users is seen here, and nowhere behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from fastapi import FastAPI, Request, Response
from reference_system.failures import Answer, log_failures

from fitness.program import add_health

ROUTES: Mapping[str, tuple[str, ...]] = {
    "users": ("/users", "/users/{rest:path}", "/sessions", "/trainings"),
    "payments": ("/payments",),
    "metrics": ("/reports/{rest:path}",),
}
"""What belongs to which service."""

_METHODS = ["GET", "POST", "PUT", "DELETE"]
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length",
}  # fmt: skip
"""Headers of one connection (RFC 9110, section 7.6.1), and those that are written anew."""


class NoConnection(Exception):  # noqa: N818 - reads as what happened
    """The service can't be reached, or hung up."""


class NoAnswer(Exception):  # noqa: N818 - reads as what happened
    """The service didn't answer in time."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service behind."""

    name: str
    url: str


def create_app(upstreams: Mapping[str, Upstream], client: httpx.AsyncClient) -> FastAPI:
    """The way in; `upstreams` by the names of `ROUTES`."""
    app = FastAPI(title="Fitness", version="1.0.0", docs_url=None, redoc_url=None, openapi_url=None)
    log_failures(
        app, {NoConnection: Answer(502, "the service can't be reached"), NoAnswer: Answer(504, "no answer in time")}
    )
    for name, paths in ROUTES.items():
        for path in paths:
            _hand_on(app, path, upstreams[name], client)
    add_health(app)
    return app


def _hand_on(app: FastAPI, path: str, upstream: Upstream, client: httpx.AsyncClient) -> None:
    @app.api_route(path, methods=_METHODS)
    async def handle(request: Request) -> Response:
        url = httpx.URL(upstream.url).copy_with(
            raw_path=request.scope.get("raw_path", request.url.path.encode()) + _query(request)
        )
        headers = [(name, value) for name, value in request.headers.raw if name.decode().lower() not in _HOP_BY_HOP]
        try:
            answer = await client.request(request.method, url, headers=headers, content=await request.body())
        except httpx.TimeoutException as error:
            raise NoAnswer(f"{upstream.name} did not answer in time") from error
        except httpx.HTTPError as error:
            raise NoConnection(f"{upstream.name} can't be reached: {type(error).__name__}") from error
        kept = {name: value for name, value in answer.headers.items() if name not in {*_HOP_BY_HOP, "content-encoding"}}
        return Response(answer.content, answer.status_code, kept)


def _query(request: Request) -> bytes:
    query: bytes = request.scope["query_string"]
    return b"?" + query if query else b""
