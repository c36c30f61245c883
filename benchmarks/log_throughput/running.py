"""How a running collector behaves: how late lines are searchable, how much memory it takes while the server is away."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks.durability.collector import Collector, Place
from benchmarks.durability.emitter import Order, emitted
from benchmarks.durability.oracle import Verdict, dead_lines, indexed_lines, judge
from benchmarks.durability.server import Server

DELAY_P99_SECONDS = 3.0
MEMORY_MB = 150.0
GROWTH_MB = 20.0
POLL_SECONDS = 0.05
DRAIN_SECONDS = 120.0
"""How long the collector may take for what is left; it counts from the last document that left the queue."""
LATE_LINES = 10_000
"""So far behind the newest line that was seen are missing ones still looked for."""
WARM_SECONDS = 5.0


@contextmanager
def _emitting(order: Order) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.durability.emitter", order.text()])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _order(folder: Path, name: str, seconds: float, lines_per_second: int) -> Order:
    node = f"{name}{time.time_ns()}-"
    return Order(
        path=str(folder / "app.log"),
        journal=str(folder / "journal"),
        node=node,
        dataset=node.removesuffix("-"),
        lines_per_second=lines_per_second,
        seconds=seconds,
        seed=0,
    )


def delay(server: Server, *, seconds: float) -> bool:
    """From the line's `@timestamp` to the first poll whose search returns it; the index refreshes by its default."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        order = _order(folder, "delay", seconds, 500)
        collector = Collector(Place(folder, (Path(order.path),), server.url))
        collector.start()
        try:
            with _emitting(order) as emitter:
                delays = _watched(server, order, emitter)
            lines = emitted(Path(order.journal))
        finally:
            collector.stop()
    delays.sort()
    p50, p99 = (delays[int(len(delays) * share)] if delays else float("inf") for share in (0.5, 0.99))
    print(
        f"delay at 500 lines/s, {len(delays)} of {lines} lines seen: p50 {p50:.2f} s, p99 {p99:.2f} s, "
        f"most {delays[-1] if delays else 0:.2f} s (p99 must be at most {DELAY_P99_SECONDS:g} s)"
    )
    return len(delays) == lines and p99 <= DELAY_P99_SECONDS


def _watched(server: Server, order: Order, emitter: subprocess.Popen[bytes]) -> list[float]:
    seen: set[int] = set()
    delays: list[float] = []
    deadline = time.monotonic() + order.seconds + DRAIN_SECONDS
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        while time.monotonic() < deadline:
            for sequence, moment in _newest(client, order.dataset, _contiguous(seen)):
                if sequence not in seen:
                    seen.add(sequence)
                    delays.append(time.time() - moment)
            if emitter.poll() is not None and len(seen) >= emitted(Path(order.journal)):
                break
            time.sleep(POLL_SECONDS)
    return delays


def _contiguous(seen: set[int]) -> int:
    """Up to where everything was seen, looked for from the end: gaps close within seconds."""
    newest = len(seen)
    while newest and newest not in seen:
        newest -= 1
    return newest if len(seen) == newest else max(0, newest - LATE_LINES)


def _newest(client: httpx.Client, dataset: str, behind: int) -> list[tuple[int, float]]:
    answer = client.post(
        f"/logs-{dataset}-*/_search",
        json={
            "size": LATE_LINES,
            "query": {"range": {"event.sequence": {"gt": behind}}},
            "sort": [{"event.sequence": "asc"}],
            "_source": ["@timestamp"],
        },
    )
    if not answer.is_success:
        return []
    return [
        (hit["sort"][0], datetime.fromisoformat(hit["_source"]["@timestamp"]).timestamp())
        for hit in answer.json()["hits"]["hits"]
    ]


def memory(server: Server, *, seconds: float) -> bool:
    """2,000 lines a second while the server is down the whole time; resident memory each second."""
    server.stop()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        order = _order(folder, "memory", seconds, 2_000)
        collector = Collector(Place(folder, (Path(order.path),), server.url))
        collector.start()
        sizes: list[float] = []
        try:
            with _emitting(order) as emitter:
                while emitter.poll() is None:
                    time.sleep(1.0)
                    sizes.append(resident_mb(collector.pid))
        finally:
            collector.stop()
            server.start()
    settled = sizes[int(WARM_SECONDS) :] or sizes
    growth = settled[-1] - settled[0]
    print(
        f"memory, server down for {seconds:g} s, 2,000 lines/s: {settled[0]:.0f} MB after {WARM_SECONDS:g} s, "
        f"{settled[-1]:.0f} MB at the end, most {max(sizes):.0f} MB (must {MEMORY_MB:g}, growth below {GROWTH_MB:g})"
    )
    return 0 < max(sizes) <= MEMORY_MB and growth < GROWTH_MB


def resident_mb(pid: int) -> float:
    """VmRSS; 0 when the process is not there."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def outage(server: Server, *, seconds: float) -> bool:
    """The server is gone for `seconds`, the collector is killed -9 midway; 1,000 lines a second all the time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        order = replace(_order(folder, "outage", seconds + 10, 1_000), rotation="rename")
        place = Place(folder, (Path(order.path),), server.url)
        collector = Collector(place)
        collector.start()
        try:
            with _emitting(order) as emitter:
                time.sleep(4)
                server.kill()
                time.sleep(seconds / 2)
                collector.kill()
                collector.start()
                time.sleep(seconds / 2)
                server.start()
                emitter.wait()
            verdict = _drained(server, order, place)
        finally:
            collector.stop()
    print(
        f"outage, server gone {seconds:g} s, collector killed -9 midway: {verdict.emitted} emitted, "
        f"{len(verdict.lost)} lost, {len(verdict.twice)} twice"
    )
    return verdict.good


def _drained(server: Server, order: Order, place: Place) -> Verdict:
    expected = {order.node: emitted(Path(order.journal))}
    deadline = time.monotonic() + DRAIN_SECONDS
    lost: int | None = None
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        while True:
            dead = dead_lines(client, place.dead_letters, (order.node,))
            verdict = judge(expected, indexed_lines(client, order.dataset), dead)
            if not verdict.lost or time.monotonic() > deadline:
                return verdict
            if len(verdict.lost) != lost:
                lost, deadline = len(verdict.lost), time.monotonic() + DRAIN_SECONDS
            time.sleep(1.0)
