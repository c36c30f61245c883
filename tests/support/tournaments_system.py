"""The real tournaments: four programs on real RabbitMQ, PostgreSQL and Redis, as processes of their own."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.ports import free_port
from support.postgresql import PostgresqlServer
from support.rabbitmq import Broker
from support.redis import running_redis
from support.waiting import wait_for

SYSTEMS = Path(__file__).parents[2] / "systems"
SOURCES = os.pathsep.join(str(SYSTEMS / name) for name in ("common", "tournaments"))
SERVICES = ("accounts", "catalogue", "tickets")
PASSWORD = "swordfish"  # noqa: S105 - of users that the tests make up


@dataclass
class Program:
    """One process."""

    name: str
    port: int
    admin_port: int
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        wait_for(self._answers, what=f"{self.name} answers", timeout_seconds=60)

    def begin(self) -> None:
        """Start it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SERENO_")}
        with (self.folder / f"{self.name}.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"tournaments.{self.name}"],
                env={**kept, **self.environment, "PYTHONPATH": SOURCES},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _answers(self) -> bool:
        """Whether it is healthy."""
        assert self.process.poll() is None, (self.folder / f"{self.name}.out").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait(timeout=10)

    def signal(self, number: signal.Signals) -> None:
        """Freeze it, or let it go on."""
        self.process.send_signal(number)

    def fault(self, name: str, *, on: bool) -> None:
        """Switch a fault."""
        url = f"http://127.0.0.1:{self.admin_port}/faults/{name}"
        (httpx.put(url, json={}) if on else httpx.delete(url)).raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; 0 where there is none."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@dataclass
class Tournaments:
    """All of it."""

    programs: Mapping[str, Program]
    broker: Broker
    postgresql: PostgresqlServer
    redis: subprocess.Popen[bytes]
    redis_port: int
    http: httpx.Client

    def user(self, role: str = "player") -> dict[str, str]:
        """The headers of a new user who has logged in."""
        who = {"name": f"{role}-{uuid.uuid4().hex}", "password": PASSWORD}
        assert self.http.post("/users", json={**who, "role": role}).status_code == 201
        answer = self.http.post("/tokens", json=who)
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def tournament(self, capacity: int) -> str:
        """A new tournament whose tickets are for sale."""
        answer = self.http.post(
            "/tournaments", json={"name": "Cup", "capacity": capacity}, headers=self.user("organizer")
        )
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["id"]
        player = self.user()
        # The first ticket shows that the event has come.
        wait_for(lambda: self.buy(number, player).status_code != 404, what="tickets are for sale")
        return number

    def buy(self, number: str, player: Mapping[str, str]) -> httpx.Response:
        """Try to buy a ticket."""
        return self.http.post(f"/tournaments/{number}/tickets", headers=dict(player))

    def sold(self, number: str) -> int:
        """What the catalogue says."""
        document: dict[str, Any] = self.http.get(f"/tournaments/{number}").json()
        return int(document["sold"])


@pytest.fixture(scope="module")
def tournaments(
    tmp_path_factory: pytest.TempPathFactory, rabbitmq: Broker, postgresql: PostgresqlServer
) -> Iterator[Tournaments]:
    """The system; it is gone afterwards."""
    folder = tmp_path_factory.mktemp("tournaments")
    redis_port = free_port()
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(folder, redis_port))
        programs = {}
        for name in (*SERVICES, "gateway"):
            port, admin_port = free_port(), free_port()
            prefix = name.upper()
            environment = {
                f"{prefix}_PORT": str(port),
                f"{prefix}_ADMIN_PORT": str(admin_port),
                f"{prefix}_BROKER_URL": rabbitmq.url,
                f"{prefix}_SECRET_FILE": str(folder / "secret"),
                f"{prefix}_LOG_FILE": str(folder / f"{name}.log"),
            }
            if name == "gateway":
                environment["GATEWAY_REDIS_URL"] = f"redis://127.0.0.1:{redis_port}/0"
            else:
                environment[f"{prefix}_DATABASE_URL"] = postgresql.url(f"tournaments_{name}")
            programs[name] = Program(name, port, admin_port, environment, folder)
            programs[name].begin()
            stack.callback(programs[name].kill)
        for program in programs.values():
            program.wait()
        http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{programs['gateway'].port}", timeout=10))
        yield Tournaments(programs, rabbitmq, postgresql, redis, redis_port, http)
