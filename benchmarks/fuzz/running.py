"""Targets in processes of their own, watched: one that makes no progress is ended, and counts as a hang."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fuzz.cases import Counted, last_input_beside

MOST_GROWTH_BYTES = 64 << 20
"""Caches fill and engines remember inputs; what leaks at every case comes to more within ten minutes."""
_STUCK_SECONDS = 120.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """One target under one engine."""

    target: str
    engine: str
    counted: Counted
    ended_badly: str = ""
    """What the process said last, where it didn't end well."""

    @property
    def growth_bytes(self) -> int:
        """What the last quarter of the time had more than the first."""
        return max(0, self.counted.last_memory_bytes - self.counted.first_memory_bytes)

    @property
    def is_kept(self) -> bool:
        """Whether all promises are."""
        wrong = self.counted.crashes or self.counted.hangs or self.ended_badly
        return not wrong and self.growth_bytes <= MOST_GROWTH_BYTES and self.counted.cases > 0


def engines() -> tuple[str, ...]:
    """`damage` is Hypothesis; `guided` is Atheris, which has wheels for some Pythons only."""
    return ("damage", "guided") if find_spec("atheris") else ("damage",)


def run(target: str, engine: str, seconds: float, folder: Path) -> Result:
    """Run one target, and wait until it is over."""
    folder.mkdir(parents=True, exist_ok=True)
    progress = folder / f"{target}.{engine}.json"
    progress.unlink(missing_ok=True)
    log = folder / f"{target}.{engine}.log"
    command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.fuzz.child", target, engine, str(seconds)]
    with log.open("wb") as said, TemporaryDirectory(prefix="sereno-fuzz-") as scratch:
        environment = {**os.environ, "TMPDIR": scratch}
        command += [str(folder / target), str(progress)]
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        stuck = not _ended(process, progress)
    counted = _read(progress)
    if stuck:
        counted.hangs["no progress"] = log.name
    ended_badly = (
        ""
        if process.returncode == 0 or stuck
        else f"exit {process.returncode} by {last_input_beside(progress)}, see {log}"
    )
    return Result(target, engine, counted, ended_badly)


def _ended(process: "subprocess.Popen[bytes]", progress: Path) -> bool:
    """Wait; False where there was no progress and the process had to be ended."""
    seen, since = b"", time.monotonic()
    while True:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            now = progress.read_bytes() if progress.exists() else b""
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > _STUCK_SECONDS:
                process.kill()
                process.wait()
                return False
        else:
            return True


def _read(progress: Path) -> Counted:
    return Counted(**json.loads(progress.read_bytes())) if progress.exists() else Counted()
