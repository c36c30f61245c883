"""A real Prometheus whose head takes samples of any day and any order of series."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson

VICTORIA_METRICS = "victoria-metrics"
READY_SECONDS = 60
STOP_SECONDS = 20
REQUEST_SECONDS = 600

# Prometheus accepts what is younger than half the head's chunk range before the newest sample, so a range of 2,000
# days takes any series from day 0 although others have reached the end; and nothing is ever compacted into a block.
_CHUNK_RANGE = "2000d"
_CONFIG = "global: {scrape_interval: 30s, evaluation_interval: 1m}\n"


class ServerError(Exception):
    """Prometheus can't be found, doesn't start or answer, or refuses a query; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Prometheus that answers. It scrapes nothing and evaluates nothing by itself."""

    url: str
    """Without a trailing slash."""
    pid: int
    version: str
    http: httpx.Client
    flush_path: str = ""
    """What makes samples visible that were just written, where that takes a request."""

    def flush(self) -> None:
        """From now on queries see all that was written."""
        if self.flush_path:
            self.http.get(f"{self.url}{self.flush_path}").raise_for_status()

    def query(self, expr: str, at_ms: int, *, statistics: bool = False) -> dict[str, Any]:
        """The `data` of an instant query; with `statistics` it holds the engine's own, under `stats`."""
        form = {"query": expr, "time": seconds(at_ms)} | ({"stats": "all"} if statistics else {})
        return self._api("query", form)

    def query_range(self, expr: str, first_ms: int, last_ms: int, step_ms: int) -> list[dict[str, Any]]:
        """The matrix of a range query: `metric` and `values` of each series. At most 11,000 steps."""
        form = {"query": expr, "start": seconds(first_ms), "end": seconds(last_ms), "step": seconds(step_ms)}
        matrix: list[dict[str, Any]] = self._api("query_range", form)["result"]
        return matrix

    def post(self, path: str, **request: Any) -> httpx.Response:
        """A request to the API, whatever it answers.

        Raises:
            ServerError: there is no answer.
        """
        try:
            return self.http.post(f"{self.url}/api/v1/{path}", **request)
        except httpx.TransportError as error:
            raise ServerError(f"Prometheus doesn't answer any more ({error or type(error).__name__})") from error

    def _api(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        response = self.post(path, data=dict(form))
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise ServerError(f"{path} answered {response.status_code}: {response.text[:500]}") from None
        if answer.get("status") != "success":
            raise ServerError(f"{answer.get('error')} (query: {form['query']})")
        data: dict[str, Any] = answer["data"]
        return data


def seconds(milliseconds: int) -> str:
    """Milliseconds as Prometheus' API takes them, without losing one to a float."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def find_prometheus(program: str | None = None) -> str:
    """The given program, or the one on PATH.

    Raises:
        ServerError: there is none.
    """
    found = shutil.which(program or "prometheus")
    if found is None:
        raise ServerError(f"there is no program {program or 'prometheus'}: run `make tools`, or name one that exists")
    return found


@contextmanager
def running_prometheus(directory: Path, *, program: str | None = None, flags: Sequence[str] = ()) -> Iterator[Server]:
    """A Prometheus with its data and log in `directory`, gone when the block is left.

    Works for 2.42 and 3.x alike, and for a program whose name begins with victoria-metrics (1.79). Its data may lie in
    the future of nobody but the server's clock: 3.x refuses samples that are more than ten minutes ahead.

    Raises:
        ServerError: it doesn't start; the end of its log says why.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "prometheus.yml").write_text(_CONFIG, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    found = find_prometheus(program)
    if Path(found).name.startswith(VICTORIA_METRICS):
        command = [found, *_victoria_flags(directory, address)]
        with serving(command, address, directory / "prometheus.log") as server:
            yield replace(server, flush_path="/internal/force_flush")
        return
    with serving([found, *_flags(directory, address), *flags], address, directory / "prometheus.log") as server:
        yield server


@contextmanager
def serving(command: Sequence[str], address: str, log: Path) -> Iterator[Server]:
    """The Prometheus that a command starts, which listens on `address`; gone when the block is left.

    Raises:
        ServerError: it doesn't start; the end of its log says why.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    # Nothing of the environment (proxies) stands between the benchmark and its own server.
    with httpx.Client(timeout=REQUEST_SECONDS, trust_env=False) as http:
        try:
            version = _wait_until_ready(http, f"http://{address}", process, log)
            yield Server(f"http://{address}", process.pid, version, http)
        finally:
            _stop(process)


def _flags(directory: Path, address: str) -> list[str]:
    return [
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=30y",
        f"--storage.tsdb.min-block-duration={_CHUNK_RANGE}",
        f"--storage.tsdb.max-block-duration={_CHUNK_RANGE}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--query.max-samples=500000000",
        f"--query.timeout={REQUEST_SECONDS}s",
        "--log.level=warn",
    ]


def _victoria_flags(directory: Path, address: str) -> list[str]:
    return [
        f"-storageDataPath={directory / 'data'}",
        f"-httpListenAddr={address}",
        "-retentionPeriod=30y",
        # What was asked before something was written isn't answered from memory after it.
        "-search.disableCache",
        f"-search.maxQueryDuration={REQUEST_SECONDS}s",
        "-search.maxPointsPerTimeseries=100000",
        "-memory.allowedPercent=10",
        "-loggerLevel=WARN",
    ]


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _wait_until_ready(http: httpx.Client, url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"Prometheus ended with {process.returncode}:\n{_end_of(log)}")
        try:
            if http.get(f"{url}/-/ready", timeout=2).is_success:
                version: str = http.get(f"{url}/api/v1/status/buildinfo").json()["data"].get("version")
                return version or "of unknown version"  # `go install` stamps none, VictoriaMetrics says none
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise ServerError(f"Prometheus is not ready after {READY_SECONDS} s:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=STOP_SECONDS)
