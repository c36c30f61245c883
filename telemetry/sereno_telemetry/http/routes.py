"""Which route template a request belongs to: `/orders/{order_id}`, never the raw path.

FastAPI leaves what it selected in the scope, but not everywhere: requests that a middleware answers are never
routed, a mount overwrites what its parent knew, and from 0.137 routes are a tree whose nodes carry their prefix
privately. So what the scope says is believed only where no mount has changed it; else the routes are searched.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import fastapi.routing
from starlette.routing import BaseRoute, Host, Match, Mount

Scope = MutableMapping[str, Any]

# One label value for all requests that no handler was found for (404, 405, redirected slashes): raw paths are endless.
UNMATCHED = "unmatched"

_REST = "/{path}"
_NOTHING: Mapping[str, Any] = {}

# Public from FastAPI 0.137.2; before that, included routes are copied into the app with their full path.
_flattened: Callable[[Sequence[BaseRoute]], Iterable[Any]] = getattr(
    fastapi.routing, "iter_route_contexts", lambda routes: routes
)


def route_template(scope: Scope, *, routes: Sequence[BaseRoute], path: str, root_path: str) -> str:
    """The template of the route that `scope` was or would be handled by, with the prefixes of mounts and routers.

    `path` and `root_path` are the scope's own before the app saw it: mounts change them. Requests that match no
    route, or none for their method, all have the template `UNMATCHED`.
    """
    selected = _selected(scope, root_path)
    if selected is not None:
        methods = getattr(selected, "methods", None)
        if methods and scope["method"] not in methods:
            return UNMATCHED
        template: str = selected.path_format
        return template
    return _search(routes, dict(scope) | {"path": path, "root_path": root_path}) or UNMATCHED


def path_in_app(scope: Mapping[str, Any]) -> str:
    """The path without the prefix that a proxy or a parent app has taken off."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    inside = path.removeprefix(root_path)
    return inside if inside.startswith("/") else path


def _selected(scope: Scope, root_path: str) -> Any | None:
    """What FastAPI says that it selected, if that is the whole truth about this path."""
    route = scope.get("route")
    if route is None or scope.get("root_path", "") != root_path:  # a mount has changed it: only a part is known
        return None
    context = scope.get("fastapi", _NOTHING).get("effective_route_context")
    if context is not None and context.original_route is route:
        route = context
    return route if hasattr(route, "path_format") else None


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
