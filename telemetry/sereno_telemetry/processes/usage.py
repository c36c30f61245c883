"""CPU time and memory of all living processes of a group, from /proc; nothing where there is none."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from sereno_telemetry.processes.folder import replace

_PROC = Path("/proc")
# Places of /proc/<pid>/stat behind the name of the program, which may hold anything (proc(5)).
_STATE, _USER_TICKS, _SYSTEM_TICKS, _START_TICKS, _VIRTUAL_BYTES, _RESIDENT_PAGES = 0, 11, 12, 19, 20, 21


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """One process, now."""

    start: str
    """Tells processes of the same number apart."""
    cpu_seconds: float
    virtual_bytes: float
    resident_bytes: float


def process_usage(pid: int, proc: Path = _PROC) -> ProcessUsage | None:
    """What `pid` uses; None if it isn't there, or there is no /proc."""
    try:
        fields = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        if fields[_STATE] == b"Z":  # dead; its parent hasn't asked yet how it ended
            return None
        return ProcessUsage(
            start=fields[_START_TICKS].decode(),
            cpu_seconds=(int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / ticks,
            virtual_bytes=float(fields[_VIRTUAL_BYTES]),
            resident_bytes=float(fields[_RESIDENT_PAGES]) * os.sysconf("SC_PAGE_SIZE"),
        )
    except (OSError, ValueError, IndexError):
        return None


def process_age_seconds(pid: int, proc: Path = _PROC) -> float | None:
    """How long ago `pid` started; None if it isn't there, or there is no /proc."""
    usage = process_usage(pid, proc)
    try:
        uptime_seconds = float((proc / "uptime").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None if usage is None else uptime_seconds - int(usage.start) / os.sysconf("SC_CLK_TCK")


def group_usage(
    path: Path, living: Iterable[int], on_error: Callable[[Exception], None], proc: Path = _PROC
) -> list[Metric]:
    """The usual `process_…` metrics, summed over `living`; under the folder's lock.

    CPU time of processes that have died since remains in the sum as it was last seen, which is kept in `path`.
    """
    now = {pid: usage for pid in living if (usage := process_usage(pid, proc)) is not None}
    if not now:
        return []
    gone_seconds, seen = _read(path, on_error)
    gone_seconds += sum(seconds for pid, (start, seconds) in seen.items() if pid not in now or now[pid].start != start)
    cpu_seconds = {pid: _never_less(usage, seen.get(pid)) for pid, usage in now.items()}
    members = {str(pid): [usage.start, cpu_seconds[pid]] for pid, usage in now.items()}
    replace(path, orjson.dumps({"gone_seconds": gone_seconds, "members": members}))
    return [
        CounterMetricFamily(
            "process_cpu_seconds",
            "Total user and system CPU time spent in seconds, by all processes of the service.",
            value=gone_seconds + sum(cpu_seconds.values()),
        ),
        GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory size in bytes, of all processes of the service; what they share counts for each.",
            value=sum(usage.resident_bytes for usage in now.values()),
        ),
        GaugeMetricFamily(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes, of all processes of the service.",
            value=sum(usage.virtual_bytes for usage in now.values()),
        ),
    ]


def _never_less(usage: ProcessUsage, seen: tuple[str, float] | None) -> float:
    """The kernel says 0 of a process that is ending, for a moment before it is a zombie: that would be a reset."""
    if seen is None or seen[0] != usage.start:
        return usage.cpu_seconds
    return max(usage.cpu_seconds, seen[1])


def _read(path: Path, on_error: Callable[[Exception], None]) -> tuple[float, Mapping[int, tuple[str, float]]]:
    try:
        document: Any = orjson.loads(path.read_bytes())
        members = {int(pid): (str(start), float(seconds)) for pid, (start, seconds) in document["members"].items()}
        return float(document["gone_seconds"]), members
    except FileNotFoundError:
        return 0.0, {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        on_error(error)
        return 0.0, {}
