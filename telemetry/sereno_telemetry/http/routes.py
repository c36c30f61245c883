"""Which route template a request belongs to: `/orders/{order_id}`, never the raw path.

FastAPI leaves what it selected in the scope, but not everywhere: requests that a middleware answers are never
routed, a mount overwrites what its parent knew, and from 0.137 routes are a tree whose nodes carry their prefix
privately. So what the scope says is believed only where the path is still as it came; else the routes are searched.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Host, Match, Mount, Route

from sereno_telemetry.http.naming import UNMATCHED, Naming, Scope

_REST = "/{path}"


def _flattening() -> Callable[[Sequence[BaseRoute]], Iterable[Any]]:
    """What makes a list of FastAPI's tree of routes.

    It is public from FastAPI 0.137.2; before that, and in Starlette, included routes are copied into the app.
    """
    try:
        from fastapi.routing import iter_route_contexts  # noqa: PLC0415 - Starlette apps have no FastAPI
    except ImportError:
        return lambda routes: routes
    return iter_route_contexts


_flattened = _flattening()


def naming_for(app: Starlette) -> Naming:
    """What names the requests of `app`: the template of the route, with the prefixes of mounts and routers.

    Requests that match no route, or none for their method, are all called `UNMATCHED`.
    """

    def name(scope: Scope, path: str, root_path: str) -> str:
        route = scope.get("route")
        # A mount changes the root path and overwrites what its parent selected: then only a part is known.
        if isinstance(route, Route) and scope["path"] == path and scope.get("root_path", "") == root_path:
            context = scope["fastapi"].get("effective_route_context") if "fastapi" in scope else None
            if context is not None and context.original_route is route:
                route = context
            template: str = route.path_format
            return template if not route.methods or scope["method"] in route.methods else UNMATCHED
        return _search(app.routes, dict(scope) | {"path": path, "root_path": root_path}) or UNMATCHED

    return name


def _search(routes: Sequence[BaseRoute], scope: dict[str, Any]) -> str | None:
    """The template of the first route that matches path and method, as the router itself would find it."""
    for route in _flattened(routes):
        match, child_scope = route.matches(scope)
        if match is not Match.FULL:
            continue
        kind = getattr(route, "original_route", route)
        if isinstance(kind, Mount):
            below = _search(route.routes, scope | child_scope) if route.routes else _REST
            return None if below is None else f"{route.path}{below}"
        if isinstance(kind, Host):
            return _search(route.routes, scope | child_scope) if route.routes else _REST
        template: str = route.path_format
        return template
    return None
