"""An HTTP proxy that breaks what passes: cut connections, refusals, slowness."""

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SLOW_SECONDS = 0.7
LARGEST_BYTES = 40_000
UPSTREAM_SECONDS = 60.0
STATUSES = (429, 503)
HALF = 0.5
"""Of the answers, while answers break: the other half makes progress."""


class Manner(StrEnum):
    """How requests pass."""

    PASS = "pass"  # noqa: S105 - no password
    CUT_REQUEST = "cut request"
    CUT_ANSWER = "cut answer"
    SWALLOW_ANSWER = "swallow answer"
    REFUSE = "refuse"
    TOO_LARGE = "413"
    SLOW = "slow"


class Breaker:
    """The proxy's state; `manner` may be set at any time and holds for bulk requests."""

    def __init__(self, upstream: str, seed: int) -> None:
        parts = urlsplit(upstream)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.manner = Manner.PASS
        self.chance = random.Random(seed)
        self.url = ""


@contextmanager
def running_breaker(upstream: str, seed: int) -> Iterator[Breaker]:
    """A proxy before `upstream` on a free port of loopback."""
    breaker = Breaker(upstream, seed)

    class Handler(_Forwarder):
        state = breaker

    with _Server(("127.0.0.1", 0), Handler) as server:
        breaker.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield breaker
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # connections are kept alive; nobody waits for them

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed hangs up in the middle: nothing to tell."""


class _Forwarder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Breaker

    def forward(self) -> None:
        """Pass one request on, in the manner of the moment."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        manner = self.state.manner if "_bulk" in self.path else Manner.PASS
        if manner is Manner.REFUSE:
            self._answer(self.state.chance.choice(STATUSES), "application/json", _refusal("not now"))
        elif manner is Manner.TOO_LARGE and len(body) > LARGEST_BYTES:
            self._answer(413, "application/json", _refusal("too large"))
        elif manner is Manner.CUT_REQUEST:
            with suppress(OSError):
                self._send_half(body)
            self._hang_up()
        else:
            if manner is Manner.SLOW:
                time.sleep(SLOW_SECONDS)
            self._ask(body, manner)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward  # noqa: N815 - http.server's names

    def _ask(self, body: bytes, manner: Manner) -> None:
        connection = http.client.HTTPConnection(self.state.host, self.state.port, timeout=UPSTREAM_SECONDS)
        try:
            connection.request(self.command, self.path, body, self._headers())
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._hang_up()  # as if the server itself were gone
            return
        finally:
            connection.close()
        half = self.state.chance.random() < HALF and manner in {Manner.CUT_ANSWER, Manner.SWALLOW_ANSWER}
        with suppress(OSError):
            if half and manner is Manner.SWALLOW_ANSWER:
                self._hang_up()
                return
            self._answer(
                answer.status,
                answer.getheader("Content-Type", "application/json"),
                content,
                sent=len(content) // 2 if half else None,
                encoding=answer.getheader("Content-Encoding"),
            )

    def _headers(self) -> dict[str, str]:
        passed = ("Content-Type", "Accept", "Content-Encoding", "Accept-Encoding", "Authorization")
        return {key: self.headers[key] for key in passed if key in self.headers}

    def _send_half(self, body: bytes) -> None:
        """The server gets the beginning of a request that never ends."""
        head = "".join(f"{key}: {value}\r\n" for key, value in self._headers().items())
        start = f"{self.command} {self.path} HTTP/1.1\r\nHost: proxy\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((self.state.host, self.state.port), timeout=5) as upstream:
            upstream.sendall(start.encode() + body[: len(body) // 2])

    def _answer(
        self, status: int, content_type: str, body: bytes, *, sent: int | None = None, encoding: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if sent is None else body[:sent])
        if sent is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


def _refusal(reason: str) -> bytes:
    return json.dumps({"error": {"type": "proxy", "reason": reason}}).encode()
