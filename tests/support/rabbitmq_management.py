"""A real RabbitMQ with its management API and its own metrics, for tests: one for a worker, shared by virtual hosts."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pika  # type: ignore[import-untyped]
import pytest
from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]

from support.ports import free_port
from support.rabbitmq import Broker, running_rabbitmq
from support.waiting import wait_for


@dataclass(frozen=True, slots=True)
class ManagedBroker:
    """A running broker and its API."""

    broker: Broker
    management_port: int
    metrics_port: int

    @property
    def url(self) -> str:
        """Of the management API."""
        return f"http://127.0.0.1:{self.management_port}"

    def metrics(self, path: str = "/metrics") -> str:
        """What its own plugin rabbitmq_prometheus serves."""
        answer = httpx.get(f"http://127.0.0.1:{self.metrics_port}{path}", trust_env=False, timeout=10)
        return answer.raise_for_status().text

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the API answers to its administrator."""
        url = f"{self.url}/api{path}"
        answer = httpx.request(method, url, json=body, auth=("guest", "guest"), trust_env=False, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def add_vhost(self, name: str) -> None:
        """A virtual host that the administrator may use."""
        path = quote(name, safe="")
        self.call("PUT", f"/vhosts/{path}", {})
        self.call("PUT", f"/permissions/{path}/guest", {"configure": ".*", "write": ".*", "read": ".*"})

    def add_user(self, name: str, password: str, *, tags: str, vhosts: Iterable[str]) -> None:
        """A user who may touch no message in these virtual hosts, and only look."""
        self.call("PUT", f"/users/{name}", {"password": password, "tags": tags})
        for vhost in vhosts:
            rights = {"configure": "^$", "write": "^$", "read": "^$"}
            self.call("PUT", f"/permissions/{quote(vhost, safe='')}/{name}", rights)

    @contextmanager
    def channel(self, vhost: str) -> Iterator[BlockingChannel]:
        """A connection of its own to a virtual host."""
        url = self.broker.url.replace("%2F", quote(vhost, safe=""))
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0  # nobody answers any while other tests run: the broker would hang up after a minute
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            connection.close()


@pytest.fixture(scope="session")
def managed_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManagedBroker]:
    """The broker; it is gone when the session ends."""
    with running_managed_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@contextmanager
def running_managed_rabbitmq(folder: Path) -> Iterator[ManagedBroker]:
    """A broker with its files in `folder`."""
    port, metrics_port = free_port(), free_port()
    plugins = ["rabbitmq_management", "rabbitmq_prometheus"]
    lines = (
        "management.tcp.ip = 127.0.0.1",
        f"management.tcp.port = {port}",
        "prometheus.tcp.ip = 127.0.0.1",
        f"prometheus.tcp.port = {metrics_port}",
        "log.console.level = error",
    )
    with running_rabbitmq(folder, plugins=plugins, configuration="\n".join(lines)) as broker:
        managed = ManagedBroker(broker, port, metrics_port)
        wait_for(lambda: _answers(managed), what="the management API answers")
        yield managed


def _answers(managed: ManagedBroker) -> bool:
    try:
        return bool(managed.call("GET", "/overview"))
    except httpx.HTTPError:
        return False
