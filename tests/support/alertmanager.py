"""A real Alertmanager for tests: started on free ports, spoken to over its HTTP API, stopped by its pid."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_port
from support.waiting import wait_for


def alertmanager_program() -> str:
    """Alertmanager's binary; Debian calls it prometheus-alertmanager."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        raise AssertionError("no Alertmanager on PATH: run `make tools`")
    return program


@dataclass(frozen=True)
class RunningAlertmanager:
    """One Alertmanager that answers at `url`."""

    url: str
    pid: int

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Hand it alerts as Prometheus does (API v2: labels, annotations, startsAt, endsAt, generatorURL)."""
        httpx.post(f"{self.url}/api/v2/alerts", json=list(alerts), timeout=10).raise_for_status()

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that it knows, with `status.state`, `status.inhibitedBy` and its receivers."""
        response = httpx.get(f"{self.url}/api/v2/alerts", timeout=10).raise_for_status()
        alerts: list[dict[str, Any]] = response.json()
        return alerts


def firing(labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An alert that began now and goes on."""
    now = datetime.now(UTC)
    return {
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }


def resolved(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The same alert, ended now."""
    return {**alert, "endsAt": datetime.now(UTC).isoformat()}


@contextmanager
def running_alertmanager(config: Path, data: Path, *, in_cluster: bool = False) -> Iterator[RunningAlertmanager]:
    """Start Alertmanager with `config`, its state and log below `data`; ready when it yields, gone afterwards.

    One in a cluster (of itself) waits some seconds before it tells anybody anything.
    """
    port = free_port()
    data.mkdir(parents=True, exist_ok=True)
    log = data / "alertmanager.log"
    arguments = [
        alertmanager_program(),
        f"--config.file={config}",
        f"--storage.path={data / 'storage'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--cluster.listen-address={f'127.0.0.1:{free_port()}' if in_cluster else ''}",
    ]
    with log.open("wb") as output, subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: _ready(url, process, log), what=f"Alertmanager ready at {url}")
            yield RunningAlertmanager(url=url, pid=process.pid)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"Alertmanager ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    try:
        return httpx.get(f"{url}/-/ready", timeout=2).is_success
    except httpx.TransportError:
        return False
