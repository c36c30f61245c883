"""A child process: started with its output in a file, watched, and ended by its own process id."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAST_LINES = 15


class Child:
    """One running part. Its group is its own, so that Ctrl-C reaches the supervisor alone."""

    def __init__(self, name: str, arguments: Sequence[str], output: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.output = output
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("ab") as file:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    @property
    def process_id(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def last_lines(self) -> str:
        """The end of what it printed."""
        with self.output.open(errors="replace") as file:
            return "".join(deque(file, maxlen=_LAST_LINES)).rstrip()

    def ask_to_end(self) -> None:
        """SIGTERM, if it still runs."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Wait until `deadline` (of time.monotonic), then SIGKILL."""
        try:
            self._process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
