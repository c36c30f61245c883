"""Moments that writers must survive: refused rests of lines, signals, log calls within log calls, the last moment."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry.logs.counting import DROPPED_METRIC, log_metrics
from sereno_telemetry.logs.streams import EXIT_SECONDS, LineWriter
from support.memory_log import MemoryLog


class ScriptedChannel:
    """A channel that takes, waits or refuses as told, then takes everything."""

    never_blocks = True

    def __init__(self, *script: int | OSError) -> None:
        self.script = list(script)
        self.written = b""

    def write(self, data: bytes) -> int:
        """Do what is next in the script."""
        step = self.script.pop(0) if self.script else len(data)
        if isinstance(step, OSError):
            raise step
        self.written += data[:step]
        return min(step, len(data))

    def wait(self, seconds: float) -> None:
        """Wait a little of the time."""
        time.sleep(min(seconds, 0.01))

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of this test alone."""
    return CollectorRegistry()


def _writer(channel: ScriptedChannel, registry: CollectorRegistry) -> LineWriter:
    return LineWriter(channel, log_metrics(registry), lambda count: b"%d lost\n" % count)


def _dropped(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value(DROPPED_METRIC, {"reason": reason})


def test_a_line_after_a_refused_rest_begins_anew(registry: CollectorRegistry) -> None:
    """Half a line costs that line only, counted once: the next one doesn't continue it."""
    channel = ScriptedChannel(3, BlockingIOError(), OSError(32, "gone"))
    writer = _writer(channel, registry)
    writer.put(b"first\n")
    writer.flush()
    writer.put(b"second\n")
    writer.put(b"third\n")
    writer.close()
    assert channel.written == b"fir\nsecond\nthird\n"
    assert _dropped(registry, "refused") == 1


def test_what_the_end_leaves_is_counted_line_by_line(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of a batch that was begun count like those still queued; who waited in vain is given no more time."""
    channel = ScriptedChannel()
    monkeypatch.setattr(channel, "write", _refuse_for_now)
    writer = _writer(channel, registry)
    for number in range(5):
        writer.put(b"line %d\n" % number)
    writer.flush(0.05)
    began = time.monotonic()
    writer.close()
    assert writer._closed_at is not None
    assert writer._closed_at - began < EXIT_SECONDS
    assert _dropped(registry, "exit") == 5


def _refuse_for_now(_data: bytes) -> int:
    raise BlockingIOError


class Chatty:
    """A value whose own text logs itself."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger

    def __str__(self) -> str:
        self.logger.info("telling %s", self)
        return "chatty"


def test_log_calls_within_log_calls_end(log: MemoryLog) -> None:
    """A value that logs itself costs a few lines, numbered as written, and later calls are told in full again."""
    log.logger.info("hear %s", Chatty(log.logger))
    inner = log.lines
    assert [line["event.sequence"] for line in inner] == list(range(1, len(inner) + 1))
    assert len(inner) < 10
    assert inner[-1]["message"] == "hear chatty"
    log.logger.info("later %s", "call")
    assert log.lines[-1]["message"] == "later call"


class Waiting:
    """A value whose text is there when told."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.told = threading.Event()

    def __str__(self) -> str:
        self.asked.set()
        self.told.wait(10)
        return "waited"


@pytest.fixture
def waiting() -> Iterator[list[Waiting]]:
    """Values that are let go at the end."""
    values = [Waiting() for _ in range(6)]
    yield values
    for value in values:
        value.told.set()


def test_threads_do_not_nest_in_each_other(log: MemoryLog, waiting: list[Waiting]) -> None:
    """Calls of other threads that are in the middle of their text don't count as this call's own."""
    formatter = log.logger.handlers[0].formatter
    assert formatter is not None
    records = [logging.makeLogRecord({"msg": "%s", "args": (value,)}) for value in waiting]
    threads = [threading.Thread(target=formatter.format, args=(record,)) for record in records]
    for thread, value in zip(threads, waiting, strict=True):
        thread.start()
        assert value.asked.wait(10)
    log.logger.info("meanwhile %d", 7)
    assert log.lines[-1]["message"] == "meanwhile 7"
    for value, thread in zip(waiting, threads, strict=True):
        value.told.set()
        thread.join(10)


_LAST_MOMENTS = """
import atexit, logging, os, signal, sys
from sereno_telemetry import configure_logging
configure_logging("shop")
logger = logging.getLogger("shop")
class Late:
    def __del__(self):
        logger.info("deleted")
late = Late()
late.itself = late  # kept until the interpreter ends
atexit.register(logger.info, "at exit")
signal.signal(signal.SIGALRM, lambda *_: logger.info("signal"))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for number in range(2000):
    logger.info("line %d", number)
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_log_call_while_the_writer_starts_begins_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a signal handler makes it: two threads that write one queue would lose lines of each other."""
    begun: list[str] = []

    class InterruptedStart(threading.Thread):
        def start(self) -> None:
            begun.append(self.name)
            if len(begun) < 3:
                writer.put(b"second\n")
            super().start()

    monkeypatch.setattr(threading, "Thread", InterruptedStart)
    channel = ScriptedChannel(BlockingIOError(), BlockingIOError())
    writer = LineWriter(channel, log_metrics(CollectorRegistry()), lambda _: b"")
    writer.put(b"first\n")
    writer.close()
    assert channel.written == b"first\nsecond\n"
    assert len(begun) == 1


def test_signals_and_the_last_moment() -> None:
    """Signal handlers and exit functions log without a deadlock; objects that die last log without an exception."""
    done = subprocess.run([sys.executable, "-c", _LAST_MOMENTS], capture_output=True, timeout=60, check=False)
    lines = [json.loads(line) for line in done.stderr.splitlines()]  # a traceback would be no JSON
    messages = [line["message"] for line in lines]
    assert done.returncode == os.EX_OK
    assert [message for message in messages if message.startswith("line")] == [f"line {n}" for n in range(2000)]
    assert "at exit" in messages
    assert "signal" in messages
    assert sorted(line["event.sequence"] for line in lines) == list(range(1, len(lines) + 1))
