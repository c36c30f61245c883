"""`python -m benchmarks.demo_memory [--minutes N] [demo's arguments]`: what a demo needs, and whether that grows.

    python -m benchmarks.demo_memory --minutes 60
    python -m benchmarks.demo_memory --minutes 90 -- --once --systems all --fault all

It starts `sereno demo` (with `--systems all`, unless told otherwise) and reads, every ten seconds, the proportional set
size of all its processes: pages that several share are shared out among them. Ends with 1 where it takes more than 4 GB
or where the demo failed. Linux only.
"""

import argparse
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

LIMIT_BYTES = 4_000_000_000
_PERIOD_SECONDS = 10.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Run the demo and look; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("demo", nargs="*", help="arguments of `sereno demo`, after --")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sereno-memory-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "sereno_cli", "demo", "--state", f"{folder}/state"]
        demo = subprocess.Popen([*command, *(given.demo or ["--systems", "all"])], stdin=subprocess.DEVNULL)
        try:
            samples = tuple(_sampled(demo, given.minutes * 60))
        finally:
            if demo.poll() is None:
                demo.send_signal(signal.SIGINT)
            code = demo.wait(timeout=120)
    _show(samples)
    return 1 if code or max(sum(sample.values()) for _, sample, _ in samples) > LIMIT_BYTES else 0


Sample = tuple[float, Counter[str], float]
"""Seconds since the start; bytes by program; processor seconds used by then, as far as it was seen."""


def _sampled(demo: subprocess.Popen[bytes], seconds: float) -> Iterator[Sample]:
    begun = time.monotonic()
    by_process: dict[int, float] = {}
    used = 0.0
    for number in itertools.count(1):
        try:
            demo.wait(timeout=max(0.0, begun + number * _PERIOD_SECONDS - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        else:
            return
        since = time.monotonic() - begun
        if since > seconds:
            return
        processes = _family(demo.pid)
        sizes: Counter[str] = Counter()
        for process in processes:
            sizes[_name(process)] += _proportional_set_bytes(process)
        now = {process: _processor_seconds(process) for process in processes}
        # Faults stop processes: what has ended since keeps what it had used when it was seen last.
        used += sum(max(0.0, seconds_used - by_process.get(process, 0.0)) for process, seconds_used in now.items())
        by_process = now
        yield since, sizes, used


def _family(ancestor: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [ancestor]
    for process in found:
        found += children.get(process, [])
    return found


def _stat(process: int) -> list[str]:
    """Of proc(5)'s `stat`, what comes after the name; nothing where the process has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _processor_seconds(process: int) -> float:
    fields = _stat(process)
    return sum(map(int, fields[11:13])) / _TICKS_PER_SECOND if fields else 0.0


def _proportional_set_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _name(process: int) -> str:
    """A Python program's module, else the program."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "ended"
    if "-m" in words:
        return words[words.index("-m") + 1].partition(".")[0]
    return Path(words[0].partition(": ")[0] or "ended").name


def _show(samples: Sequence[Sample]) -> None:
    console = Console(width=100)
    table = Table("minutes", "MB", "most of it", title="Memory (PSS) of all processes of the demo")
    step = max(1, len(samples) // 15)
    for since, sizes, _ in samples[::step]:
        table.add_row(f"{since / 60:.0f}", _megabytes(sizes), _largest(sizes))
    console.print(table)
    total = [sum(sizes.values()) for _, sizes, _ in samples]
    settled = len(samples) // 4
    first, last = total[settled : settled * 2], total[-settled:]
    console.print(
        f"most: {max(total) / _MEGABYTE:,.0f} MB (limit {LIMIT_BYTES / _MEGABYTE:,.0f})"
        f"\nlast quarter of the time beside the second: {_mean(last) / _mean(first):.3f}"
        f"\nprocessor: {_cores(samples):.2f} cores"
    )


def _megabytes(sizes: Counter[str]) -> str:
    return f"{sum(sizes.values()) / _MEGABYTE:,.0f}"


def _largest(sizes: Counter[str]) -> str:
    return ", ".join(f"{name} {size / _MEGABYTE:,.0f}" for name, size in sizes.most_common(5))


def _mean(values: Iterable[int]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0


def _cores(samples: Sequence[Sample]) -> float:
    """Of the second half; the last seconds of processes that ended meanwhile are missing."""
    (begun, _, before), (ended, _, after) = samples[len(samples) // 2], samples[-1]
    return (after - before) / (ended - begun) if ended > begun else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
