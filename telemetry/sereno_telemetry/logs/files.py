"""Lines into a file that rotates and may fill up."""

import contextlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import Final

from sereno_telemetry.logs.counting import LogMetrics
from sereno_telemetry.logs.ecs import EcsFormatter
from sereno_telemetry.logs.handler import EcsHandler

CHECK_INTERVAL_SECONDS: Final = 0.1
"""How often the file's name is looked up: a rotated file gets lines for at most so long, a deleted one keeps them."""

_COMPLAINT_INTERVAL_SECONDS = 60.0


class EcsFileHandler(EcsHandler):
    """Appends each record to a file with one write, so that several processes and rotation don't tear lines.

    A file that was renamed or deleted (logrotate) is opened anew. A line that can't be written is dropped, told on
    stderr at most once a minute, counted, and shows as a gap in `event.sequence`: logging never fails a request.
    A line is in the system's cache when `emit` returns, so it survives the end of the process, by kill -9 too.

    Raises:
        OSError: the file can't be opened at the start.
    """

    def __init__(self, path: Path, formatter: EcsFormatter, metrics: LogMetrics) -> None:
        super().__init__(formatter)
        self._path = path
        self._metrics = metrics
        self._descriptor = -1
        self._torn = False
        self._check_interval_seconds = CHECK_INTERVAL_SECONDS
        self._check_due = 0.0
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
            now = time.monotonic()
            if now >= self._check_due:
                self._check_due = now + self._check_interval_seconds
                self._reopen_if_moved()
            self._write(b"\n" + line if self._torn else line)
        except OSError as error:
            self._lost += 1
            self._metrics.dropped("refused")
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
