"""Processes of the peers' environment that do one task each: providers and registries are one for a process."""

import os
import subprocess
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import orjson

from benchmarks.telemetry.environment import ROOT, Environment

_WAIT_SECONDS = 10


class WorkerError(Exception):
    """A worker has ended before it answered; the message says what it said."""


class Worker:
    """A running worker: it answers each line with one line of JSON. Use it as a context manager."""

    def __init__(self, environment: Environment, task: str, **arguments: Any) -> None:
        self._what = f"{task} {arguments}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PROMETHEUS_"))}
        self._process = subprocess.Popen(
            [environment.python, "-m", "benchmarks.telemetry.worker", task, orjson.dumps(arguments).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=inherited | {"PYTHONPATH": os.pathsep.join([str(environment.telemetry), str(ROOT)])},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill() if error is not None else self._close()
        self._process.wait()

    def ask(self, **question: Any) -> Mapping[str, Any]:
        """Send a question and wait for its answer.

        Raises:
            WorkerError: the worker has ended.
        """
        self.begin(**question)
        return self.answer()

    def begin(self, **question: Any) -> None:
        """Send a question."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(orjson.dumps(question) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError(f"worker {self._what} has ended with {self._process.wait(_WAIT_SECONDS)}") from error

    def answer(self) -> Mapping[str, Any]:
        """Wait for the answer to the question that was sent."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"worker {self._what} has ended with {self._process.wait(_WAIT_SECONDS)}; see above")
        answer: Mapping[str, Any] = orjson.loads(line)
        return answer

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
