"""`sereno collect logs` as a process, through its front door only."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SERENO = Path(sys.executable).parent / "sereno"
SMALL_QUEUE_BYTES = 300_000
READY_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """What one collector reads and where it keeps what it knows."""

    folder: Path
    files: tuple[Path, ...]
    server_url: str
    small_queue: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables beside the server's address."""
    queue_folder: Path | None = None
    """Where the queue's disk is another one."""

    @property
    def dead_letters(self) -> Path:
        """The file of dead letters."""
        return self.folder / "dead-letters.jsonl"

    @property
    def log(self) -> Path:
        """What the collector said."""
        return self.folder / "collector.log"

    def options(self) -> Sequence[str]:
        """Every option of the command line, in this one place."""
        options = [option for file in self.files for option in ("--file", str(file))]
        options += ["--checkpoint", str(self.folder / "checkpoint.json")]
        options += ["--dead-letters", str(self.dead_letters)]
        options += ["--metrics-port", "0"]
        if has_queue():
            options += ["--queue", str((self.queue_folder or self.folder) / "queue.sqlite")]
            options += ["--queue-bytes", str(SMALL_QUEUE_BYTES)] if self.small_queue else []
        return options


@cache
def has_queue() -> bool:
    """Whether the collector has its durable queue, which came later than the command."""
    asked = [str(SERENO), "collect", "logs", "--help"]
    return "--queue " in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


class Collector:
    """One collector that may be killed and started again."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs; it need not be ready when this returns."""
        if self._process is not None and self._process.poll() is None:
            return
        with self._place.log.open("ab") as output:
            self._process = subprocess.Popen(
                [SERENO, "collect", "logs", *self._place.options()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"SERENO_ELASTICSEARCH_URL": self._place.server_url, **self._place.environment},
            )

    def start_and_wait(self) -> None:
        """Start it and wait until it says that it collects, or ends."""
        said = self._place.log.stat().st_size if self._place.log.exists() else 0
        self.start()
        deadline = time.monotonic() + READY_SECONDS
        while self.pid and time.monotonic() < deadline:
            if b"metrics on" in self._place.log.read_bytes()[said:]:
                return
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The process's id; 0 when none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait(STOP_SECONDS)
