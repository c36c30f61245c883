"""An HTTP server that does what targets do on bad days."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event

Answer = Callable[[socket.socket, Event], None]

_PATIENCE_SECONDS = 20.0


@dataclass
class MisbehavingServer:
    """Set `answer` to choose what the next connections get."""

    url: str
    answer: Answer
    asked: list[bytes] = field(default_factory=list)
    """What clients sent, up to the end of their headers."""
    end: bytes = b"\r\n\r\n"
    """What has to come before it answers."""
    ended: Event = field(default_factory=Event)
    own: threading.local = field(default_factory=threading.local)

    @property
    def asked_here(self) -> bytes:
        """What the connection that is answered now sent; several are answered at the same time."""
        asked: bytes = self.own.asked
        return asked


def ok(body: bytes = b"{}", status: str = "200 OK", *, headers: str = "") -> Answer:
    """An ordinary answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode()
    return lambda connection, _: connection.sendall(head + body)


def hang(_: socket.socket, ended: Event) -> None:
    """Say nothing."""
    ended.wait(_PATIENCE_SECONDS)


def drip(connection: socket.socket, ended: Event) -> None:
    """A byte every 50 ms: no single read ever takes long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while not ended.wait(0.05):
        connection.sendall(b"1")


def garbage(connection: socket.socket, _: Event) -> None:
    """Bytes that are no HTTP."""
    connection.sendall(b"\x16\x03\x01\x00\xff" * 20)


def close_midway(connection: socket.socket, _: Event) -> None:
    """Less than was promised."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1, 2")


def endless(connection: socket.socket, ended: Event) -> None:
    """A gigabyte, as fast as it is read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1_000):
        if ended.is_set():
            return
        connection.sendall(b" " * 1_000_000)


@contextmanager
def misbehaving(answer: Answer | None = None, *, end: bytes = b"\r\n\r\n") -> Iterator[MisbehavingServer]:
    """A server on a free port; each connection is answered once, in a thread of its own, after `end` has come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MisbehavingServer(f"http://127.0.0.1:{listener.getsockname()[1]}", answer or ok(), end=end)
        accepting = threading.Thread(target=_accept, args=(listener, server), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def _accept(listener: socket.socket, server: MisbehavingServer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, server), daemon=True).start()


def _serve(connection: socket.socket, server: MisbehavingServer) -> None:
    with connection, suppress(OSError):
        asked = b""
        while not asked.endswith(server.end):
            received = connection.recv(65_536)
            if not received:
                return
            asked += received
        server.asked.append(asked)
        server.own.asked = asked
        server.answer(connection, server.ended)
