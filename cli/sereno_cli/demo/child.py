"""A child process: started with its output in a file, watched, and ended by its own process id."""

import os
import pwd
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sereno_cli.demo.part import Part

_LAST_LINES = 15


class Child:
    """One running part. Its group is its own, so that Ctrl-C reaches the supervisor alone."""

    def __init__(self, part: Part, output: Path) -> None:
        self.part = part
        self.output = output
        self.is_wanted = True
        """Whether it should run; False: it was stopped on purpose."""
        self._is_frozen = False
        output.parent.mkdir(parents=True, exist_ok=True)
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        with self.output.open("ab") as file:
            return subprocess.Popen(
                self.part.arguments,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.part.environment},
                cwd=self.part.folder,
                start_new_session=True,
                **_as(self.part.user),
            )

    @property
    def name(self) -> str:
        """What it is called."""
        return self.part.name

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
        """Politely, if it still runs."""
        self.thaw()
        if self._process.poll() is None:
            self._process.send_signal(self.part.ended_by)

    def end(self, deadline: float) -> None:
        """Wait until `deadline` (of time.monotonic), then SIGKILL; what it began and left behind ends with it."""
        try:
            self._process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL: it can't say good-bye to anybody."""
        self._process.kill()
        self.end(time.monotonic() + 1)

    def start_again(self) -> None:
        """After its end: the same part anew."""
        self._process = self._started()
        self.is_wanted = True

    def freeze(self) -> None:
        """Nothing of it runs on: whoever asks it waits. Again does nothing."""
        if not self._is_frozen and self._process.poll() is None:
            self._is_frozen = True
            self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        if self._is_frozen:
            self._is_frozen = False
            self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """To it and to the processes that it began."""
        for process_id in (self._process.pid, *_descendants(self._process.pid)):
            try:
                os.kill(process_id, number)
            except ProcessLookupError:
                continue


def _as(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _descendants(process_id: int) -> Iterator[int]:
    """Children and theirs, as Linux tells them; elsewhere none."""
    for told in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            children = told.read_text().split()
        except OSError:  # it has ended meanwhile
            continue
        for child in map(int, children):
            yield child
            yield from _descendants(child)
