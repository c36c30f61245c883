"""What one client may take of a server: a head and a body come in time, both are bounded, connections are so many."""

import base64
import socket
import ssl
import time
from contextlib import ExitStack

import httpx
import pytest
from support.devops import github
from support.listeners import PASSWORD, USER, Listener, Listeners
from support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("listeners")

LIMIT_SECONDS = 10.0
"""Of heads, and of most bodies; docs/security.md has the table."""
SLOW_BODIES = ("incidents", "portal", "otlp")
"""Those of `collect devops` may take thirty seconds: tests/collectors/devops look at that."""
BODIES = {
    "incidents": ("/api/v1/alertmanager", 1024 * 1024),
    "portal": ("/api/v1/incidents/x/entries", 1024 * 1024),
    "devops": ("/api/v1/devops/github", 25 * 1024 * 1024),
    "otlp": ("/v1/logs", 8 * 1024 * 1024),
}
"""Every route that reads a body, one of each kind, and how large it may be."""


def test_what_never_ends_is_given_up(listeners: Listeners) -> None:
    """Heads that come byte by byte, on every port; bodies that were announced and don't come, on every such route."""
    begun = time.monotonic()
    with ExitStack() as connections:
        heads = {name: connections.enter_context(listener.connected()) for name, listener in listeners.items()}
        for client in heads.values():
            client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        bodies = {name: connections.enter_context(_posting(listeners[name], BODIES[name][0])) for name in SLOW_BODIES}
        left = dict(heads)
        while left and time.monotonic() - begun < 2 * LIMIT_SECONDS:
            for name, client in list(left.items()):
                if _is_over(client):
                    del left[name]
            for client in left.values():  # a byte now and then makes the wait no longer
                _dripped(client)
        assert left == {}
        assert time.monotonic() - begun > LIMIT_SECONDS / 2
        assert {name: _status_line(client) for name, client in bodies.items()} == dict.fromkeys(bodies, b"408")


def test_bodies_are_read_no_further_than_they_may_be_large(listeners: Listeners) -> None:
    """413 for one that says its size, and for one that doesn't; nothing of it is kept."""
    for name, (path, most) in BODIES.items():
        headers = {"Content-Type": "application/json"}
        if name == "devops":
            headers = github("push", "1", b"x")
        chunks = [b" " * 65_536] * (most // 65_536 + 2)
        for content in (b"".join(chunks), iter(chunks)):
            with listeners[name].client(logged_in=name != "devops") as client:
                try:
                    assert client.post(path, content=content, headers=headers).status_code == 413, name
                except httpx.TransportError:  # hung up while we were still sending
                    continue


def test_a_head_is_bounded_too(listeners: Listeners) -> None:
    """A header without end is refused, or the connection is."""
    for listener in listeners.values():
        with listener.client(logged_in=True) as client:
            try:
                answer = client.get("/health", headers={"X-Long": "a" * 300_000})
                assert answer.status_code in (400, 413, 414, 431), listener.name
            except httpx.TransportError:
                continue


def test_idle_connections_lock_nobody_out_for_long(listeners: Listeners) -> None:
    """A hundred of them: servers still answer, or do as soon as they are gone."""
    for listener in listeners.values():
        with ExitStack() as connections:
            for _ in range(100):
                client = connections.enter_context(socket.create_connection(listener.address, 5))
                client.settimeout(5)
            if listener.name != "otlp":  # its threads are counted: it refuses what it has no room for
                assert _status(listener) == 200, listener.name
        wait_for(lambda one=listener: _status(one) == 200, what=f"room at {listener.name}")  # type: ignore[misc]


def _status(listener: Listener) -> int | None:
    try:
        with listener.client(logged_in=True) as client:
            return client.get("/health").status_code
    except httpx.TransportError:
        return None


def _posting(listener: Listener, path: str) -> socket.socket:
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode())
    head = b"POST " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    client = listener.connected()
    client.sendall(head + b"Authorization: Basic " + login + b"\r\nContent-Length: 1000\r\n\r\n{")
    return client


def _status_line(client: socket.socket) -> bytes:
    """The status of the answer; empty where there was none but an end."""
    client.settimeout(LIMIT_SECONDS)
    return client.recv(4096)[9:12]


def _is_over(client: socket.socket) -> bool:
    try:
        client.settimeout(0.1)
        return client.recv(4096) == b""
    except TimeoutError:
        return False
    except (ConnectionError, ssl.SSLError):
        return True


def _dripped(client: socket.socket) -> None:
    try:
        client.sendall(b"a")
    except OSError:
        return
