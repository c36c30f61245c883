"""Where the staged Alertmanager sends everything: which receiver was told of which alert."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Alert = frozenset[tuple[str, str]]


@dataclass(slots=True)
class Told:
    """What has arrived so far; filled by the server's threads, read by ours."""

    url: str
    arrived: dict[Alert, set[str]] = field(default_factory=dict)
    """The receivers that were told of an alert."""
    deliveries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: bytes) -> None:
        """One message of Alertmanager's."""
        message = json.loads(body)
        with self._lock:
            self.deliveries += 1
            for alert in message["alerts"]:
                self.arrived.setdefault(frozenset(alert["labels"].items()), set()).add(message["receiver"])

    def receivers(self, alert: Alert) -> set[str]:
        """Who was told of an alert."""
        with self._lock:
            return set(self.arrived.get(alert, ()))


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024  # hundreds of groups are told in the same moment
    daemon_threads = True


@contextmanager
def listening() -> Iterator[Told]:
    """Listen on a free port of loopback."""
    told = Told("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            told.take(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
