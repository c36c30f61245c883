"""Scrapes of a folder in which many workers have lived and died."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from sereno_telemetry import DEFAULT_BUCKETS
from sereno_telemetry.metrics.health import health_of
from sereno_telemetry.processes.folder import SharedFolder
from sereno_telemetry.processes.group import Group
from sereno_telemetry.processes.membership import join
from sereno_telemetry.processes.merging import families

ROUTES = 20
CODES = ("200", "404", "500")

_FIRST_DEAD_PID = 5_000_000  # above pid_max: nobody has such numbers


@dataclass(frozen=True, slots=True)
class Scrapes:
    """What was measured after so many workers had died."""

    generations: int
    reader: str
    files: int
    kibibytes: float
    milliseconds: float
    """Processor time of one scrape, the median."""
    requests: float
    """The sum that it showed."""


class _Families(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        """What was read."""
        return self._families


def write_worker(folder: Path, pid: int) -> None:
    """The files of a worker that has answered one request on each route with each code."""
    folder.mkdir(parents=True, exist_ok=True)
    histograms = MmapedDict(str(folder / f"histogram_{pid}.db"))  # type: ignore[no-untyped-call]
    name = "http_server_request_duration_seconds"
    for route in range(ROUTES):
        for code in CODES:
            names = ["http_route", "http_request_method", "http_response_status_code"]
            labels = [f"/items/{route}/{{item}}", "GET", code]
            histograms.write_value(mmap_key(name, f"{name}_sum", names, labels, "Duration."), 0.01, 0.0)  # type: ignore[no-untyped-call]
            for bound in (*DEFAULT_BUCKETS, float("inf")):
                bucket = mmap_key(
                    name,
                    f"{name}_bucket",
                    [*names, "le"],
                    [*labels, floatToGoString(bound)],  # type: ignore[no-untyped-call]
                    "Duration.",
                )
                histograms.write_value(bucket, float(bound == DEFAULT_BUCKETS[1]), 0.0)  # type: ignore[no-untyped-call]
    histograms.close()  # type: ignore[no-untyped-call]
    active = MmapedDict(str(folder / f"gauge_livesum_{pid}.db"))  # type: ignore[no-untyped-call]
    active.write_value(mmap_key("active", "active", [], [], "Active."), 1.0, 0.0)  # type: ignore[no-untyped-call]
    active.close()  # type: ignore[no-untyped-call]


def measure(folder: Path, generations: int, runs: int) -> list[Scrapes]:
    """All readers on folders of the same past; "files kept" is what Sereno's would cost if nothing was compacted."""
    plain, ours, kept = folder / "plain", SharedFolder(folder / "sereno"), SharedFolder(folder / "kept")
    living = _living()
    for shared in (ours, kept):
        join(shared, time.time())
    for place in (plain, ours.path, kept.path):
        for pid in living:
            write_worker(place, pid)
    group, untidy, health = Group(ours), Group(kept), health_of(CollectorRegistry())
    for pid in range(_FIRST_DEAD_PID, _FIRST_DEAD_PID + generations):
        for place in (plain, ours.path, kept.path):
            write_worker(place, pid)
        mark_process_dead(pid, str(plain))  # type: ignore[no-untyped-call]
        group.tidy()
    readers: dict[str, tuple[Path, Callable[[], bytes]]] = {
        "Sereno": (ours.path, lambda: generate_latest(_Families(group.collect(health)))),
        "Sereno, files kept": (kept.path, lambda: generate_latest(_Families(families(*untidy._read(living))))),  # noqa: SLF001
        "prometheus_client": (plain, lambda: generate_latest(MultiProcessCollector(None, str(plain)))),  # type: ignore[no-untyped-call]
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
    for _ in range(runs):
        for name, (_, scrape) in readers.items():
            measured[name].append(_timed(scrape))
    return [
        Scrapes(
            generations,
            name,
            files=sum(path.is_file() for path in place.rglob("*")),
            kibibytes=sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1024,
            milliseconds=statistics.median(seconds for seconds, _ in measured[name]) * 1000,
            requests=measured[name][-1][1],
        )
        for name, (place, _) in readers.items()
    ]


def _living() -> list[int]:
    """Numbers of processes that exist and won't join: init and this process."""
    return [os.getpid(), os.getppid(), 1]


def _timed(scrape: Callable[[], bytes]) -> tuple[float, float]:
    started = time.process_time()
    text = scrape()
    seconds = time.process_time() - started
    counts = [line for line in text.decode().splitlines() if "_seconds_count{" in line]
    return seconds, sum(float(line.rpartition(" ")[2]) for line in counts)
