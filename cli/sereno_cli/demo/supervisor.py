"""Starts the parts in order, waits until each is healthy, notices when one dies, and ends them all."""

import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from sereno_cli.demo.child import Child
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import DemoError

_GRACE_SECONDS = 8.0
_POLL_SECONDS = 0.1
_HEALTHY_SECONDS = 120.0


class PartDied(DemoError):  # noqa: N818 - reads as what happened
    """A part ended by itself."""


class Supervisor:
    """Owns every child. As a context manager it ends all of them, whatever happens inside.

    Parts may be stopped and frozen on purpose, and started again, by another thread than the one that watches.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, part: Part) -> Child:
        """Start a part; its output goes to `<name>.log`."""
        child = Child(part, self._logs / f"{part.name}.log")
        with self._lock:
            self._children.append(child)
        return child

    def wait_healthy(self, child: Child, timeout_seconds: float = _HEALTHY_SECONDS) -> None:
        """Until it answers where its part says; at once where that serves nothing.

        Raises:
            PartDied: it ended before.
            DemoError: time is up.
        """
        asked = child.part.healthy
        deadline = time.monotonic() + timeout_seconds
        while asked is not None and not _answers(asked):
            self.check()
            if time.monotonic() > deadline:
                shown = asked if isinstance(asked, str) else " ".join(asked)
                message = f"{child.name} isn't healthy after {timeout_seconds:g} s ({shown})"
                raise DemoError(f"{message}; it printed:\n{child.last_lines()}")
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise `PartDied`, with its last lines, if a part has ended that should run."""
        with self._lock:
            for child in self._children:
                code = child.exit_code()
                if code is not None and child.is_wanted:
                    raise PartDied(
                        f"{child.name} (process {child.process_id}) ended with {_in_words(code)}; "
                        f"its last lines, from {child.output}:\n{child.last_lines()}"
                    )

    def stop_part(self, name: str) -> None:
        """End one part on purpose; again does nothing.

        Raises:
            DemoError: there is no such part.
        """
        with self._lock:
            child = self._child(name)
            child.is_wanted = False
            child.ask_to_end()
            child.end(time.monotonic() + _GRACE_SECONDS)

    def kill_part(self, name: str) -> None:
        """End one part as a crash would, on purpose; `start_part` undoes it.

        Raises:
            DemoError: there is no such part.
        """
        with self._lock:
            child = self._child(name)
            child.is_wanted = False
            child.kill()

    def start_part(self, name: str) -> None:
        """Undo `stop_part`, and wait until it is healthy.

        Raises:
            DemoError: there is no such part, or it didn't come up.
        """
        with self._lock:
            child = self._child(name)
            if child.exit_code() is not None:
                child.start_again()
        self.wait_healthy(child)

    def freeze_part(self, name: str) -> None:
        """Let one part hang: what it serves is neither refused nor answered.

        Raises:
            DemoError: there is no such part.
        """
        with self._lock:
            self._child(name).freeze()

    def thaw_part(self, name: str) -> None:
        """Undo `freeze_part`.

        Raises:
            DemoError: there is no such part.
        """
        with self._lock:
            self._child(name).thaw()

    def process_ids(self) -> dict[str, int]:
        """Of all parts that run, by name."""
        with self._lock:
            return {child.name: child.process_id for child in self._children if child.exit_code() is None}

    def stop(self) -> None:
        """End every part, the last started first; none survives this."""
        with self._lock:
            for child in reversed(self._children):
                child.ask_to_end()
            deadline = time.monotonic() + _GRACE_SECONDS
            for child in reversed(self._children):
                child.end(deadline)
            self._children.clear()

    def _child(self, name: str) -> Child:
        for child in self._children:
            if child.name == name:
                return child
        raise DemoError(f"nothing that runs is called {name}")


def _in_words(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _answers(asked: str | tuple[str, ...]) -> bool:
    """Whether http://… answers 200, somebody listens at tcp://host:port, or a command ends with 0."""
    if not isinstance(asked, str):
        return _ends_well(asked)
    parsed = urlsplit(asked)
    if parsed.scheme == "tcp":
        with socket.socket() as client:
            client.settimeout(1)
            return client.connect_ex((parsed.hostname, parsed.port)) == 0
    try:
        # trust_env=False: a proxy of the environment knows nothing of loopback.
        return httpx.get(asked, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _ends_well(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=5).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
