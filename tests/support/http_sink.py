"""A web server that keeps what it is sent: the far end of webhooks and of PagerDuty's Events API."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """One POST: where to, with which headers (lower case), saying what."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class HttpSink:
    """The deliveries so far, in the order in which they came."""

    url: str
    deliveries: list[Delivery] = field(default_factory=list)

    def to(self, path: str) -> list[Delivery]:
        """What was POSTed to exactly this path."""
        return [delivery for delivery in self.deliveries if delivery.path == path]


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    """Listen on a free port of loopback and answer every POST with 202, the answer of PagerDuty."""
    deliveries: list[Delivery] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            deliveries.append(Delivery(path=self.path, headers=headers, body=json.loads(body)))
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing: the deliveries are the record."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield HttpSink(url=f"http://127.0.0.1:{server.server_address[1]}", deliveries=deliveries)
        finally:
            server.shutdown()
            thread.join()
