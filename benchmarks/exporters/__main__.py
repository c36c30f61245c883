"""`python -m benchmarks.exporters [--series N] [--scrapes N]`: 1 where a promise is missed.

An exporter that reads its rows from a database at each scrape, beside prometheus_client's own server that has as many
numbers in memory already: seconds a scrape, and memory after the first and after the last scrape. A minute or two.
"""

import argparse
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

SECONDS = 0.5
"""A scrape's promise."""
GROWTH = 1.05
"""Memory after the last scrape, as a multiple of that after the first hundredth of them."""

CONFIGURATION = """\
version: sereno/v1
exporters:
  sql:
    series_limit: 1000000
    targets:
      items:
        dialect: sqlite
        file: items.sqlite
        queries:
          - name: items
            sql: SELECT item, state, value FROM items
            labels: [item, state]
            values: [{column: value, metric: items_value, unit: value, help: A number.}]
            row_limit: 100000
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One server."""

    name: str
    seconds: list[float]
    warm_bytes: int
    last_bytes: int


def main() -> int:
    """Measure both, taking turns scrape by scrape."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exporters", description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--scrapes", type=int, default=1_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder, arguments.series)
        ports = _free_port(), _free_port()
        own = [str(Path(sys.executable).with_name("sereno")), "exporter", "sql", "--port", str(ports[0])]
        peer = [sys.executable, "-m", "benchmarks.exporters.peer", str(ports[1]), str(arguments.series)]
        with _running(own, ports[0], folder) as ours, _running(peer, ports[1], Path.cwd()) as theirs:
            found = _scraped(
                [
                    ("sereno exporter sql, from SQLite", ports[0], ours),
                    ("prometheus_client, from memory", ports[1], theirs),
                ],
                arguments,
            )
    return _report(found, arguments.series, arguments.scrapes)


def _scraped(servers: list[tuple[str, int, int]], arguments: argparse.Namespace) -> list[Measured]:
    seconds: list[list[float]] = [[] for _ in servers]
    warm = [0 for _ in servers]
    with httpx.Client(trust_env=False, timeout=30) as client:
        for number in range(arguments.scrapes):
            for place, (_, port, pid) in enumerate(servers):
                begun = time.monotonic()
                answer = client.get(f"http://127.0.0.1:{port}/metrics", headers={"Accept-Encoding": "identity"})
                seconds[place].append(time.monotonic() - begun)
                assert answer.text.count('state="open"') == arguments.series, (
                    "a scrape that leaves something out is not fast"
                )
                if number == arguments.scrapes // 100:
                    warm[place] = _resident_bytes(pid)
    return [
        Measured(name, seconds[place], warm[place], _resident_bytes(pid))
        for place, (name, _, pid) in enumerate(servers)
    ]


def _report(found: list[Measured], series: int, scrapes: int) -> int:
    print(
        f"{'server':<34} {'median s':>9} {'p99 s':>7} {'MB, warm':>9} {'MB, last':>9}   "
        f"{series} series, {scrapes} scrapes"
    )
    for each in found:
        p99 = statistics.quantiles(each.seconds, n=100)[98]
        print(
            f"{each.name:<34} {statistics.median(each.seconds):>9.3f} {p99:>7.3f} "
            f"{each.warm_bytes / 1e6:>9.1f} {each.last_bytes / 1e6:>9.1f}"
        )
    own, peer = found
    ratio = statistics.median(own.seconds) / statistics.median(peer.seconds)
    growth = own.last_bytes / own.warm_bytes
    print(
        f"{ratio:.1f} times the peer's time; at most {SECONDS} s promised; "
        f"memory is {growth:.3f} of what it was (at most {GROWTH})"
    )
    return int(statistics.median(own.seconds) > SECONDS or growth > GROWTH)


def _fill(folder: Path, series: int) -> None:
    with closing(sqlite3.connect(folder / "items.sqlite")) as database:
        database.execute("CREATE TABLE items (item TEXT, state TEXT, value REAL)")
        rows = [(f"item-{number}", "open", float(number)) for number in range(series)]
        database.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
        database.commit()
    (folder / "exporters.yaml").write_text(CONFIGURATION)


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
