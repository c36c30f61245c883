"""Pipes and sockets that nobody reads: callers go on, memory is bounded, and what is missing is told."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry import ecs_handler
from sereno_telemetry.logs.channels import Channel, DescriptorChannel, open_channel
from sereno_telemetry.logs.counting import DROPPED_METRIC, log_metrics
from sereno_telemetry.logs.ecs import EcsFormatter
from sereno_telemetry.logs.masking import Masker, Masking
from sereno_telemetry.logs.streams import EcsStreamHandler
from support.ecs_specification import violations
from support.waiting import wait_for

MOST_BYTES = 100_000


class Piped:
    """A logger that writes into a pipe or socket, whose other end is the test's."""

    def __init__(self, reading: int, channel: Channel) -> None:
        self.reading = reading
        self.registry = CollectorRegistry()
        metrics = log_metrics(self.registry)
        formatter = EcsFormatter(service="shop", dataset="app", node=None, masker=Masker(Masking(), metrics.masked))
        self.handler = EcsStreamHandler(channel, formatter, metrics, MOST_BYTES)
        self.logger = logging.Logger("shop")  # noqa: LOG001
        self.logger.addHandler(self.handler)

    def dropped(self, reason: str) -> int:
        """Lost records so far."""
        return int(self.registry.get_sample_value(DROPPED_METRIC, {"reason": reason}) or 0)

    def read_to_the_end(self) -> list[dict[str, Any]]:
        """Close the log while somebody reads: every line."""
        read: list[bytes] = []

        def reader() -> None:
            while data := os.read(self.reading, 65_536):
                read.append(data)

        thread = threading.Thread(target=reader)
        thread.start()
        wait_for(lambda: not self.handler._writer._waiting_bytes, what="the queue to be read")
        self.handler.close()
        thread.join(10)
        lines = b"".join(read).split(b"\n")[:-1]
        assert [problem for line in lines for problem in violations(line)] == []
        return [json.loads(line) for line in lines]


def _pipe(*, never_blocks: bool) -> tuple[int, Channel]:
    reading, writing = os.pipe()
    channel = open_channel(writing) if never_blocks else DescriptorChannel(os.dup(writing), never_blocks=False)
    assert channel.never_blocks == never_blocks
    os.close(writing)
    return reading, channel


def _socket() -> tuple[int, Channel]:
    ours, theirs = socket.socketpair()
    channel = open_channel(ours.fileno())
    ours.close()
    return theirs.detach(), channel


@pytest.fixture(params=["pipe", "pipe of a thread", "socket"])
def piped(request: pytest.FixtureRequest) -> Iterator[Piped]:
    """Each way in which lines go to a reader."""
    ways: dict[str, Callable[[], tuple[int, Channel]]] = {
        "pipe": lambda: _pipe(never_blocks=True),
        "pipe of a thread": lambda: _pipe(never_blocks=False),
        "socket": _socket,
    }
    log = Piped(*ways[request.param]())
    yield log
    log.handler.close()
    os.close(log.reading)


def test_lines_are_read_in_order(piped: Piped) -> None:
    """With a reader, every line arrives whole and in order, long ones too."""
    for number in range(50):
        piped.logger.info("%d %s", number, "x" * (number % 7) * 100)
    assert [line["event.sequence"] for line in piped.read_to_the_end()] == list(range(1, 51))


def test_nobody_reads(piped: Piped) -> None:
    """Log calls return, memory is bounded, what had room is written once somebody reads, and the gap is told."""
    for number in range(3_000):
        piped.logger.info("line %d %s", number, "x" * 300)
    assert piped.handler._writer._waiting_bytes <= MOST_BYTES + 1_000
    dropped = piped.dropped("overflow")
    assert dropped > 500
    lines = piped.read_to_the_end()
    told = [line for line in lines if line.get("event.action") == "log_records_dropped"]
    assert told
    assert sum(int(line["labels"]["dropped"]) for line in told) == dropped
    assert len(lines) - len(told) == 3_000 - dropped
    numbers = [line["event.sequence"] for line in lines]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) == 3_000 + len(told)  # what is missing up to here was dropped


def test_a_reader_that_is_gone_is_counted() -> None:
    """Nobody will read these lines any more: they are counted, and calls return."""
    log = Piped(*_pipe(never_blocks=True))
    os.close(log.reading)
    for _ in range(10):
        log.logger.info("x")
    assert log.dropped("refused") == 10
    log.handler.close()


_PROCESS = """
import logging, os, sys
from sereno_telemetry import configure_logging
configure_logging("shop")
logger = logging.getLogger("shop")
{body}
"""


def _run(body: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _PROCESS.format(body=body)], **options)


def test_the_end_of_a_process_is_bounded() -> None:
    """A process whose stderr nobody reads ends within seconds, and what was written at once is there after kill -9."""
    with _run("for n in range(5000): logger.info('line %d', n)", stderr=subprocess.PIPE) as process:
        assert process.wait(30) == 0
    with _run("logger.info('last words'); os.kill(os.getpid(), 9)", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.read())["message"] == "last words"


def test_a_slow_reader_gets_everything_at_the_end() -> None:
    """At exit the process waits for a reader who is only slow."""
    with _run("for n in range(3000): logger.info('line %d', n)", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
    assert [json.loads(line)["event.sequence"] for line in lines] == list(range(1, 3_001))


_FORKING = """
import threading
stop = threading.Event()
def chatter():
    while not stop.is_set():
        logger.info("parent")
threads = [threading.Thread(target=chatter) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for _ in range(8):  # as gunicorn does after preloading an app
    pid = os.fork()
    if pid == 0:
        for n in range(40):
            logger.info("child %d", n)
        logging.shutdown()
        os._exit(0)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
stop.set()
[thread.join() for thread in threads]
sys.exit(any(codes))
"""


@pytest.mark.parametrize("target", ["file", "pipe"])
def test_threads_and_forks_lose_and_repeat_no_number(tmp_path: Path, target: str) -> None:
    """Each process is a source of its own, counted from 1 without a gap, with threads that log while it forks."""
    path = tmp_path / "log"
    body = (
        _FORKING
        if target == "pipe"
        else f"from pathlib import Path\nconfigure_logging('shop', path=Path({str(path)!r}))\n{_FORKING}"
    )
    with _run(body, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        written = process.stderr.read()
    assert process.returncode == 0
    sources: dict[str, list[int]] = {}
    pids: dict[str, set[int]] = {}
    for text in (path.read_bytes() if target == "file" else written).splitlines():
        line = json.loads(text)
        sources.setdefault(line["service.node.name"], []).append(line["event.sequence"])
        pids.setdefault(line["service.node.name"], set()).add(line["process.pid"])
    assert len(sources) == 9
    assert all(len(found) == 1 for found in pids.values())
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in sources.values())
    assert all(numbers == sorted(numbers) for numbers in sources.values())


def test_each_handler_is_a_source(tmp_path: Path) -> None:
    """Two handlers of one process number their lines apart, under different names."""
    paths = [tmp_path / "a", tmp_path / "b"]
    logger = logging.Logger("shop")  # noqa: LOG001
    for path in paths:
        logger.addHandler(ecs_handler("shop", path=path))
    for _ in range(3):
        logger.info("x")
    lines = [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]
    assert [[line["event.sequence"] for line in each] for each in lines] == [[1, 2, 3]] * 2
    assert len({line["service.node.name"] for each in lines for line in each}) == 2
    for handler in logger.handlers:
        handler.close()
