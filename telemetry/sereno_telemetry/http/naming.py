"""What a request is called: the value of `http_route`."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]

UNMATCHED = "unmatched"
"""One label value for all requests that have no handler (404, 405, redirected slashes): raw paths are endless."""

Naming = Callable[[Scope, str, str], str]
"""Scope as the app left it, path and root path as they came → the template of the route, or `UNMATCHED`."""


# The methods of OpenTelemetry's semantic conventions; names are case-sensitive (RFC 9110).
KNOWN_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD = "_OTHER"


def method_label(scope: Mapping[str, Any]) -> str:
    """The request's method, if HTTP knows it: clients may invent others."""
    method: str = scope["method"]
    return method if method in KNOWN_METHODS else OTHER_METHOD


def span_verb(method: str) -> str:
    """What a span's name begins with (OpenTelemetry's semantic conventions, "HTTP spans", section "Name")."""
    return "HTTP" if method == OTHER_METHOD else method


def path_in_app(scope: Mapping[str, Any]) -> str:
    """The path without the prefix that a proxy or a parent app has taken off."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    inside = path.removeprefix(root_path)
    return inside if inside.startswith("/") else path
