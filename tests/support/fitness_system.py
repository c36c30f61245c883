"""The real Fitness: all its programs on real PostgreSQL and Redis, as processes of their own."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from support.ports import free_port
from support.postgresql import PostgresqlServer
from support.redis import running_redis
from support.waiting import wait_for

SYSTEMS = Path(__file__).parents[2] / "systems"
SOURCES = os.pathsep.join(str(SYSTEMS / name) for name in ("common", "fitness"))
PREFIXES = ("USERS_", "PAYMENTS_", "PAYMENT_NETWORK_", "METRICS_", "INGRESS_", "SERENO_")
KEY = "the key of tests, and of nothing else: 0123456789"
PASSWORD = "correct horse"  # noqa: S105 - of people that the tests make up
DATABASE = "fitness"


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child: ours, without what would configure the programs from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    return {**kept, "PYTHONPATH": SOURCES, **variables}


@dataclass
class Program:
    """One process."""

    name: str
    folder: Path
    variables: Mapping[str, str]
    port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait_healthy()

    def begin(self) -> None:
        """Start it."""
        prefix = self.name.upper() + "_"
        told = {"PORT": str(self.port), "ADMIN_PORT": str(self.admin_port), "LOG_FILE": str(self.log)}
        variables = {f"{prefix}{name}": value for name, value in {**told, **self.variables}.items()}
        with (self.folder / f"{self.name}.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"fitness.{self.name}"],
                env=environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_healthy(self) -> None:
        """Wait until it answers."""
        wait_for(self._answers, what=f"{self.name} answers")

    def kill(self) -> None:
        """As a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)

    def signal(self, number: int) -> None:
        """Freeze it, or let it go on."""
        assert self.process is not None
        self.process.send_signal(number)

    def fault(self, name: str, *, on: bool, **parameters: float) -> None:
        """Switch a fault."""
        url = f"http://127.0.0.1:{self.admin_port}/faults/{name}"
        (httpx.put(url, json=parameters) if on else httpx.delete(url)).raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; they must exist."""
        values = [
            sample.value
            for family in text_string_to_metric_families(httpx.get(f"{self.url}/metrics", timeout=5).text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert values, f"no sample {name}{labels}"
        return sum(values)

    @property
    def log(self) -> Path:
        """Its ECS log."""
        return self.folder / f"{self.name}.log"

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """The log's lines with these values; `log__level` stands for `log.level`."""
        wanted = {key.replace("__", "."): value for key, value in having.items()}
        documents = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [document for document in documents if wanted.items() <= document.items()]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / f"{self.name}.out").read_text()
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False


@dataclass
class Fitness:
    """All of it, behind its ingress."""

    programs: Mapping[str, Program]
    http: httpx.Client
    postgresql: PostgresqlServer
    redis_port: int
    redis_folder: Path
    stack: ExitStack
    redis_servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hold_consumer(self) -> None:
        """Switch `consumer-stuck` on, and wait until the consumer has noticed: it may be waiting for an event."""
        consumer = self.programs["metrics_consumer"]
        consumer.fault("consumer-stuck", on=True)
        activity = "messaging_consumer_last_activity_timestamp_seconds"
        wait_for(lambda: time.time() - consumer.metric(activity) > 2, what="the consumer is stuck")

    def sign_up(self) -> dict[str, str]:
        """Somebody new: name and password."""
        who = {"name": f"runner-{uuid.uuid4().hex}", "password": PASSWORD}
        assert self.http.post("/users", json=who).status_code == 201
        return who

    def log_in(self, who: Mapping[str, str]) -> dict[str, str]:
        """The headers of somebody who has logged in."""
        answer = self.http.post("/sessions", json=dict(who))
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def admin(self) -> dict[str, str]:
        """The headers of the administrator."""
        return self.log_in({"name": "admin", "password": PASSWORD})

    def train(self, headers: Mapping[str, str], kind: str = "run") -> httpx.Response:
        """Create a training."""
        return self.http.post("/trainings", json={"type": kind, "minutes": 30}, headers=dict(headers))

    def pay(self, headers: Mapping[str, str], card_number: str = "4242424242424242") -> httpx.Response:
        """Pay."""
        payment = {"amount_cents": 995, "currency": "EUR", "card_number": card_number}
        return self.http.post("/payments", json=payment, headers=dict(headers))

    def waiting(self) -> int:
        """Events in the outbox."""
        return int(self.sql("SELECT count(*) FROM users.outbox"))

    def everything_arrived(self) -> None:
        """Wait until nothing is on its way."""
        wait_for(lambda: self.waiting() == 0, what="the metrics store has every event")

    def stored(self, kind: str) -> int:
        """Events of a kind in the store."""
        return int(self.sql(f"SELECT count(*) FROM metrics.events WHERE document->>'kind' = '{kind}'"))  # noqa: S608 - ours

    def sql(self, query: str) -> str:
        """Ask the database itself."""
        command = ["psql", "-qXAt", "-c", query, self.postgresql.url(DATABASE)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    def redis(self) -> redis.Redis:
        """A client of the queue's Redis."""
        return redis.Redis(port=self.redis_port, socket_timeout=5)

    def stop_redis(self) -> None:
        """As a crash would; nothing of it is on disk."""
        self.redis_servers[-1].kill()
        self.redis_servers[-1].wait(timeout=10)

    def start_redis(self) -> None:
        """On the same port, and empty."""
        self.redis_servers.append(self.stack.enter_context(running_redis(self.redis_folder, self.redis_port)))


@contextmanager
def running_fitness(folder: Path, postgresql: PostgresqlServer) -> Iterator[Fitness]:
    """Start everything; it is gone afterwards."""
    redis_port = free_port()
    postgresql.run(f"CREATE DATABASE {DATABASE}")
    database = {"DATABASE_URL": postgresql.url(DATABASE)}
    queue, key = {"REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"}, {"JWT_KEY": KEY}
    network = Program("payment_network", folder, {})
    payments = Program(
        "payments", folder, {**database, **key, "NETWORK_URL": network.url, "NETWORK_TIMEOUT_MILLISECONDS": "500"}
    )
    metrics = Program("metrics_api", folder, {**database, **key})
    consumer = Program("metrics_consumer", folder, {**database, **queue})
    users = Program(
        "users", folder, {**database, **queue, **key, "ADMIN_PASSWORD": PASSWORD, "METRICS_URL": metrics.url}
    )
    ingress = Program(
        "ingress",
        folder,
        {
            "USERS_URL": users.url,
            "PAYMENTS_URL": payments.url,
            "METRICS_URL": metrics.url,
            "TIMEOUT_MILLISECONDS": "1500",
        },
    )
    programs = {each.name: each for each in (network, payments, metrics, consumer, users, ingress)}
    try:
        with ExitStack() as stack:
            http = stack.enter_context(httpx.Client(base_url=ingress.url, timeout=10))
            system = Fitness(programs, http, postgresql, redis_port, folder, stack)
            system.start_redis()
            for program in programs.values():
                program.begin()
            for program in programs.values():
                program.wait_healthy()
            yield system
    finally:
        for program in programs.values():
            program.kill()
        postgresql.run(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def fitness(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresqlServer) -> Iterator[Fitness]:
    """The system."""
    with running_fitness(tmp_path_factory.mktemp("fitness"), postgresql) as system:
        yield system
