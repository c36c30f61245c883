"""The programs of devops-events in processes of their own, on real servers, for tests."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pika  # type: ignore[import-untyped]
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import postgresql, rabbitmq, redis
from support.ports import free_port
from support.postgresql import PostgresqlServer
from support.rabbitmq_management import ManagedBroker
from support.waiting import wait_for

ROOT = Path(__file__).parents[2]
SOURCES = os.pathsep.join(str(ROOT / "systems" / name) for name in ("common", "devops-events"))

marked = [
    *(mark for each in (postgresql, rabbitmq, redis) for mark in each.marked if mark.name == "skipif"),
    pytest.mark.xdist_group("devops_events"),
]
"""What a test that asks for `places` carries: `pytestmark = marked`."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where one test's programs find servers: a virtual host, a database and an empty Redis of its own."""

    folder: Path
    broker: str
    database: str
    redis: str

    @property
    def secrets(self) -> Path:
        """The folder that platforms and nodes share."""
        return self.folder / "secrets"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds; nothing while there is no such table."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            try:
                return connection.execute(sql.encode()).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A connection to the broker."""
        connection = pika.BlockingConnection(pika.URLParameters(self.broker))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def waiting(self, queue: str) -> int:
        """How many messages wait on a queue, which must exist."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)


@contextmanager
def made_places(folder: Path, server: PostgresqlServer, managed: ManagedBroker, redis_url: str) -> Iterator[Places]:
    """Fresh places on servers that run."""
    name = f"devops_events_{uuid.uuid4().hex[:12]}"
    server.run(f"CREATE DATABASE {name};")
    managed.add_vhost(name)
    yield Places(folder, managed.broker.url.replace("%2F", name), server.url(name), redis_url)
    managed.call("DELETE", f"/vhosts/{name}")


@dataclass(frozen=True)
class Program:
    """One running program."""

    module: str
    url: str
    admin: str
    log: Path
    process: subprocess.Popen[str]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; they must exist."""
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        values = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert values, f"no sample {name}{labels}"
        return float(sum(values))

    def fault(self, name: str, **parameters: float) -> None:
        """Switch a fault on."""
        httpx.put(f"{self.admin}/faults/{name}", json=parameters, trust_env=False).raise_for_status()

    def no_fault(self, name: str) -> None:
        """Switch a fault off."""
        httpx.delete(f"{self.admin}/faults/{name}", trust_env=False).raise_for_status()

    def stop(self) -> None:
        """SIGTERM; it ends well, within five seconds."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0


@contextmanager
def running(module: str, folder: Path, *arguments: str, health: str = "/health", **variables: str) -> Iterator[Program]:
    """`python -m` a program of the system, with ports of its own; it is gone afterwards."""
    port, admin_port = free_port(), free_port()
    log = folder / f"{module}-{port}.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEVOPS_EVENTS_", "SERENO_"))}
    told = {
        "PYTHONPATH": SOURCES,
        "DEVOPS_EVENTS_PORT": str(port),
        "DEVOPS_EVENTS_ADMIN_PORT": str(admin_port),
        "DEVOPS_EVENTS_LOG_FILE": str(log),
        **variables,
    }
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], env={**kept, **told}, stderr=subprocess.PIPE, text=True
    ) as process:
        program = Program(module, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", log, process)
        try:
            wait_for(lambda: _answers(program, health), what=f"{module} answers")
            yield program
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()


def _answers(program: Program, health: str) -> bool:
    assert program.process.poll() is None, program.process.communicate()[1]
    try:
        return httpx.get(f"{program.url}{health}", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def ingestion(places: Places, node: str = "node-1", **variables: str) -> Iterator[Program]:
    """An ingestion node."""
    told = {
        "DEVOPS_EVENTS_NODE": node,
        "DEVOPS_EVENTS_SECRETS": str(places.secrets),
        "DEVOPS_EVENTS_BROKER": places.broker,
        "DEVOPS_EVENTS_CLAIMS": places.redis,
    }
    with running("devops_events.ingestion", places.folder, **(told | variables)) as program:
        yield program


@contextmanager
def processing(places: Places, **variables: str) -> Iterator[Program]:
    """A processing worker."""
    told = {"DEVOPS_EVENTS_BROKER": places.broker, "DEVOPS_EVENTS_DATABASE": places.database}
    with running("devops_events.processing", places.folder, **(told | variables)) as program:
        yield program


@contextmanager
def watcher(places: Places, nodes: Sequence[Program], answers_port: int, **variables: str) -> Iterator[Program]:
    """The watcher of these nodes."""
    told = {
        "DEVOPS_EVENTS_NODES": ",".join(node.admin for node in nodes),
        "DEVOPS_EVENTS_ANSWERS_PORT": str(answers_port),
        "DEVOPS_EVENTS_DATABASE": places.database,
    }
    with running("devops_events.watcher", places.folder, **(told | variables)) as program:
        yield program


@contextmanager
def gateway(places: Places, nodes: Sequence[Program], answers_port: int, **variables: str) -> Iterator[Program]:
    """NGINX in front of these nodes, or what takes its place."""
    told = {
        "DEVOPS_EVENTS_NODES": ",".join(node.url for node in nodes),
        "DEVOPS_EVENTS_ANSWERS_PORT": str(answers_port),
        "DEVOPS_EVENTS_FILES": str(places.folder / "gateway"),
    }
    with running("devops_events.gateway", places.folder, **(told | variables)) as program:
        yield program


@contextmanager
def generator(places: Places, targets: Sequence[str], **variables: str) -> Iterator[Program]:
    """Platforms that deliver there."""
    told = {"DEVOPS_EVENTS_TARGETS": ",".join(targets), "DEVOPS_EVENTS_SECRETS": str(places.secrets)}
    with running("devops_events.generator", places.folder, **(told | variables)) as program:
        yield program
