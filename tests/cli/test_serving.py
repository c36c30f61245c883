"""Servers among clients that are slow on purpose, and at their end."""

import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sereno_cli.connections import BoundedProtocol, accepted_at_once, most_connections
from sereno_cli.serving import listen
from support.command_line import SERENO
from support.misbehaving import hang, misbehaving
from support.ports import free_port
from support.timing import timed
from support.waiting import wait_for

HEAD_SECONDS = 0.3


class _Hurried(BoundedProtocol):
    head_seconds = HEAD_SECONDS


async def _hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Of a server that waits less for heads than usual."""
    with listen("127.0.0.1", 0, command="test") as listener:
        server = uvicorn.Server(uvicorn.Config(_hello, http=_Hurried, lifespan="off", log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(10)


def _asked(client: socket.socket) -> bytes:
    """A whole answer on this connection."""
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    received = b""
    while not received.endswith(b"hi"):
        chunk = client.recv(1_000)
        assert chunk, "the server hung up"
        received += chunk
    return received


@timed
@pytest.mark.parametrize(("begun", "answered"), [(b"", 0), (b"GET / HT", 0), (b"GET / HT", 1)])
def test_a_head_that_does_not_come_in_time_is_hung_up(address: tuple[str, int], begun: bytes, answered: int) -> None:
    """On a new connection, and on one that was answered before."""
    with socket.create_connection(address, timeout=5) as client:
        for _ in range(answered):
            _asked(client)
        begun_at = time.monotonic()
        client.sendall(begun)
        assert client.recv(1) == b""
    assert HEAD_SECONDS / 2 < time.monotonic() - begun_at < 4


def test_a_connection_that_is_kept_is_kept(address: tuple[str, int]) -> None:
    """A client that asks again after a while does so on the same connection."""
    with socket.create_connection(address, timeout=5) as client:
        for _ in range(3):
            assert _asked(client).startswith(b"HTTP/1.1 200")
            time.sleep(HEAD_SECONDS * 1.5)


@contextmanager
def _exporter(folder: Path, configuration: str, *before: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    (folder / "exporters.yaml").write_text(configuration)
    port, log = free_port(), folder / "log"
    with log.open("wb") as output:
        command = [*before, *SERENO, "exporter", "all", "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: b"listening on" in log.read_bytes() or process.poll() is not None, what="the server")
            yield process, port, log
        finally:
            process.kill()
            process.wait(10)


CONFIGURATION = """\
version: sereno/v1
exporters:
  quotas:
    timeout: 50s
    targets: {plan: {quotas: [{name: a, limit: 5, read: {http: {url: "URL", field: a}}}]}}
"""


def test_more_connections_than_descriptors_are_no_flood_of_messages(tmp_path: Path) -> None:
    """The server refuses what it has no room for, writes nothing of it, and is there when they are gone."""
    few = ("bash", "-c", 'ulimit -n 256; exec "$@"', "bash")
    with _exporter(tmp_path, CONFIGURATION.replace("URL", "http://127.0.0.1:1"), *few) as (_, port, log):
        with ExitStack() as connections:
            for _ in range(400):
                client = connections.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                client.sendall(b"GET / HT")
            time.sleep(0.5)
            assert b"Traceback" not in log.read_bytes()
        wait_for(lambda: _status(f"http://127.0.0.1:{port}/health") == 200, what="room")
    assert len(log.read_bytes()) < 1_000


@pytest.mark.parametrize("descriptors", [64, 256, 1_024, 1 << 20])
def test_what_waits_to_be_closed_finds_descriptors_too(descriptors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server closes what it has no room for three turns after it took it: clients on all sides see to that."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert most_connections() + 4 * accepted_at_once() <= descriptors * 3 / 4
    assert accepted_at_once() >= 4


def _status(url: str) -> int | None:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code
    except httpx.TransportError:
        return None


def test_the_end_waits_for_no_target(tmp_path: Path) -> None:
    """SIGTERM within a scrape of a target that hangs: 503, no traceback, an end long before its timeout."""
    answers: list[int | None] = []
    with (
        misbehaving(hang) as target,
        _exporter(tmp_path, CONFIGURATION.replace("URL", target.url)) as (process, port, log),
    ):
        url = f"http://127.0.0.1:{port}/metrics"
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(url, trust_env=False, timeout=60).status_code)
        )
        asking.start()
        wait_for(lambda: target.asked, what="the scrape")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        asking.join(10)
    assert answers == [503]
    assert b"Traceback" not in log.read_bytes()
