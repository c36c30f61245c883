"""Real parts of this system: a database of a test's own, AWS as moto's server, and both programs on them."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.moto import REGION, moto
from support.ports import free_port
from support.postgresql import PostgresqlServer, postgresql
from support.waiting import wait_for

__all__ = ["moto", "postgresql"]

AWS_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def database_url(postgresql: PostgresqlServer) -> Iterator[str]:
    """A database that doesn't exist yet."""
    name = f"transactions_{uuid.uuid4().hex[:12]}"
    yield postgresql.url(name)
    postgresql.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Region and credentials, as boto3 finds them."""
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@dataclass(frozen=True)
class Program:
    """One running program."""

    url: str
    admin: str
    log: Path
    process: subprocess.Popen[str]

    def get(self, path: str) -> httpx.Response:
        """Read."""
        return httpx.get(self.url + path)

    def post(self, amount_cents: int = 100) -> httpx.Response:
        """Post a transaction."""
        body = {"account": "A-1", "amount_cents": amount_cents, "currency": "EUR"}
        return httpx.post(f"{self.url}/transactions", json=body)

    def fault(self, name: str, **parameters: float) -> None:
        """Switch a fault on."""
        httpx.put(f"{self.admin}/faults/{name}", json=parameters).raise_for_status()

    def no_fault(self, name: str) -> None:
        """Switch a fault off."""
        httpx.delete(f"{self.admin}/faults/{name}").raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; they must exist."""
        values = [
            sample.value
            for family in text_string_to_metric_families(self.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert values, f"no sample {name}{labels}"
        return float(sum(values))

    def stop(self) -> None:
        """SIGTERM, and a clean end."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0


@dataclass(frozen=True)
class FullSystem:
    """API and subscriber on one database and one topic."""

    start: Callable[..., Program]
    database_url: str
    topic: str

    def api(self) -> Program:
        """Start the API."""
        return self.start("transactions_api")

    def subscriber(self, **variables: str) -> Program:
        """Start the subscriber."""
        return self.start("transactions_api.subscribe", **variables)


@pytest.fixture
def full_system(
    database_url: str, moto: str, tmp_path: Path, child_environment: Callable[..., dict[str, str]]
) -> Iterator[FullSystem]:
    """Programs that a test starts; they are gone afterwards."""
    topic = f"transactions-{uuid.uuid4().hex[:12]}"
    told = {
        "TRANSACTIONS_DATABASE_URL": database_url,
        "TRANSACTIONS_SNS_TOPIC": topic,
        "TRANSACTIONS_AWS_ENDPOINT_URL": moto,
        **AWS_ENVIRONMENT,
    }
    with ExitStack() as stack:

        def start(module: str, **variables: str) -> Program:
            environment = child_environment(**told, **variables)
            return stack.enter_context(running(module, environment, tmp_path))

        yield FullSystem(start, database_url, topic)


@contextmanager
def running(module: str, environment: dict[str, str], folder: Path) -> Iterator[Program]:
    """A program that answers."""
    port, admin_port = free_port(), free_port()
    log = folder / f"{module}-{port}.log"
    environment |= {
        "TRANSACTIONS_PORT": str(port),
        "TRANSACTIONS_ADMIN_PORT": str(admin_port),
        "TRANSACTIONS_LOG_FILE": str(log),
    }
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        program = Program(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", log, process)
        try:
            wait_for(lambda: _answers(program), what=f"{module} answers")
            yield program
        finally:
            if process.poll() is None:
                process.kill()


def _answers(program: Program) -> bool:
    assert program.process.poll() is None, program.process.communicate()[1]
    try:
        return program.get("/health").is_success and httpx.get(f"{program.admin}/faults").is_success
    except httpx.TransportError:
        return False


def ended(module: str, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and messages of a program that can't start."""
    done = subprocess.run(
        [sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


@pytest.fixture
def run_to_its_end(child_environment: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Runs a module with variables; exit code and messages."""
    return lambda module, **variables: ended(module, child_environment(**variables))
