"""A stand-in for a cluster's API: keeps objects in memory, and answers as the API's reference says.

It stands where the real part can't run (no package of Debian has kube-apiserver and etcd, and building them takes
longer than all tests). What it knows: server-side apply with field managers and their conflicts, dry runs, lists by
label in pages, removal, tokens. It doesn't know schemas: tests/helm compares what is written with those.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "the-token"  # noqa: S105 - of a server that lives for one test


@dataclass
class Cluster:
    """What the stand-in has, and how it behaves. Tests change it while it runs."""

    url: str = ""
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By their path."""
    managers: dict[str, str] = field(default_factory=dict)
    """Who owns an object, where that isn't Sereno."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Methods and paths of what changes something."""
    forbidden: tuple[str, ...] = ()
    """Kinds, as in paths, that the token mustn't touch."""
    page: int = 2
    """Objects of a list at a time."""

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """As the API answers, in the order in which it looks."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if authorization != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthorized"}
        return self._allowed(method, parts.path, query, body)

    def _allowed(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if any(f"/{kind}" in path for kind in self.forbidden):
            return 403, {"message": f"cannot {method.lower()} resource at {path}"}
        match method:
            case "PATCH":
                return self._apply(path, query, json.loads(body))
            case "DELETE":
                self.requests.append((method, path))
                return (200, {}) if self.objects.pop(path, None) else (404, {"message": "not found"})
            case _ if path in self.objects:
                return 200, self.objects[path]
            case _ if path.rsplit("/", 1)[-1] in {"configmaps", "prometheusrules"}:
                return 200, self._list(path, query)
            case _:
                return 404, {"message": f"{path} not found"}

    def _apply(self, path: str, query: dict[str, str], document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert query["fieldManager"] == "sereno"
        assert "force" not in query
        if path in self.managers:
            return 409, {
                "message": f'Apply failed with 1 conflict: conflict with "{self.managers[path]}": .spec.groups'
            }
        if "dryRun" not in query:
            self.requests.append(("PATCH", path))
            self.objects[path] = document
        return 200, document

    def _list(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        wanted = dict(one.split("=") for one in query["labelSelector"].split(","))
        found = [
            {"metadata": one["metadata"]}
            for place, one in sorted(self.objects.items())
            if place.rsplit("/", 1)[0] == path and wanted.items() <= one["metadata"].get("labels", {}).items()
        ]
        start = int(query.get("continue", "0"))
        more = {"continue": str(start + self.page)} if start + self.page < len(found) else {}
        return {"metadata": more, "items": found[start : start + self.page]}


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """The stand-in on a free port; gone when the block is left."""
    cluster = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "PATCH":
                assert self.headers["Content-Type"] == "application/apply-patch+yaml"
            status, document = cluster.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PATCH = do_DELETE = _answer  # noqa: N815 - as http.server calls them

        def log_message(self, *_: Any) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
