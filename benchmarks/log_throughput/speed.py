"""Documents a second and client CPU a document: Sereno from a file, `streaming_bulk` from memory, taking turns."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.durability.collector import SERENO, Place
from benchmarks.durability.server import Server
from benchmarks.log_throughput.documents import write_lines

FASTER = 1.5
CPU_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Spent:
    """One run of one sender."""

    wall_seconds: float
    cpu_seconds: float


def compare(server: Server, *, lines: int, rounds: int) -> bool:
    """Print both senders' medians; whether the promise is kept."""
    peer, own = [], []
    with tempfile.TemporaryDirectory() as name:
        idle = statistics.median(_sereno(server, Path(name) / f"idle{turn}", 1).cpu_seconds for turn in range(3))
        idle_wall = statistics.median(_sereno(server, Path(name) / f"wait{turn}", 1).wall_seconds for turn in range(3))
        _streaming_bulk(server, Path(name) / "warm", lines)
        for turn in range(rounds):
            for sender in ("peer", "own") if turn % 2 else ("own", "peer"):
                folder = Path(name) / f"{sender}{turn}"
                if sender == "peer":
                    peer.append(_streaming_bulk(server, folder, lines))
                else:
                    spent = _sereno(server, folder, lines)
                    own.append(Spent(spent.wall_seconds - idle_wall, spent.cpu_seconds - idle))
    return _report(lines, peer, own)


def _report(lines: int, peer: list[Spent], own: list[Spent]) -> bool:
    speeds, costs = [], []
    print(f"{'sender':<34} {'documents/s':>11} {'CPU µs each':>11}   {lines} lines, medians of {len(own)}")
    for name, runs in (("streaming_bulk, from memory", peer), ("sereno collect logs, from a file", own)):
        speeds.append(statistics.median(lines / run.wall_seconds for run in runs))
        costs.append(statistics.median(run.cpu_seconds / lines * 1e6 for run in runs))
        print(f"{name:<34} {speeds[-1]:>11,.0f} {costs[-1]:>11.1f}")
    faster, share = speeds[1] / speeds[0], costs[1] / costs[0]
    print(f"{faster:.2f} times as fast (must {FASTER}) at {share:.2f} of the CPU (must be at most {CPU_SHARE})")
    return faster >= FASTER and share <= CPU_SHARE


def collect_once(server: Server, folder: Path) -> list[str]:
    """The command that sends `folder`'s file and ends."""
    place = Place(folder, (folder / "app.log",), server.url)
    return [str(SERENO), "collect", "logs", "--once", *place.options()]


def prepare(folder: Path, lines: int) -> str:
    """Write the file; the dataset, which no other run has."""
    folder.mkdir()
    dataset = f"speed.{os.getpid()}.{folder.name.lower()}"
    write_lines(folder / "app.log", lines, dataset)
    return dataset


def _sereno(server: Server, folder: Path, lines: int) -> Spent:
    """A whole process; what it spends on starting and ending is taken off by the caller."""
    dataset = prepare(folder, lines)
    command = collect_once(server, folder)
    environment = os.environ | {"SERENO_ELASTICSEARCH_URL": server.url}
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # this process only, its children included
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    _check(server, dataset, lines)
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def _streaming_bulk(server: Server, folder: Path, lines: int) -> Spent:
    """Into a stream that Sereno's one line has given the same template and mapping."""
    dataset = prepare(folder, 1)
    environment = os.environ | {"SERENO_ELASTICSEARCH_URL": server.url}
    subprocess.run(collect_once(server, folder), env=environment, stdout=subprocess.DEVNULL, check=True)
    (folder / "app.log").unlink()
    write_lines(folder / "app.log", lines, dataset)
    program = [sys.executable, "-m", "benchmarks.log_throughput.peer"]
    arguments = [server.url, f"logs-{dataset}-default", str(folder / "app.log")]
    printed = subprocess.run([*program, *arguments], capture_output=True, text=True, check=True).stdout
    _check(server, dataset, lines + 1)
    wall, cpu = (float(figure) for figure in printed.split())
    return Spent(wall, cpu)


def _check(server: Server, dataset: str, lines: int) -> None:
    """A sender that leaves something out is not fast."""
    index = f"{server.url}/logs-{dataset}-default"
    httpx.post(f"{index}/_refresh", trust_env=False, timeout=60).raise_for_status()
    found = httpx.get(f"{index}/_count", trust_env=False, timeout=60).json()["count"]
    assert found == lines, f"{found} of {lines} documents are there"
