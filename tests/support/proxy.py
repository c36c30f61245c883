"""An HTTP proxy before a real server: notes what is asked, and misbehaves when a test tells it to."""

import ssl
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_GZIP = zlib.MAX_WBITS | 16  # a client of one's own writes a line end behind the stream: gzip.decompress minds that


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    authorization: str | None
    body: bytes
    """Not compressed, however it came."""
    sent: bytes
    """As it came."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The proxy's own answer, given instead of the server's."""

    status: int
    body: bytes = b"{}"
    product: str | None = "Elasticsearch"
    """What the answer says to come from; Elasticsearch's clients look at it."""
    content_type: str = "application/json"


@dataclass
class Proxy:
    """A running proxy; set `refuse` to answer in the server's place."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    refuse: Callable[[Asked], Refusal | None] = lambda _: None


@contextmanager
def proxy_before(
    upstream: str,
    *,
    tls: ssl.SSLContext | None = None,
    passing: Collection[str] = ("Content-Type", "Content-Encoding", "Accept"),
) -> Iterator[Proxy]:
    """Forward every request to `upstream`, with the headers `passing`, over a free port of loopback."""
    state = Proxy(url="")
    client = httpx.Client(base_url=upstream, trust_env=False, timeout=30)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            read = (
                zlib.decompressobj(_GZIP).decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            )
            asked = Asked(self.command, self.path, self.headers.get("Authorization"), read, body)
            state.asked.append(asked)
            refusal = state.refuse(asked)
            if refusal is not None:
                product = {"X-Elastic-Product": refusal.product} if refusal.product else {}
                self.answer(refusal.status, {"Content-Type": refusal.content_type, **product}, refusal.body)
                return
            passed = {key: self.headers[key] for key in passing if key in self.headers}
            answer = client.request(self.command, self.path, content=body, headers=passed)
            kept = {key: value for key, value in answer.headers.items() if key in {"content-type", "x-elastic-product"}}
            self.answer(answer.status_code, kept, answer.content)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing: `asked` is the record."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, client:
        server.daemon_threads = True  # connections are kept alive; nobody waits for them
        scheme = "http"
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        state.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
