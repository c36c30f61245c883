"""Which process starts the workers: as long as it lives, workers that all died at once are still the same service."""

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

from sereno_telemetry.processes.usage import process_usage

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Supervisor:
    """A process, told apart from later ones of the same number."""

    pid: int
    start: str

    def lives(self) -> bool:
        """Whether it still runs."""
        return _identity(self.pid) == self.start


def supervisor() -> Supervisor | None:
    """The parent that starts workers like this process; None if there is none, or if it can't be told (no /proc).

    That is the parent of multiprocessing (uvicorn --workers, hypercorn), or one that has forked this process: it has
    the same command line, or gunicorn's title of a master. A shell, systemd or a container's init has not.
    """
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent is not None and parent.pid is not None else os.getppid()
    if parent is None and not _has_forked_us(pid):
        return None
    start = _identity(pid)
    return None if start is None else Supervisor(pid, start)


def _has_forked_us(parent: int) -> bool:
    ours, theirs = _command_line(os.getpid()), _command_line(parent)
    return theirs is not None and (theirs == ours or theirs.startswith(b"gunicorn: master"))


def _command_line(pid: int) -> bytes | None:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes() or None
    except OSError:
        return None


def _identity(pid: int) -> str | None:
    """Boot and start time: unique for each process that this machine has run."""
    usage = process_usage(pid)
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if usage is None else f"{boot}:{usage.start}"
