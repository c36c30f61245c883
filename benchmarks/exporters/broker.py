"""A real RabbitMQ for a benchmark: on free ports, with its management API and its own metrics, and queues in use."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pika  # type: ignore[import-untyped]

# Not /usr/sbin/rabbitmq-server: that one changes to the rabbitmq user and its data.
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    port: int
    management_url: str
    metrics_url: str


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A broker with its files in `folder`."""
    if not SCRIPT.exists():
        raise SystemExit("rabbitmq-server is not installed: scripts/install-test-tools")
    port, management, metrics, epmd_port, distribution = (free_port() for _ in range(5))
    (folder / "environment").write_text("")
    (folder / "plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    lines = (
        "management.tcp.ip = 127.0.0.1",
        f"management.tcp.port = {management}",
        "prometheus.tcp.ip = 127.0.0.1",
        f"prometheus.tcp.port = {metrics}",
        "log.console.level = error",
    )
    (folder / "rabbitmq.conf").write_text("\n".join(lines))
    environment = _environment(folder, port, epmd_port, distribution)
    broker = Broker(port, f"http://127.0.0.1:{management}", f"http://127.0.0.1:{metrics}")
    # Started here, and not by Erlang itself: as a child it is ended by its own id.
    with _child(["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)], environment, folder):
        _wait_for(lambda: listens(epmd_port), "epmd listens")
        with _child([str(SCRIPT)], environment, folder):
            _wait_for(lambda: listens(port) and listens(management) and listens(metrics), "RabbitMQ listens")
            yield broker


@contextmanager
def busy_queues(broker: Broker, count: int) -> Iterator[None]:
    """So many queues with dead letters, in each one message that waits, one that is held and one that was done."""
    parameters = pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{broker.port}/%2F")
    parameters.heartbeat = 0
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        channel.exchange_declare("dead", "fanout")
        channel.queue_declare("dead")
        channel.queue_bind("dead", "dead")
        for number in range(count):
            queue = f"orders-{number}"
            channel.queue_declare(queue, arguments={"x-dead-letter-exchange": "dead"})
            for _ in range(3):
                channel.basic_publish("", queue, b"x", pika.BasicProperties(timestamp=int(time.time())))
            channel.basic_ack(channel.basic_get(queue)[0].delivery_tag)
            channel.basic_get(queue)
        _wait_for(lambda: _has_figures(broker, count), "RabbitMQ's figures of all queues")
        yield
    finally:
        connection.close()


def _has_figures(broker: Broker, count: int) -> bool:
    with httpx.Client(trust_env=False, timeout=60, auth=("guest", "guest")) as client:
        queues = client.get(f"{broker.management_url}/api/queues", params={"columns": "name,message_stats"}).json()
    return sum("ack" in queue.get("message_stats", {}) for queue in queues) == count


def _environment(folder: Path, port: int, epmd_port: int, distribution_port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
    own = {
        "HOME": folder,  # the Erlang cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": epmd_port,
        "RABBITMQ_CONF_ENV_FILE": folder / "environment",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_DIST_PORT": distribution_port,
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_NODENAME": f"sereno-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # no spinning schedulers beside what is measured
    }
    return {**kept, **{name: str(value) for name, value in own.items()}}


@contextmanager
def _child(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / "start.log").open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(holds: Callable[[], bool], what: str) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while not holds():
        if time.monotonic() > ends_at:
            raise SystemExit(f"{what}: not within {_START_SECONDS:.0f} s")
        time.sleep(0.2)


def listens(port: int) -> bool:
    """Whether somebody does on this port of loopback."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
