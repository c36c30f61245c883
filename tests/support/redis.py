"""A real Redis for tests: one server for a worker, on a free port of loopback, nothing on disk.

Tests share it by keys of their own names. Without Debian's redis-server on this machine the tests are skipped.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

marked = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server: make test-tools"),
    pytest.mark.xdist_group("redis"),
]
"""What a test that asks for `redis_port` carries: `pytestmark = marked`."""


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Redis; it is gone when the session ends."""
    port = free_port()
    with running_redis(tmp_path_factory.mktemp("redis"), port):
        yield port


@contextmanager
def running_redis(folder: Path, port: int, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis on this port, which a test may end before its time."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *flags]
    with (folder / "log").open("ab") as output:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: server.poll() is None and _answers(port), what="Redis answers")
        yield server
    finally:
        stop(server)


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        if client.connect_ex(("127.0.0.1", port)) != 0:
            return False
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
