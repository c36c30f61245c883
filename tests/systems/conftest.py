"""A real Transactions API in a process of its own, for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.ports import free_port
from support.waiting import wait_for

SYSTEMS = Path(__file__).parents[2] / "systems"
SOURCES = os.pathsep.join(str(SYSTEMS / name) for name in ("common", "transactions-api"))


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child: ours, without what would configure the service from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRANSACTIONS_", "SERENO_"))}
    return {**kept, "PYTHONPATH": SOURCES, **variables}


@dataclass(frozen=True)
class Service:
    """One running service."""

    url: str
    admin: str
    log: Path
    database: Path
    process: subprocess.Popen[str]

    def post(self, **fields: Any) -> httpx.Response:
        """Post a transaction; a right one unless fields say otherwise."""
        return httpx.post(
            f"{self.url}/transactions", json={"account": "A-1", "amount_cents": 100, "currency": "EUR", **fields}
        )

    def get(self, path: str = "/transactions") -> httpx.Response:
        """Read."""
        return httpx.get(self.url + path)

    def fault(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Switch a fault on."""
        answer = httpx.put(f"{self.admin}/faults/{name}", json=parameters).raise_for_status()
        described: dict[str, Any] = answer.json()
        return described

    def no_fault(self, name: str) -> dict[str, Any]:
        """Switch a fault off."""
        described: dict[str, Any] = httpx.delete(f"{self.admin}/faults/{name}").raise_for_status().json()
        return described

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels; they must exist."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        values = [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert values, f"no sample {name}{labels}"
        return float(sum(values))

    def lines(self, **having: Any) -> list[dict[str, Any]]:
        """The log's lines with these values; `log__level` stands for `log.level`."""
        wanted = {key.replace("__", "."): value for key, value in having.items()}
        documents = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [document for document in documents if wanted.items() <= document.items()]

    def stop(self) -> float:
        """SIGTERM; how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0
        return time.monotonic() - began


StartService = Callable[..., Service]


@contextmanager
def running(folder: Path, variables: Mapping[str, str]) -> Iterator[Service]:
    """Start the service with its files in `folder`; it is gone afterwards."""
    port, admin_port = free_port(), free_port()
    log, database = folder / "service.log", folder / "transactions.sqlite3"
    told = {
        "TRANSACTIONS_PORT": str(port),
        "TRANSACTIONS_ADMIN_PORT": str(admin_port),
        "TRANSACTIONS_DATABASE": str(database),
        "TRANSACTIONS_LOG_FILE": str(log),
    }
    command = [sys.executable, "-m", "transactions_api"]
    with subprocess.Popen(command, env=environment(**told, **variables), stderr=subprocess.PIPE, text=True) as process:
        service = Service(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", log, database, process)
        try:
            wait_for(lambda: _answers(service), what="the service to answer")
            yield service
        finally:
            if process.poll() is None:
                process.kill()


def _answers(service: Service) -> bool:
    assert service.process.poll() is None, service.process.communicate()[1]
    try:
        return service.get("/health").status_code == 200 and httpx.get(f"{service.admin}/faults").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Start services with their files in the test's folder."""
    with ExitStack() as stack:
        yield lambda **variables: stack.enter_context(running(tmp_path, variables))


@pytest.fixture
def service(start_service: StartService) -> Service:
    """A service with nothing special."""
    return start_service()


@pytest.fixture
def child_environment() -> Callable[..., dict[str, str]]:
    """The environment for programs of the system."""
    return environment
