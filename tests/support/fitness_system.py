"""The real Fitness: its programs on real PostgreSQL and Redis, as processes of their own."""

import os
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
from support.redis import running_redis
from support.waiting import wait_for

SYSTEMS = Path(__file__).parents[2] / "systems"
SOURCES = os.pathsep.join(str(SYSTEMS / name) for name in ("common", "fitness"))
KEY = "a key of sixty-four bytes that nobody but these tests has or needs"
PASSWORD = "a password of tests"  # noqa: S105 - of people who don't exist
GOOD_CARD, POOR_CARD = "4242424242424242", "4000000000000051"
PREFIXES = {
    "payment_network": "PAYMENT_NETWORK_",
    "metrics_consumer": "METRICS_CONSUMER_",
    "metrics_api": "METRICS_API_",
    "payments": "PAYMENTS_",
    "users": "USERS_",
    "ingress": "INGRESS_",
}


@dataclass
class Program:
    """One process."""

    name: str
    port: int
    admin_port: int
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

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
                [sys.executable, "-m", f"fitness.{self.name}"],
                env={**kept, **self.environment, "PYTHONPATH": SOURCES},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait(timeout=10)

    def fault(self, name: str, *, on: bool) -> None:
        """Switch a fault."""
        url = f"http://127.0.0.1:{self.admin_port}/faults/{name}"
        (httpx.put(url, json={}) if on else httpx.delete(url)).raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; 0 where there is none."""
        text = httpx.get(f"{self.url}/metrics", timeout=5).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / f"{self.name}.out").read_text()
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False


@dataclass
class Fitness:
    """All of it."""

    programs: Mapping[str, Program]
    folder: Path
    redis_port: int
    redis: ExitStack
    http: httpx.Client

    def forget_redis(self) -> None:
        """Another Redis takes the place of this one, which has lost its memory."""
        self.redis.close()
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir()
        self.redis.enter_context(running_redis(folder, self.redis_port))

    def sign_up(self) -> tuple[str, str]:
        """A new member: id and name."""
        name = f"member-{uuid.uuid4().hex[:12]}"
        answer = self.http.post("/users", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], name

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Try to log in."""
        return self.http.post("/sessions", json={"name": name, "password": password})

    def member(self) -> tuple[str, dict[str, str]]:
        """A new member who has logged in: name, headers."""
        _, name = self.sign_up()
        return name, {"authorization": f"Bearer {self.log_in(name).json()['token']}"}

    def train(self, headers: Mapping[str, str], minutes: int = 30) -> httpx.Response:
        """Create a training."""
        return self.http.post("/trainings", json={"type": "run", "minutes": minutes}, headers=dict(headers))

    def waiting(self) -> float:
        """Events that the metrics store hasn't got, as the users service knows it."""
        return self.programs["users"].metric("fitness_events_waiting")

    def report(self, name: str, headers: Mapping[str, str]) -> Any:
        """What the metrics API says."""
        return self.http.get(f"/reports/{name}", headers=dict(headers)).raise_for_status().json()


@pytest.fixture(scope="module")
def fitness(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresqlServer) -> Iterator[Fitness]:
    """The system on a database of its own; it is gone afterwards."""
    folder = tmp_path_factory.mktemp("fitness")
    database = f"fitness_{uuid.uuid4().hex[:8]}"
    postgresql.run(f"CREATE DATABASE {database};")
    redis_port, ports = free_port(), {name: (free_port(), free_port()) for name in PREFIXES}
    servers = {"DATABASE_URL": postgresql.url(database), "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"}
    told = {
        "payment_network": {},
        "metrics_consumer": servers,
        "metrics_api": {"DATABASE_URL": servers["DATABASE_URL"], "JWT_KEY": KEY},
        "payments": {
            "DATABASE_URL": servers["DATABASE_URL"],
            "JWT_KEY": KEY,
            "NETWORK_URL": f"http://127.0.0.1:{ports['payment_network'][0]}",
        },
        "users": {
            **servers,
            "JWT_KEY": KEY,
            "ADMIN_PASSWORD": PASSWORD,
            "METRICS_URL": f"http://127.0.0.1:{ports['metrics_api'][0]}",
        },
        "ingress": {
            f"{name.upper()}_URL": f"http://127.0.0.1:{ports[program][0]}"
            for name, program in (("users", "users"), ("payments", "payments"), ("metrics", "metrics_api"))
        },
    }
    with ExitStack() as stack:
        redis = stack.enter_context(ExitStack())
        redis.enter_context(running_redis(folder, redis_port))
        programs = {}
        for name, prefix in PREFIXES.items():
            port, admin_port = ports[name]
            environment = {
                f"{prefix}PORT": str(port),
                f"{prefix}ADMIN_PORT": str(admin_port),
                f"{prefix}LOG_FILE": str(folder / f"{name}.log"),
                **{f"{prefix}{key}": value for key, value in told[name].items()},
            }
            programs[name] = Program(name, port, admin_port, environment, folder)
            programs[name].begin()
            stack.callback(programs[name].kill)
        for program in programs.values():
            program.wait()
        http = stack.enter_context(httpx.Client(base_url=programs["ingress"].url, timeout=15))
        yield Fitness(programs, folder, redis_port, redis, http)
