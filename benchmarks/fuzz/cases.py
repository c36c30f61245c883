"""One case after the other: what crashes, what hangs, how much memory there is; kept where another process reads it."""

import hashlib
import json
import resource
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks.fuzz.target import Hang, Target

LONGEST_CASE_SECONDS = 2.0
"""Of CPU: what neighbours on the machine take is not the case's."""
_PAGE_BYTES = resource.getpagesize()
_SAVED_EACH_SECONDS = 1.0
_FIRST_QUARTER, _LAST_QUARTER = 0.25, 0.75


@dataclass
class Counted:
    """What one target's run was like until now."""

    cases: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    first_memory_bytes: int = 0
    """The most of the first quarter of the time."""
    last_memory_bytes: int = 0
    """The most of the last quarter."""
    crashes: dict[str, str] = field(default_factory=dict)
    """By where it happened: the file of the first input that did it."""
    hangs: dict[str, str] = field(default_factory=dict)


class Runner:
    """Runs cases of one target for a time.

    Args:
        target: what is fed.
        seconds: for how long.
        folder: where failing inputs are written.
        progress: the file that is kept up to date for the process that waits.
        longest_case_seconds: of CPU; what takes longer is broken off, and a hang.
    """

    def __init__(
        self,
        target: Target,
        seconds: float,
        folder: Path,
        progress: Path,
        longest_case_seconds: float = LONGEST_CASE_SECONDS,
    ) -> None:
        self._target = target
        self._seconds = seconds
        self._folder = folder
        self._progress = progress
        self._longest_case_seconds = longest_case_seconds
        self._last = last_input_beside(progress)
        self._begun = time.monotonic()
        self._saved = 0.0
        self.counted = Counted()
        signal.signal(signal.SIGPROF, _too_long)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self._begun >= self._seconds

    def run(self, data: bytes) -> None:
        """One case; nothing is raised for what it does."""
        self._last.write_bytes(data)
        before = time.process_time()
        try:
            with _bounded(self._longest_case_seconds):
                self._target.check(data)
        except Hang as error:
            self._keep(self.counted.hangs, data, error)
        except Exception as error:  # noqa: BLE001 - whatever comes out is the finding
            self._keep(self.counted.crashes, data, error)
        self.counted.slowest_seconds = max(self.counted.slowest_seconds, time.process_time() - before)
        self.counted.cases += 1
        self._look()

    def save(self) -> None:
        """Write what was counted."""
        self.counted.seconds = time.monotonic() - self._begun
        whole = self._progress.with_suffix(".new")
        whole.write_text(json.dumps(asdict(self.counted)), encoding="utf-8")
        whole.replace(self._progress)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._saved < _SAVED_EACH_SECONDS and not self.is_over:
            return
        self._saved = now
        part = (now - self._begun) / self._seconds
        if part <= _FIRST_QUARTER or not self.counted.first_memory_bytes:
            self.counted.first_memory_bytes = max(self.counted.first_memory_bytes, _memory_bytes())
        if part >= _LAST_QUARTER:
            self.counted.last_memory_bytes = max(self.counted.last_memory_bytes, _memory_bytes())
        self.save()

    def _keep(self, kind: dict[str, str], data: bytes, error: BaseException) -> None:
        """The first input of each place: a thousand others would say the same."""
        place = _place_of(error)
        if place in kind:
            return
        name = hashlib.sha256(data).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(data)
        told = "".join(traceback.format_exception(error))
        (self._folder / f"{name}.txt").write_text(told, encoding="utf-8", errors="backslashreplace")
        kind[place] = name
        self.save()


def last_input_beside(progress: Path) -> Path:
    """Where the input is that ended the process, if one did: nothing else can be told of it."""
    return progress.with_suffix(".last")


def _place_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"


def _memory_bytes() -> int:
    resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(resident) * _PAGE_BYTES


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(_: int, __: FrameType | None) -> None:
    raise Hang("it takes too long")
