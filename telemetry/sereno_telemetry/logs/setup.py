"""Where ECS lines go, and the one call that sends a process's logs there."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TextIO

from sereno_telemetry.logs.ecs import EcsFormatter

DEFAULT_DATASET = "app"

_COMPLAINT_INTERVAL_SECONDS = 60.0
_ACCESS_LOGGER = "uvicorn.access"
_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", _ACCESS_LOGGER)
_ACCESS_ARGUMENTS = 5  # uvicorn's: client, method, path with query, HTTP version, status code


class EcsFileHandler(logging.Handler):
    """Appends each record to a file with one write, so that several processes and rotation don't tear lines.

    A file that was renamed or deleted (logrotate) is opened anew. A line that can't be written is dropped, told on
    stderr at most once a minute, and shows as a gap in `event.sequence`: logging never fails a request.

    Raises:
        OSError: the file can't be opened at the start.
    """

    def __init__(self, path: Path, formatter: EcsFormatter) -> None:
        super().__init__()
        self._path = path
        self._lines = formatter
        self.setFormatter(formatter)
        self._descriptor = -1
        self._torn = False
        self._lost = 0
        self._complained_at = -_COMPLAINT_INTERVAL_SECONDS
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        if self._descriptor < 0:
            return
        try:
            line = self._lines.format_bytes(record) + b"\n"
            self._reopen_if_moved()
            self._write(b"\n" + line if self._torn else line)
        except OSError as error:
            self._lost += 1
            self._complain(error)
        except Exception:  # noqa: BLE001 - as the handlers of the standard library do
            self.handleError(record)

    def close(self) -> None:
        """Close the file; later records are dropped."""
        self.acquire()
        try:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        finally:
            self.release()
        super().close()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o640)
        status = os.fstat(self._descriptor)
        self._identity = (status.st_dev, status.st_ino)

    def _reopen_if_moved(self) -> None:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - a Path method costs five times as much for each line
            moved = (status.st_dev, status.st_ino) != self._identity
        except FileNotFoundError:
            moved = True
        if moved:
            before = self._descriptor
            self._open()
            os.close(before)
            self._torn = False

    def _write(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        # A short write means a full disk or a signal: without the rest the line is torn, and the next one must
        # not continue it.
        self._torn = written < len(line)
        if self._torn:
            os.write(self._descriptor, line[written:])
            self._torn = False

    def _complain(self, error: OSError) -> None:
        now = time.monotonic()
        if now - self._complained_at >= _COMPLAINT_INTERVAL_SECONDS:
            self._complained_at = now
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"{self._path}: log lines are lost ({error.strerror}), {self._lost} so far\n")


def ecs_handler(
    service: str,
    *,
    path: Path | None = None,
    stream: TextIO | None = None,
    dataset: str = DEFAULT_DATASET,
    node: str | None = None,
) -> logging.Handler:
    """A handler that writes ECS JSON lines to the file at `path`, else to `stream`, else to stderr.

    Args:
        service: ECS `service.name`.
        path: the file is created with its folders, appended to, and opened anew after rotation.
        stream: anything with `write` and `flush`.
        dataset: ECS `event.dataset`; names the data stream `logs-<dataset>-<namespace>`.
        node: what `service.node.name` begins with; None is the name of the host.

    Raises:
        OSError: the file can't be opened.
        ValueError: both `path` and `stream` are given.
    """
    if path is not None and stream is not None:
        raise ValueError("give path or stream, not both: one process writes one sequence of lines")
    formatter = EcsFormatter(service=service, dataset=dataset, node=node)
    if path is not None:
        return EcsFileHandler(path, formatter)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    return handler


def configure_logging(
    service: str,
    *,
    path: Path | None = None,
    stream: TextIO | None = None,
    level: int | str = logging.INFO,
    dataset: str = DEFAULT_DATASET,
    node: str | None = None,
    quiet_paths: Collection[str] = ("/metrics",),
) -> logging.Handler:
    """Send all logs of this process, uvicorn's access log included, through one `ecs_handler`, and return that.

    The handlers of the root logger and of uvicorn's loggers are replaced; start uvicorn with `log_config=None`, or it
    puts its own back. Access lines of successful requests to `quiet_paths` are dropped.

    Raises:
        OSError: the file can't be opened; nothing is changed then.
        ValueError: both `path` and `stream` are given, or `level` is unknown.
    """
    handler = ecs_handler(service, path=path, stream=stream, dataset=dataset, node=node)
    handler.addFilter(_QuietAccess(frozenset(quiet_paths)))
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = [handler]
    for name in _SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    return handler


def log_deed(logger: logging.Logger, action: str, message: str, labels: Mapping[str, object] | None = None) -> None:
    """Log something that was done to the system, so that timelines of incidents show it.

    The record has `event.kind: event` and `event.action: <action>`; postmortems know `fault_started`, `fault_stopped`
    and `deployment`. It has level info, but is written whatever level the logger is set to.
    """
    record = logger.makeRecord(
        logger.name,
        logging.INFO,
        __file__,
        0,
        message,
        (),
        None,
        extra={"ecs": {"event.kind": "event", "event.action": action}, "labels": dict(labels or {})},
    )
    logger.handle(record)


class _QuietAccess(logging.Filter):
    """Drops uvicorn's access lines of successful requests to the given paths."""

    def __init__(self, paths: frozenset[str]) -> None:
        super().__init__()
        self._paths = paths

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != _ACCESS_LOGGER:
            return True
        arguments = record.args
        if not isinstance(arguments, tuple) or len(arguments) != _ACCESS_ARGUMENTS:
            return True
        path, status_code = str(arguments[2]).partition("?")[0], arguments[4]
        return not (path in self._paths and isinstance(status_code, int) and status_code < HTTPStatus.MULTIPLE_CHOICES)
