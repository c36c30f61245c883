"""A real Prometheus for tests: on a free port, with a history written by promtool, stopped by its own process."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.ports import free_port
from support.waiting import wait_for

STOP_SECONDS = 20
SILENT_CONFIG = "global: {scrape_interval: 15s}\n"
"""Scrapes nothing, evaluates nothing: only what a test has written into it is there."""


@dataclass(frozen=True, slots=True)
class HistorySample:
    """One sample of the past; `timestamp` is Unix time in seconds (milliseconds as fraction)."""

    name: str
    labels: Mapping[str, str]
    timestamp: float
    value: float


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A server that a test has started; `url` has no trailing slash."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def openmetrics(samples: Iterable[HistorySample]) -> str:
    """Samples in OpenMetrics text; promtool wants the samples of one series together and in order of time."""
    ordered = sorted(samples, key=lambda sample: (sample.name, sorted(sample.labels.items()), sample.timestamp))
    lines = [f"{sample.name}{{{_labels(sample.labels)}}} {sample.value!r} {sample.timestamp:.3f}" for sample in ordered]
    return "\n".join([*lines, "# EOF", ""])


def write_history(data: Path, samples: Iterable[HistorySample]) -> None:
    """Write samples as blocks into a data directory, before Prometheus starts on it."""
    data.mkdir(parents=True, exist_ok=True)
    source = data.parent / f"{data.name}.openmetrics"
    source.write_text(openmetrics(samples), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def running_prometheus(
    directory: Path,
    *,
    config: str = SILENT_CONFIG,
    history: Iterable[HistorySample] = (),
    flags: Iterable[str] = (),
    retention: str = "10y",  # histories of tests may lie far back
) -> Iterator[RunningProcess]:
    """A ready Prometheus with its files in `directory` (made if missing); it is gone when the block is left.

    `config` is the text of prometheus.yml. Rule files it names by relative path lie in `directory`.
    A directory that was used before is continued, not emptied.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "prometheus.yml").write_text(config, encoding="utf-8")
    data = directory / "data"
    samples = tuple(history)
    if samples:
        write_history(data, samples)
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    with running(command, url=f"http://127.0.0.1:{port}", log=directory / "prometheus.log") as server:
        yield server


@contextmanager
def running(command: list[str], *, url: str, log: Path, ready_path: str = "/-/ready") -> Iterator[RunningProcess]:
    """A server process that answers 200 on its ready path; ended by its own process id when the block is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(process, f"{url}{ready_path}", log), what=f"{command[0]} ready (log: {log})")
        yield RunningProcess(url=url, process=process, log=log)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """End a process that this test has started: politely, then by force; returns its exit code."""
    process.terminate()
    try:
        return process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(timeout=STOP_SECONDS)


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"ended with {process.returncode}:\n{log.read_text(encoding='utf-8', errors='replace')}")
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _labels(labels: Mapping[str, str]) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return ",".join(f'{name}="{quoted(value)}"' for name, value in sorted(labels.items()))
