"""Metrics of a process that has no HTTP service: an endpoint in a thread of its own."""

import contextlib
import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from prometheus_client import REGISTRY, CollectorRegistry

from sereno_telemetry.http.metrics import ensure_start_time
from sereno_telemetry.metrics.exposition import expose
from sereno_telemetry.metrics.health import health_of
from sereno_telemetry.work.guarding import guarded

_MOST_CONNECTIONS = 16
_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.1
"""How long `close` may have to wait."""
_HIGHEST_PORT = 65_535

_logger = logging.getLogger("sereno_telemetry")


class MetricsServer:
    """What `serve_metrics` started; also a context manager that closes it."""

    def __init__(self, server: "_Server | None") -> None:
        self._server = server
        if server is not None:
            self._thread = threading.Thread(
                target=server.serve_forever, args=(_POLL_SECONDS,), name="metrics", daemon=True
            )
            self._thread.start()

    @property
    def port(self) -> int | None:
        """The port that is listened on; None if it couldn't be."""
        return None if self._server is None else int(self._server.server_address[1])

    def close(self) -> None:
        """Answer no more, and give the port back; a second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            self._thread.join(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        """It serves already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def serve_metrics(
    port: int, *, host: str = "", registry: CollectorRegistry | None = None, path: str = "/metrics"
) -> MetricsServer:
    """Serve the metrics of this process at `path`, from a daemon thread, until it ends or `close` is called.

    A port that can't be listened on is an error in the log and no metrics (`up` is 0 in Prometheus): the work goes on.

    Args:
        port: 0 takes a free one, told by the result's `port`.
        host: the address to listen on; empty is every IPv4 address.
        registry: what is served; None is prometheus_client's global registry.
        path: where; everything else answers 404.

    Raises:
        ValueError: the port isn't one, or the path doesn't begin with a slash.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(f"port {port}: a port is a whole number from 0 (any free one) to {_HIGHEST_PORT}")
    if not path.startswith("/"):
        raise ValueError(f"path {path!r}: write it with a slash in front, like /metrics")
    registry = registry or REGISTRY
    with guarded(health_of(registry), "exporting the start of the process"):
        ensure_start_time(registry)
    try:
        return MetricsServer(_Server((host, port), registry, path))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _logger.error(  # noqa: TRY400 - the stack says nothing that the message doesn't
            "no metrics are served: can't listen on %s:%d (%s); give serve_metrics a free port of this machine, "
            "0 chooses one",
            host or "*",
            port,
            reason,
        )
        return MetricsServer(None)


class _Server(ThreadingHTTPServer):
    """Threads end with the process, and there are few of them, however many connections come."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry, path: str) -> None:
        self.registry = registry
        self.path = path
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of a host name that http.server makes, which may take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, if there is a place; else hang up."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and give the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    server: _Server
    timeout = _PATIENCE_SECONDS  # of each read and write: a client that sends nothing holds no thread for long

    def do_GET(self) -> None:
        """Answer with the metrics."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer without them."""
        self._answer(with_body=False)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Scrapes are not logged."""

    def _answer(self, *, with_body: bool) -> None:
        if self.path.partition("?")[0] != self.server.path:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            body, content_type = expose(self.server.registry, self.headers.get("Accept") or "")
        except Exception as error:  # noqa: BLE001 - a collector of the application that raises fails this scrape only
            health_of(self.server.registry).note(error, doing="answering a scrape")
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            with contextlib.suppress(OSError):
                self.wfile.write(body)
