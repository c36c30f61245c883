"""`POST /v1/logs`: what OpenTelemetry SDKs and Collectors send, answered when it is on disk."""

import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Event, Thread
from typing import Any

from sereno_collectors.logs.inputs.otlp.handler import AT_WORK, Handler, Service
from sereno_collectors.logs.inputs.timing import utc_now
from sereno_collectors.logs.model import Intake

MOST_CONNECTIONS = 64
"""More are refused at once: each has a thread."""
BACKLOG = 128
LAST_ANSWERS_SECONDS = 0.8
"""How long requests that are at work may take when the collector ends; what isn't answered is sent again."""
HANDSHAKE_SECONDS = 5.0
"""Of each read and write of it: the connection holds a thread meanwhile."""
_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Guard:
    """How a port is protected; nothing is asked for by default."""

    tls: ssl.SSLContext | None = None
    admits: Callable[[bytes], bool] = lambda _: True
    """Whether a request with this `Authorization` may go on; empty: it has none."""


OPEN = Guard()


class OtlpInput:
    """Takes logs by OTLP/HTTP: protobuf or JSON, plain or gzip. A 200 says that the queue has everything on disk.

    While the queue is full or the collector ends, the answer is 503 with `Retry-After`: the sender keeps its records.
    The port is taken when the input is made; requests wait until it runs.

    Args:
        host: the address to listen on; a name or an address of either family.
        port: 0 for a free one.
        dataset: `event.dataset` of records that name none.
        now: the time of day; aware.
        guard: TLS, and who may send.

    Raises:
        OSError: the address can't be listened on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        dataset: str | None = None,
        now: Callable[[], datetime] = utc_now,
        guard: Guard = OPEN,
    ) -> None:
        family, address = _address(host, port)
        self._server = _Server(family, address, guard)
        self._dataset = dataset
        self._now = now

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return "OTLP"

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def run(self, intake: Intake, stop: Event) -> None:
        """Answer requests until told to stop; then those that are at work are brought to their ends.

        Raises:
            Exception: the intake failed in a way that nobody foresaw; the others were told to stop.
        """
        at_work = BoundedSemaphore(AT_WORK)
        bugs: list[Exception] = []

        def broken(bug: Exception) -> None:
            bugs.append(bug)
            stop.set()

        self._server.service = Service(intake, stop, at_work, self._dataset, self._now, broken)
        serving = Thread(target=self._server.serve_forever, args=(0.1,), name="otlp", daemon=True)
        serving.start()
        try:
            stop.wait()
        finally:
            self._server.shutdown()
            for _ in range(AT_WORK):
                at_work.acquire(timeout=LAST_ANSWERS_SECONDS / AT_WORK)
            self._server.server_close()
            serving.join()
        if bugs:
            raise bugs[0]

    def close(self) -> None:
        """Free the port of an input that never ran; a second call does nothing."""
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """A thread for each connection, and a bound on connections."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = BACKLOG
    service: Service

    def __init__(self, family: socket.AddressFamily, address: tuple[Any, ...], guard: Guard) -> None:
        self.address_family = family
        self.guard = guard
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, Handler)  # four parts in IPv6

    def server_bind(self) -> None:
        """Without the look-up of the host's name that the standard library makes."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or refuse it."""
        if not self._free.acquire(blocking=False):
            request.settimeout(0.1)
            with suppress(OSError):
                request.sendall(_REFUSAL)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer its requests, after the handshake where there is TLS."""
        if self.guard.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE_SECONDS)
        with self.guard.tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer its requests."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's mistake; others are a bug, and the standard library prints it."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return family, address
