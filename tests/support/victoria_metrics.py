"""vmalert on rules and histories of tests; its storage is `benchmarks.simulation`'s server."""

import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.simulation import VICTORIA_METRICS, Interval, Server

needs_vmalert = pytest.mark.skipif(
    shutil.which("vmalert") is None or shutil.which(VICTORIA_METRICS) is None,
    reason="vmalert and victoria-metrics are not on PATH (scripts/install-test-tools installs Debian's)",
)
LONGEST_REPLAY_SECONDS = 60


def vmalert(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """One run that ends by itself, at most a minute; what it says is on standard error."""
    return subprocess.run(["vmalert", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def replay(rules: Path, storage: Server, during: Interval) -> None:
    """Evaluate the rules over the past, one after the other, as vmalert's replay does; results go to the storage.

    A rule must read what the one before it recorded. The storage shows samples a second or more after it got them;
    here it is asked to show them all the time, so that vmalert needn't wait long after each rule.
    """
    begin, end = (_rfc3339(at_ms) for at_ms in (during.start, during.end))
    command = [
        "vmalert",
        f"-rule={rules}",
        f"-datasource.url={storage.url}",
        f"-remoteWrite.url={storage.url}",
        f"-replay.timeFrom={begin}",
        f"-replay.timeTo={end}",
        "-replay.disableProgressBar",
        "-datasource.queryStep=0s",  # each group's own interval; with the default, 1.79 evaluates every five minutes
        "-replay.rulesDelay=800ms",
        "-remoteWrite.flushInterval=50ms",
        "-loggerLevel=WARN",
    ]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + LONGEST_REPLAY_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                storage.flush()
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        assert process.returncode == 0, said.read()[-2000:]


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
