"""The label `http_route`: templates for what has a handler, one value for all that has none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router
from starlette.staticfiles import StaticFiles

Call = Callable[..., httpx.Response]
Counts = Callable[[], Mapping[tuple[str, str, str], float]]
Raw = Callable[..., list[dict[str, Any]]]


def nested_app() -> FastAPI:
    """An app with routers in routers, mounts with parameters, and Starlette's own routes."""
    leaf = APIRouter(prefix="/items/{item}")

    @leaf.get("/parts/{part}")
    def part(item: str, part: str) -> str:
        return item + part

    @leaf.get("/gone")
    def gone(item: str) -> None:
        raise HTTPException(404, item)

    middle = APIRouter(prefix="/shops/{shop}")
    middle.include_router(leaf)
    middle.routes.append(Mount("/shops/{shop}/files", app=PlainTextResponse("file")))
    tenant = FastAPI()
    tenant.include_router(leaf, prefix="/v1")
    app = FastAPI()
    app.include_router(middle, prefix="/api")
    app.include_router(leaf, prefix="/second")
    app.mount("/tenants/{tenant}", tenant)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent))
    app.mount("/plain", Router(routes=[Route("/a/{b}", lambda _: PlainTextResponse("b"))]))
    app.router.routes.append(
        Host("{name}.example.test", app=Router(routes=[Route("/of/{host}", lambda _: PlainTextResponse("h"))]))
    )
    return app


@pytest.mark.parametrize(
    ("request_line", "counted"),
    [
        ("GET /api/shops/1/items/2/parts/3", ("/api/shops/{shop}/items/{item}/parts/{part}", "200")),
        ("GET /second/items/2/parts/3", ("/second/items/{item}/parts/{part}", "200")),
        ("GET /api/shops/1/items/2/gone", ("/api/shops/{shop}/items/{item}/gone", "404")),
        ("GET /api/shops/1/files/2/3", ("/api/shops/{shop}/files/{path}", "200")),
        ("GET /tenants/acme/v1/items/2/parts/3", ("/tenants/{tenant}/v1/items/{item}/parts/{part}", "200")),
        ("GET /static/conftest.py", ("/static/{path}", "200")),
        ("GET /static/nothing.here", ("/static/{path}", "404")),
        ("GET /plain/a/7", ("/plain/a/{b}", "200")),
        ("GET /openapi.json", ("/openapi.json", "200")),
        ("GET /wp-login.php", ("unmatched", "404")),
        ("GET /tenants/acme/wp-login.php", ("unmatched", "404")),
        ("GET /plain/none", ("unmatched", "404")),
        ("DELETE /api/shops/1/items/2/parts/3", ("unmatched", "405")),
        ("DELETE /tenants/acme/v1/items/2/parts/3", ("unmatched", "405")),
        ("GET /second/items/2/parts/3/", ("unmatched", "307")),
    ],
)
def test_requests_are_counted_under_their_template(
    call: Call, registry: CollectorRegistry, counts: Counts, request_line: str, counted: tuple[str, str]
) -> None:
    """Nested routers, mounts and sub-apps count under their full template; what has no handler counts as one."""
    app = nested_app()
    instrument(app, service="shop", registry=registry)
    method, path = request_line.split()
    call(app, method, path)
    route, code = counted
    assert counts() == {(route, method, code): 1}


def test_host_routes_count_under_the_template_inside(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """A route below a host pattern never brings the host's name into a label."""
    app = nested_app()
    instrument(app, service="shop", registry=registry)
    call(app, "GET", "/of/1", headers={"host": "evil.example.test"})
    assert counts() == {("/of/{host}", "GET", "200"): 1}


@pytest.mark.parametrize("method", ["BREW", "get", "Get", "X" * 200])
def test_unknown_methods_are_one_label_value(
    raw: Raw, registry: CollectorRegistry, counts: Counts, method: str
) -> None:
    """A client can't make series by inventing methods."""
    app = FastAPI()
    instrument(app, service="shop", registry=registry)
    assert raw(app, method, "/x")[0]["status"] == 404
    assert counts() == {("unmatched", "_OTHER", "404"): 1}


def test_what_a_middleware_answers_counts_for_the_route_that_was_meant(
    call: Call, registry: CollectorRegistry, counts: Counts
) -> None:
    """A refusal before routing (authorization, limits) is a failure of that route, not of an unknown one."""
    app = nested_app()

    async def refuse(request: Request, _: object) -> Response:  # noqa: ARG001 - Starlette's signature
        return PlainTextResponse("who are you?", status_code=401)

    app.add_middleware(BaseHTTPMiddleware, dispatch=refuse)
    instrument(app, service="shop", registry=registry)
    call(app, "GET", "/api/shops/1/items/2/parts/3")
    call(app, "GET", "/tenants/acme/v1/items/2/parts/3")
    assert counts() == {
        ("/api/shops/{shop}/items/{item}/parts/{part}", "GET", "401"): 1,
        ("/tenants/{tenant}/v1/items/{item}/parts/{part}", "GET", "401"): 1,
    }


def test_a_middleware_that_copies_the_scope_hides_no_route(
    call: Call, registry: CollectorRegistry, counts: Counts
) -> None:
    """The template is found even if what the router wrote into the scope never comes back."""
    app = nested_app()

    class Copying:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(dict(scope), receive, send)

    app.add_middleware(Copying)
    instrument(app, service="shop", registry=registry)
    call(app, "GET", "/api/shops/1/items/2/parts/3")
    assert counts() == {("/api/shops/{shop}/items/{item}/parts/{part}", "GET", "200"): 1}


def test_a_root_path_stays_out_of_the_label(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """Behind a proxy that takes a prefix off, templates are those of the app."""
    app = FastAPI()

    @app.get("/orders/{order}")
    def order(order: int) -> int:
        return order

    instrument(app, service="shop", registry=registry)
    assert call(app, "GET", "/orders/7", root_path="/behind/proxy").status_code == 200
    assert call(app, "GET", "/behind/proxy/orders/7", root_path="/behind/proxy").status_code == 200
    assert call(app, "GET", "/behind/proxy/metrics", root_path="/behind/proxy").status_code == 200
    assert counts() == {("/orders/{order}", "GET", "200"): 2}


def test_a_hundred_unknown_paths_make_one_series(call: Call, registry: CollectorRegistry, counts: Counts) -> None:
    """A scanner's paths cost one series, whatever it asks for."""
    app = nested_app()
    instrument(app, service="shop", registry=registry)
    for number in range(100):
        call(app, "GET", f"/.env.{number}")
    assert counts() == {("unmatched", "GET", "404"): 100}
