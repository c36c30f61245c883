"""A real Alertmanager on loopback, for as long as cases run."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

_PATIENCE_SECONDS = 15.0
_PROGRAMS = ("alertmanager", "prometheus-alertmanager")  # Debian renames it


class Refused(Exception):  # noqa: N818 - reads as what happened
    """Alertmanager doesn't take the configuration; the message is its own."""


class Silent(Exception):  # noqa: N818 - reads as what happened
    """Alertmanager doesn't answer, or not in time."""


def alertmanager_program() -> str | None:
    """Its path; None where it isn't installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def check(configuration: Path) -> None:
    """Let Alertmanager's own tool look at the configuration as people wrote it, where that tool is there.

    Raises:
        Refused: it doesn't take it.
    """
    amtool = shutil.which("amtool")
    if amtool is None:
        return
    command = [amtool, "check-config", str(configuration)]
    checked = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=30, check=False)
    if checked.returncode:
        said = (checked.stdout + checked.stderr).partition("FAILED: ")[2] or checked.stderr
        raise Refused(" ".join(said.split("amtool: error")[0].split()))


@dataclass(frozen=True, slots=True)
class Running:
    """One that answers at `url`."""

    http: httpx.Client

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Hand it alerts as Prometheus does, in this order."""
        try:
            answer = self.http.post("/api/v2/alerts", json=list(alerts))
        except httpx.HTTPError as error:
            raise Silent(f"Alertmanager doesn't take the alerts: {error}") from None
        if not answer.is_success:
            raise Refused(f"Alertmanager refuses the alerts: {answer.text[:300]}")

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert that it knows, with its state, receivers, and what inhibits it."""
        try:
            found: list[dict[str, Any]] = self.http.get("/api/v2/alerts").raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Silent(f"Alertmanager doesn't tell its alerts: {error}") from None
        return found


@contextmanager
def running(program: str, configuration: Mapping[str, Any], folder: Path) -> Iterator[Running]:
    """Start it, with everything that it keeps below `folder`; ready when this yields, gone afterwards.

    Raises:
        Refused: it doesn't take the configuration.
        Silent: it isn't ready in time.
    """
    file, log = folder / "alertmanager.yml", folder / "alertmanager.log"
    file.write_text(yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True), encoding="utf-8")
    address = f"127.0.0.1:{_free_port()}"
    command = [
        program,
        f"--config.file={file}",
        f"--storage.path={folder / 'storage'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT) as process,
        httpx.Client(base_url=f"http://{address}", timeout=_PATIENCE_SECONDS, trust_env=False) as http,
    ):
        try:
            _wait_until_ready(http, process, log)
            yield Running(http)
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(http: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Refused(_reason(log.read_text(encoding="utf-8", errors="replace")))
        try:
            if http.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise Silent(f"Alertmanager isn't ready after {_PATIENCE_SECONDS:g} s")


def _reason(log: str) -> str:
    errors = re.findall(r'level=error .*err="((?:[^"\\]|\\.)*)"', log)
    return errors[-1].replace('\\"', '"').replace("\\n", " ") if errors else " ".join(log.split())[-300:] or "it ended"
