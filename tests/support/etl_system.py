"""The real pipeline: its programs as processes of their own, on real PostgreSQL, RabbitMQ and moto."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.closable_door import ClosableDoor
from support.moto import REGION
from support.ports import free_port
from support.postgresql import PostgresqlServer
from support.rabbitmq import Broker
from support.waiting import wait_for

SYSTEMS = Path(__file__).parents[2] / "systems"
SOURCES = os.pathsep.join(str(SYSTEMS / name) for name in ("common", "etl"))
PROGRAMS = ("upstream", "extract", "transform", "load", "api")


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child: ours, without what would configure the program from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETL_", "SERENO_"))}
    return {**kept, "PYTHONPATH": SOURCES, **variables}


@dataclass
class Program:
    """One process."""

    name: str
    folder: Path
    variables: Mapping[str, str]
    port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Its ECS log."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it."""
        own = {
            "ETL_PORT": str(self.port),
            "ETL_ADMIN_PORT": str(self.admin_port),
            "ETL_LOG_FILE": str(self.log),
        }
        with (self.folder / f"{self.name}.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"etl.{self.name}"],
                env=environment(**self.variables, **own),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        """Until it answers."""
        wait_for(self._answers, what=f"{self.name} answers")

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self) -> float:
        """SIGTERM; how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, (self.folder / f"{self.name}.out").read_text()
        return time.monotonic() - began

    def fault(self, name: str, **parameters: float) -> None:
        """Switch a fault on."""
        httpx.put(f"http://127.0.0.1:{self.admin_port}/faults/{name}", json=parameters).raise_for_status()

    def no_fault(self, name: str) -> None:
        """Switch a fault off."""
        httpx.delete(f"http://127.0.0.1:{self.admin_port}/faults/{name}").raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; 0 where there is none."""
        text = httpx.get(f"{self.url}/metrics", timeout=5).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def messages(self, level: str) -> list[str]:
        """What it has logged at a level."""
        documents = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [str(document["message"]) for document in documents if document["log.level"] == level]

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / f"{self.name}.out").read_text()
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False


UNTOLD = "SELECT count(*) FROM etl.batches WHERE published_at IS NULL AND loaded_at IS NULL"
"""Batches that transform is still to be told of. One that extract told of, and was killed before it wrote that down, is
loaded all the same and never told again."""


@dataclass
class Pipeline:
    """All of it, and the ways to its servers."""

    programs: Mapping[str, Program]
    database_url: str
    broker: Broker
    database_door: ClosableDoor
    broker_door: ClosableDoor
    objects: Any
    bucket: str

    def __getitem__(self, name: str) -> Program:
        return self.programs[name]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def value(self, query: str) -> Any:
        """The one value that a query answers."""
        return self.rows(query)[0][0]

    def batches(self) -> int:
        """How many are loaded."""
        return int(self.value("SELECT count(*) FROM etl.batches WHERE loaded_at IS NOT NULL"))

    def get(self, path: str) -> httpx.Response:
        """Ask the API."""
        return httpx.get(self["api"].url + path, timeout=10)

    def more_batches(self, count: int = 1) -> None:
        """Wait until so many more are loaded."""
        goal = self.batches() + count
        wait_for(lambda: self.batches() >= goal, what=f"{goal} batches are loaded")

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nothing is extracted within the block, and nothing is on its way."""
        wait_for(self._stands_between_runs, what="extract stands between two runs")
        try:
            wait_for(lambda: self._on_their_way() == 0, what="everything is loaded")
            yield
        finally:
            self["extract"].process.send_signal(signal.SIGCONT)

    def _stands_between_runs(self) -> bool:
        """Freeze it where all that the ledger knows was told to transform; let it go on if that isn't so any more.

        It is left alone until then: a program that is frozen for most of the time doesn't reach its servers in time.
        """
        if self._not_told() > 0:
            return False
        self["extract"].process.send_signal(signal.SIGSTOP)
        if self._not_told() == 0:
            return True
        self["extract"].process.send_signal(signal.SIGCONT)
        return False

    def _not_told(self) -> int:
        return int(self.value(UNTOLD))

    def _on_their_way(self) -> int:
        return int(self.value("SELECT count(*) FROM etl.batches WHERE loaded_at IS NULL"))


@contextmanager
def running_pipeline(folder: Path, broker: Broker, database: PostgresqlServer, moto: str) -> Iterator[Pipeline]:
    """All programs over these servers, a first batch loaded; they are gone afterwards."""
    name = f"etl_{free_port()}"
    database.run(f"CREATE DATABASE {name}")
    database_door, broker_door = ClosableDoor(database.port), ClosableDoor(broker.port)
    with ExitStack() as stack:
        for door in (database_door, broker_door):
            door.open()
            stack.callback(door.close)
        variables = {
            "ETL_DATABASE_URL": database.url(name).replace(str(database.port), str(database_door.port)),
            "ETL_BROKER_URL": broker.url.replace(str(broker.port), str(broker_door.port)),
            "ETL_OBJECTS_URL": moto,
            "ETL_BUCKET": f"raw-{free_port()}",
            "ETL_PERIOD_SECONDS": "1",
            "ETL_ORDERS_PER_SECOND": "20",
        }
        programs = {each: Program(each, folder, variables) for each in PROGRAMS}
        variables["ETL_UPSTREAM_URL"] = programs["upstream"].url
        variables["ETL_EXTRACT_URL"] = programs["extract"].url
        for program in programs.values():
            program.begin()
            stack.callback(program.kill)
        for program in programs.values():
            program.wait()
        account = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        objects = boto3.client("s3", region_name=REGION, endpoint_url=moto, **account)
        stack.callback(objects.close)
        bucket = variables["ETL_BUCKET"]
        running = Pipeline(programs, database.url(name), broker, database_door, broker_door, objects, bucket)
        # Programs answer before they have reached their servers: one of them makes the tables when it does.
        wait_for(lambda: running.value("SELECT to_regclass('etl.batches')"), what="the tables are made")
        running.more_batches()
        yield running


@pytest.fixture(scope="session")
def pipeline(
    tmp_path_factory: pytest.TempPathFactory, rabbitmq: Broker, postgresql: PostgresqlServer, moto: str
) -> Iterator[Pipeline]:
    """The pipeline, for all tests of a worker."""
    with running_pipeline(tmp_path_factory.mktemp("etl"), rabbitmq, postgresql, moto) as running:
        yield running
