"""A real RabbitMQ for tests: one broker for a worker, on free ports, with its own epmd, data and Erlang cookie.

Tests share it by queues of their own names; the xdist group keeps them on one worker, so that there is one broker, but
nothing breaks where they are spread. Without Debian's rabbitmq-server on this machine the tests are skipped.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

# Not /usr/sbin/rabbitmq-server: that one changes to the rabbitmq user and its data.
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = 60.0

marked = [
    pytest.mark.skipif(
        not SCRIPT.exists() or shutil.which("epmd") is None, reason="needs rabbitmq-server: make test-tools"
    ),
    pytest.mark.xdist_group("rabbitmq"),
]
"""What a test that asks for `rabbitmq` carries: `pytestmark = marked`."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    port: int

    @property
    def url(self) -> str:
        """Where clients connect, without heartbeats: tests are short."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker; it is gone when the session ends."""
    with running_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@contextmanager
def running_rabbitmq(folder: Path, *, plugins: Sequence[str] = (), configuration: str = "") -> Iterator[Broker]:
    """A broker with its files in `folder`, and what rabbitmq.conf says."""
    port, epmd_port, distribution_port = free_port(), free_port(), free_port()
    log = folder / "start.log"
    environment = _environment(folder, port, epmd_port, distribution_port)
    (folder / "plugins").write_text(f"[{','.join(plugins)}].\n")
    (folder / "rabbitmq.conf").write_text(configuration)
    with log.open("ab") as output:
        # Started here, and not by Erlang itself: as a child it is ended by its own id.
        epmd = subprocess.Popen(
            ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(lambda: _listens(epmd_port), what="epmd listens")
            server = subprocess.Popen(
                [SCRIPT], env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            try:
                wait_for(
                    lambda: _up(server, port, log), what=f"RabbitMQ listens ({log})", timeout_seconds=START_SECONDS
                )
                yield Broker(port)
            finally:
                stop(server)
        finally:
            stop(epmd)


def _environment(folder: Path, port: int, epmd_port: int, distribution_port: int) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    (folder / "environment").write_text("")
    return {
        **kept,
        "HOME": str(folder),  # the Erlang cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_NODENAME": f"sereno-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # the machine is shared: no spinning schedulers
    }


def _up(server: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
    return _listens(port)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
