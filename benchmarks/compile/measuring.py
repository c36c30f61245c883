"""What a program and all processes that it starts need: seconds, processor time, memory, and what they write."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PAUSE_SECONDS = 0.01


class MeasuringError(Exception):
    """A program that was to be measured fails; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Need:
    """One run of a program."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    """The most that all its processes held at once; memory that they share counts for each of them."""


def measured(command: Sequence[str | Path], folder: Path) -> Need:
    """Run the program and watch it.

    Raises:
        MeasuringError: it ends with another exit code than 0.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    # As a user's shell has it: Python keeps the byte code of what it imports.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, cwd=folder, env=usual, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        watch = _Watch(process.pid)
        watch.start()
        said = process.communicate()[1]
        seconds = time.perf_counter() - started
        watch.is_over.set()
        watch.join()
    if process.returncode:
        raise MeasuringError(f"{command[0]} ended with {process.returncode}: {said.strip()[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Need(seconds, cpu_seconds, watch.peak_bytes)


def bytes_below(folder: Path) -> int:
    """The size of all files, hidden ones left out."""
    paths = (
        path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sum(path.stat().st_size for path in paths if path.is_file())


class _Watch(threading.Thread):
    """Looks at the processes again and again: none of them tells what all of them held at once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.is_over = threading.Event()
        self._pid = pid

    def run(self) -> None:
        while not self.is_over.wait(_PAUSE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, _tree(self._pid))))


def _tree(pid: int) -> Iterator[int]:
    """The process and its descendants."""
    yield pid
    for children in _read(*Path(f"/proc/{pid}/task").glob("*/children")):
        for child in children.split():
            yield from _tree(int(child))


def _resident_bytes(pid: int) -> int:
    return sum(int(numbers.split()[1]) * _PAGE_BYTES for numbers in _read(Path(f"/proc/{pid}/statm")))


def _read(*paths: Path) -> Iterator[str]:
    """What can still be read: processes end while they are looked at."""
    for path in paths:
        try:
            yield path.read_text(encoding="ascii")
        except OSError:
            continue
