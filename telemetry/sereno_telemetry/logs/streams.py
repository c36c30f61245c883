"""Lines to stderr, pipes, sockets and terminals, whose readers may be slow or gone: the caller never waits for them."""

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final, TextIO

from sereno_telemetry.logs.channels import Channel
from sereno_telemetry.logs.counting import LogMetrics
from sereno_telemetry.logs.ecs import EcsFormatter
from sereno_telemetry.logs.handler import EcsHandler

MOST_WAITING_BYTES: Final = 4 * 1024 * 1024
"""Of lines that nobody has read yet; further ones are dropped and counted."""

EXIT_SECONDS: Final = 2.0
"""How long the end of the process may wait for a reader."""

_ATOMIC_BYTES = 4_096  # PIPE_BUF of Linux: writes up to this don't mix with those of other processes
_POLL_SECONDS = 0.2


class LineWriter:
    """Writes lines in order: at once where that doesn't block, else in a thread, from a queue of bounded size.

    A line that was written at once survives the end of the process, however it ends; one in the queue waits for its
    reader, and at the end of the process for at most `EXIT_SECONDS`.
    """

    def __init__(
        self, channel: Channel, metrics: LogMetrics, told: Callable[[int], bytes], most_bytes: int = MOST_WAITING_BYTES
    ) -> None:
        self._channel = channel
        self._metrics = metrics
        self._told = told
        self._most_bytes = most_bytes
        self._closed_at: float | None = None
        self.begin_process()
        _writers.add(self)

    def begin_process(self) -> None:
        """Forget what another process is about to write: after a fork its thread isn't here."""
        self._changed = threading.Condition()  # re-entrant: signal handlers log, too
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._overflowed = 0
        self._begun = False
        self._torn = False
        self._unfinished = b""
        self._waited_in_vain = False
        self._thread: threading.Thread | None = None

    def put(self, line: bytes) -> None:
        """Write a line, with its end, or leave it to the thread; never waits."""
        with self._changed:
            if self._closed_at is not None:
                return
            if self._waiting_bytes == 0 and self._channel.never_blocks:
                line = self._try(line)
                if not line:
                    return
            elif self._waiting_bytes + len(line) > self._most_bytes:
                self._overflowed += 1
                self._metrics.dropped("overflow")
                return
            self._lines.append(line)
            self._waiting_bytes += len(line)
            self._start()
            self._changed.notify_all()

    def flush(self, seconds: float = EXIT_SECONDS) -> None:
        """Wait until all lines are written, at most so long."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._waiting_bytes == 0 or self._thread is None, timeout=seconds)
            self._waited_in_vain = not done

    def close(self) -> None:
        """Write what waits within `EXIT_SECONDS`, drop and count the rest; later lines are dropped.

        A reader that just let `flush` wait in vain (logging's own end calls both) gets no more time.
        """
        with self._changed:
            if self._closed_at is not None:
                return
            self._closed_at = time.monotonic() + (0.0 if self._waited_in_vain else EXIT_SECONDS)
            self._changed.notify_all()
            thread = self._thread
        if thread is None and self._channel.never_blocks:  # no thread begins at the end of the interpreter
            self._drain()
        elif thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(max(0.0, self._closed_at - time.monotonic()) + 2 * _POLL_SECONDS)
        with self._changed:
            left = len(self._lines) + self._unfinished.count(b"\n")
            self._lines.clear()
        if left:
            self._metrics.dropped("exit", left)
        if thread is None or not thread.is_alive():
            self._channel.close()

    def _start(self) -> None:
        if self._thread is not None:
            return
        # Known before it runs: a signal handler that logs while it starts must not start a second one.
        self._thread = threading.Thread(target=self._run, name="sereno-log-writer", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter ends, or there are no more threads: the next line, or close(), tries
            self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed_at is not None)
                if not self._lines:
                    return
            if not self._drain():
                return
            with self._changed:
                overflowed, self._overflowed = self._overflowed, 0
            if overflowed:
                self.put(self._told(overflowed))

    def _drain(self) -> bool:
        """Write until the queue is empty (True), or the time after the end is up."""
        while True:
            with self._changed:
                if not self._lines:
                    return True
                batch = self._lines.popleft()
                while self._lines and len(batch) + len(self._lines[0]) <= _ATOMIC_BYTES:
                    batch += self._lines.popleft()
                self._unfinished = batch
            while self._unfinished:
                rest = self._unfinished = self._try(self._unfinished)
                if rest and self._is_late():
                    return False
                if rest:
                    self._channel.wait(_POLL_SECONDS)
            with self._changed:
                self._waiting_bytes -= len(batch)
                self._changed.notify_all()

    def _is_late(self) -> bool:
        return self._closed_at is not None and time.monotonic() >= self._closed_at

    def _try(self, data: bytes) -> bytes:
        """Write what can be written now: the rest. What the system refuses is lost and counted.

        Where the rest of a line was refused, the next line begins with a line end.
        """
        whole = b"\n" + data if self._torn else data
        try:
            written = self._channel.write(whole)
        except BlockingIOError:
            return data
        except OSError:  # the reader is gone, the disk is full
            self._torn = self._torn or self._begun
            self._begun = False
            self._metrics.dropped("refused", max(1, data.count(b"\n")))
            return b""
        if written:
            self._torn = False
            self._begun = written < len(whole)
        return whole[written:] if written else data


class EcsStreamHandler(EcsHandler):
    """Writes each record to a channel; formatted in the caller: trace ids and arguments are those of the call."""

    def __init__(
        self, channel: Channel, formatter: EcsFormatter, metrics: LogMetrics, most_bytes: int = MOST_WAITING_BYTES
    ) -> None:
        super().__init__(formatter)
        self._writer = LineWriter(channel, metrics, self._gap, most_bytes)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, now or soon."""
        try:
            self._writer.put(self._lines.format_bytes(record) + b"\n")
        except Exception:  # noqa: BLE001 - as the handlers of the standard library do
            self.handleError(record)

    def flush(self) -> None:
        """Wait for the reader, for a moment."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits, for a moment; later records are dropped."""
        self._writer.close()
        super().close()

    def _gap(self, count: int) -> bytes:
        words = "%d log records were dropped: nobody read the log fast enough"
        record = logging.LogRecord("sereno_telemetry", logging.WARNING, __file__, 0, words, (count,), None)
        record.ecs = {"event.action": "log_records_dropped"}
        record.labels = {"dropped": count}
        return self._lines.format_bytes(record) + b"\n"


class EcsTextHandler(logging.StreamHandler[TextIO]):
    """Writes to text streams that are no files: in memory, compressed, a test's."""

    def __init__(self, stream: TextIO | None, formatter: EcsFormatter, metrics: LogMetrics) -> None:
        super().__init__(stream)
        self._metrics = metrics
        self.setFormatter(formatter)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name for it
        """Count a line that the stream refused: logging never fails its caller."""
        self._metrics.dropped("refused")


_writers: "weakref.WeakSet[LineWriter]" = weakref.WeakSet()


def _begin_forked_process() -> None:
    for writer in list(_writers):
        writer.begin_process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_forked_process)
