"""Starts the parts in order, waits until each is healthy, notices when one dies, and ends them all."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sereno_cli.demo.child import Child
from sereno_cli.demo.places import DemoError

_GRACE_SECONDS = 8.0
_POLL_SECONDS = 0.1


class PartDied(DemoError):  # noqa: N818 - reads as what happened
    """A part ended by itself."""


class Supervisor:
    """Owns every child. As a context manager it ends all of them, whatever happens inside."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Start a part; its output goes to `<name>.log`."""
        child = Child(name, arguments, self._logs / f"{name}.log", environment or {})
        self._children.append(child)
        return child

    def wait_healthy(self, child: Child, url: str, timeout_seconds: float = 60.0) -> None:
        """Until `url` answers 200.

        Raises:
            PartDied: it ended before.
            DemoError: time is up.
        """
        deadline = time.monotonic() + timeout_seconds
        while not _answers(url):
            self.check()
            if time.monotonic() > deadline:
                message = f"{child.name} isn't healthy after {timeout_seconds:g} s ({url})"
                raise DemoError(f"{message}; it printed:\n{child.last_lines()}")
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raise `PartDied`, with its last lines, if a part has ended."""
        for child in self._children:
            code = child.exit_code()
            if code is not None:
                raise PartDied(
                    f"{child.name} (process {child.process_id}) ended with {_in_words(code)}; "
                    f"its last lines, from {child.output}:\n{child.last_lines()}"
                )

    def stop(self) -> None:
        """End every part, the last started first; none survives this."""
        for child in reversed(self._children):
            child.ask_to_end()
        deadline = time.monotonic() + _GRACE_SECONDS
        for child in reversed(self._children):
            child.end(deadline)
        self._children.clear()


def _in_words(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _answers(url: str) -> bool:
    try:
        # trust_env=False: a proxy of the environment knows nothing of loopback.
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
