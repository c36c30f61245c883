"""An HTTP server beside a command's own work, as bounded and protected as those that are all of a command."""

import threading
from typing import TYPE_CHECKING, Any

from sereno_cli.serving import configured, listen

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sereno_backends.serving import TlsContext

_ENDS_SECONDS = 5.0


class BackgroundServer:
    """Serves an ASGI application from a thread until it is closed.

    Raises:
        CannotListen: the address can't be listened on.
    """

    def __init__(self, app: Any, host: str, port: int, *, command: str, tls: "TlsContext | None" = None) -> None:
        import uvicorn

        self._listener = listen(host, port, command=command)
        self._server = uvicorn.Server(configured(app, tls, lifespan="off"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on; requests wait until it runs."""
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(_ENDS_SECONDS)
        self._listener.close()


def metrics_application(registry: "CollectorRegistry") -> Any:
    """`GET /metrics` of a registry, and `/health`; made without a framework, which a collector needn't load."""
    from anyio.to_thread import run_sync
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        path, method = scope["path"], scope["method"]
        status, kind, body = 200, "text/plain; charset=utf-8", b"ok\n"
        if path not in ("/", "/metrics", "/health"):
            status, body = 404, b"GET /metrics and GET /health are here\n"
        elif method not in ("GET", "HEAD"):
            status, body = 405, b"GET and HEAD are answered\n"
        elif path != "/health":
            kind, body = CONTENT_TYPE_LATEST, await run_sync(generate_latest, registry)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    return answer
