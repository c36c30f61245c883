"""AWS on loopback: moto's server as a process of its own, on a free port."""

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

MOTO_CREDENTIALS = {"id": "AKIATEST", "secret": "a-secret"}
"""moto takes any."""


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an AWS that the session shares; tests use names of their own."""
    with running_moto(tmp_path_factory.mktemp("moto")) as (url, _):
        yield url


@contextmanager
def running_moto(folder: Path, port: int | None = None) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """An AWS with its address and its process; its log is in the folder."""
    port = port or free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "moto.log").open("ab") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: server.poll() is None and _answers(url), what="moto answers")
        yield url, server
    finally:
        stop(server)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/moto-api/data.json", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False
