"""AWS as moto's server, a process on a free port: one for a session, shared by resources of their own names."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of its endpoint; it is gone when the session ends."""
    port = free_port()
    with running_moto(tmp_path_factory.mktemp("moto"), port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_moto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server on this port, which a test may end before its time."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "log").open("ab") as output:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: server.poll() is None and _answers(port), what="moto answers", timeout_seconds=60)
        yield server
    finally:
        stop(server)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/moto-api/", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
