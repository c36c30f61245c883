"""The folder that the processes of a service share: which files are there, whose they are, who lives.

prometheus_client writes `counter_<pid>.db` and its siblings into PROMETHEUS_MULTIPROC_DIR. What Sereno adds is in the
subfolder `sereno`:

    lock                   held for milliseconds by whoever scrapes, joins or tidies up
    group.json             since when this group of processes counts
    member_<pid>           locked by a living process for as long as it lives
    exemplars_<pid>.json   the latest exemplars of a process
    dead/                  files of dead processes on their way into …
    dead.json              … the sums of all dead processes

Locks are POSIX record locks: they end with their process, however that ends, and children don't inherit them. A closed
file loses the locks of its whole process, so both kinds of lock files are opened in this module only.
"""

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    LOCKS_EXIST = False
else:
    LOCKS_EXIST = True

LOCK_WAIT_SECONDS = 5.0
"""A holder works for milliseconds; one that was stopped in the middle must not stop everybody else for ever."""

_POLL_SECONDS = 0.002
_FILE_NAME = re.compile(r"(counter|histogram|summary|gauge)(?:_([a-z]+))?_(\d+)\.db")
_OWN_NAME = re.compile(r"(?:member_(\d+)|exemplars_(\d+)\.json)")


@dataclass(frozen=True, slots=True)
class MetricFile:
    """A file of prometheus_client: the values of one kind of metric in one process."""

    path: Path
    kind: str
    """counter, histogram, summary or gauge."""
    mode: str
    """How gauges of several processes are made one; empty for all other kinds."""
    pid: int

    @property
    def only_while_alive(self) -> bool:
        """Whether the values end with their process."""
        return self.mode.startswith("live")


def metric_file(path: Path, name: str | None = None) -> MetricFile | None:
    """What `path` (or `name`, if the file was renamed) says that it is; None for files of others."""
    match = _FILE_NAME.fullmatch(name or path.name)
    if match is None or (match[1] == "gauge") != (match[2] is not None):
        return None
    return MetricFile(path, match[1], match[2] or "", int(match[3]))


class SharedFolder:
    """Paths, locks and lives in one folder. All methods raise OSError when the folder can't be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = path / "sereno"
        self.dead = self.own / "dead"
        self._threads = threading.Lock()
        self._member: int | None = None

    def create(self) -> None:
        """Make the folder and its subfolders where they are missing."""
        self.dead.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
        """Nobody else is in here meanwhile, neither a process nor a thread of this one.

        Raises:
            TimeoutError: somebody else was, for as long as `wait_seconds`.
        """
        deadline = time.monotonic() + wait_seconds
        if not self._threads.acquire(timeout=wait_seconds):
            raise TimeoutError(f"another thread has held {self.own / 'lock'} for {wait_seconds:g} s")
        try:
            file = self._lock(deadline, wait_seconds)
            try:
                yield
            finally:
                os.close(file)
        finally:
            self._threads.release()

    def _lock(self, deadline: float, wait_seconds: float) -> int:
        path = self.own / "lock"
        while True:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            if _try_lock(file) and _is_same_file(file, path):  # not the same: somebody has emptied the folder
                return file
            os.close(file)
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has held {path} for {wait_seconds:g} s")
            time.sleep(_POLL_SECONDS)

    def metric_files(self) -> list[MetricFile]:
        """All files of prometheus_client, sorted by name."""
        found = (metric_file(Path(entry.path)) for entry in os.scandir(self.path))
        return sorted((file for file in found if file is not None), key=lambda file: file.path.name)

    def exemplars(self, pid: int) -> Path:
        """Where the process `pid` writes its exemplars."""
        return self.own / f"exemplars_{pid}.json"

    def member_file(self, pid: int) -> Path:
        """What the process `pid` has locked while it lives."""
        return self.own / f"member_{pid}"

    def pids(self) -> set[int]:
        """All processes that have left anything here."""
        names = (_OWN_NAME.fullmatch(path.name) for path in self.own.iterdir())
        return {int(name[1] or name[2]) for name in names if name} | {file.pid for file in self.metric_files()}

    def claim(self) -> None:
        """Say that this process lives, until it doesn't; under the lock."""
        file = os.open(self.member_file(os.getpid()), os.O_RDWR | os.O_CREAT, 0o666)
        if not _try_lock(file):
            os.close(file)
            raise BlockingIOError(f"{self.member_file(os.getpid())} belongs to a process of another machine")
        self._member = file

    def is_member(self) -> bool:
        """Whether this process's claim is still what others see: it isn't once somebody has emptied the folder."""
        return self._member is not None and _is_same_file(self._member, self.member_file(os.getpid()))

    def forget_locks(self) -> None:
        """What a child does first after a fork: the locks of its parent are not its own."""
        self._threads = threading.Lock()
        self.forget_claim()

    def forget_claim(self) -> None:
        """Close the member file, wherever it is now."""
        if self._member is not None:
            os.close(self._member)
            self._member = None

    def has_claim(self, pid: int) -> bool:
        """Whether `pid` is a member that lives; under the lock."""
        if pid == os.getpid():
            return self._member is not None
        try:
            file = os.open(self.member_file(pid), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(file)
        finally:
            os.close(file)

    def lives(self, pid: int) -> bool:
        """Whether files of `pid` may still be written; under the lock.

        Members are told by their locks, so that another process with the number of a dead one isn't taken for it.
        Who doesn't use this package, or is about to, is told by the process list.
        """
        if pid == os.getpid():
            return True
        return self.has_claim(pid) if self.member_file(pid).exists() else process_exists(pid)


def process_exists(pid: int) -> bool:
    """Whether a process of this number runs here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def replace(path: Path, content: bytes) -> None:
    """Write `path` so that readers see the old content or the new, and nothing else."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _try_lock(file: int) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as POSIX leaves it to the system
        return False
    return True


def _is_same_file(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), there)
