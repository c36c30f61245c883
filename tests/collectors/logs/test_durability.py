"""Whatever fails, nothing is forgotten before it is kept elsewhere."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
import pytest
from sereno_backends.logs import LogRecord, LogStoreUnreachable, SqliteLogStore
from sereno_collectors.logs import Checkpoint, CheckpointError, LockError
from sereno_collectors.logs.delivery.dead_letters import DeadLetters
from sereno_collectors.logs.delivery.letter import DeadLetter
from sereno_collectors.logs.model import Position
from support.collecting import Bench, ecs_line
from support.timing import timed
from support.waiting import wait_for


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Bench]:
    """A collector whose store gives up soon when another process holds it locked."""
    made = Bench(tmp_path, SqliteLogStore(tmp_path / "logs.sqlite", busy_timeout_seconds=0.05))
    yield made
    made.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process's transaction: the store takes nothing."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def waits_in_queue(bench: Bench, events: int) -> bool:
    """Whether so many events were read and are not stored."""
    return bench.gauge("queue_documents") == events


@contextmanager
def following(bench: Bench) -> Iterator[threading.Thread]:
    """The collector at work in a thread, in real time; stopped when the block is left."""
    bench.stop.clear()
    bench.real_time = True
    thread = threading.Thread(target=bench.start().follow)
    thread.start()
    try:
        yield thread
    finally:
        bench.stop.set()
        thread.join(5)
        assert not thread.is_alive()


def test_while_the_store_is_down_the_file_is_the_queue(impatient: Bench) -> None:
    """Lines written while the store takes nothing are stored after it does, each once, and the metrics tell both."""
    bench = impatient
    bench.append("one")
    bench.drain()
    with following(bench):
        with locked(bench.folder / "logs.sqlite"):
            bench.append("two")
            wait_for(lambda: bench.gauge("up") == 0, what="the failure shows")
            bench.append("three")
            wait_for(lambda: (bench.gauge("lag_bytes") or 0) >= 10, what="the lag shows")
            assert bench.messages() == ["one"]
        wait_for(lambda: len(bench.messages()) == 3, what="the queue is worked off")
        wait_for(lambda: bench.gauge("up") == 1, what="the recovery shows")
        wait_for(lambda: bench.gauge("lag_bytes") == 0, what="nothing waits")
    assert bench.messages() == ["one", "three", "two"]
    assert bench.count("received") == (bench.count("indexed") or 0) + (bench.count("duplicate") or 0) == 2
    told = [report for report in bench.reports if "locked" in report or "again" in report]
    assert [("locked" in report, report == "storing again") for report in told] == [(True, False), (False, True)]


def test_rotation_during_an_outage_loses_nothing_even_when_files_are_deleted(impatient: Bench) -> None:
    """Files that are rotated away and deleted while the store is down were opened in time."""
    bench, archive = impatient, impatient.folder / "app.log.1"
    with following(bench):
        bench.append("start")
        wait_for(lambda: bench.messages() == ["start"] if bench.store_exists() else False, what="the first line")
        with locked(bench.folder / "logs.sqlite"):
            for number in range(3):
                bench.append(f"last of file {number}")
                bench.log.rename(archive)
                bench.append(f"first of file {number + 1}")
                waiting = partial(waits_in_queue, bench, 2 * (number + 1))
                wait_for(waiting, what="both files were read")
                archive.unlink()
        wait_for(lambda: len(bench.messages()) == 7, what="all lines of all files")
    assert bench.count("duplicate") == 0


@timed
def test_a_stop_during_an_outage_is_quick_and_forgets_nothing(impatient: Bench) -> None:
    """Told to stop while the store is down, the collector ends at once; the next one stores what was waiting."""
    bench = impatient
    bench.append("one")
    bench.drain()
    bench.append("two")
    with locked(bench.folder / "logs.sqlite"):
        began = 0.0
        with following(bench):
            wait_for(lambda: bench.gauge("up") == 0, what="the failure shows")
            began = time.monotonic()
        assert time.monotonic() - began < 1
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "two"]


def test_a_stop_takes_what_is_in_the_files_already(bench: Bench) -> None:
    """Lines that were written before the stop are stored before the end."""
    for _ in range(5):
        with following(bench):
            bench.append("a line just before the stop")
    assert len(bench.messages()) == 5


def test_collecting_once_does_not_wait_for_a_store_that_is_down(impatient: Bench) -> None:
    """One run gives up with the store's reason, and the next run goes on from there."""
    bench = impatient
    bench.append("one")
    bench.drain()
    bench.append("two")
    with locked(bench.folder / "logs.sqlite"), pytest.raises(LogStoreUnreachable, match="locked by another process"):
        bench.start().collect_once()
    bench.start().collect_once()
    assert bench.messages() == ["one", "two"]


def test_collecting_once_takes_a_last_line_without_end_unless_it_is_half(bench: Bench) -> None:
    """A whole last line needs no end; half a JSON object is left for the run that finds it whole."""
    bench.append("text without end", name="a.log", end="")
    bench.append('{"message": "whole"}', name="b.log", end="")
    bench.append('{"message": "ha', name="c.log", end="")
    bench.start("a.log", "b.log", "c.log").collect_once()
    assert bench.messages() == ["text without end", "whole"]
    bench.append('lf"}', name="c.log", end="")
    bench.append("", name="a.log")
    bench.start("a.log", "b.log", "c.log").collect_once()
    assert bench.messages() == ["half", "text without end", "whole"]


def test_a_checkpoint_that_can_not_be_written_is_told(bench: Bench) -> None:
    """The checkpoint is for the day on which the queue is lost: that it fails is said, once, and storing goes on."""
    bench.append("one", "two")
    bench.start()
    in_the_way = bench.folder / "checkpoint.json.new"
    in_the_way.mkdir()
    bench.drain()
    bench.end()
    assert bench.messages() == ["one", "two"]
    assert len([report for report in bench.reports if "checkpoint can't be written" in report]) == 1
    in_the_way.rmdir()
    bench.start()
    bench.drain()
    assert bench.count("received") == 0


def test_a_lost_queue_is_made_good_from_the_files(bench: Bench) -> None:
    """Without the queue's file reading begins where the store had answered for everything; what it has stays single."""
    bench.append("one")
    bench.drain()
    bench.append("two")
    bench.drain()
    bench.end()
    bench.append("three")
    for path in bench.folder.glob("queue.sqlite*"):
        path.unlink()
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert bench.count("received") == 1


def test_after_a_lost_queue_lines_are_doubted_until_all_are_read_again(bench: Bench) -> None:
    """What stood in the files when the queue was lost may have been sent; what is written later was not."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    for path in bench.folder.glob("queue.sqlite*"):
        path.unlink()

    def is_doubted() -> bool:
        with closing(sqlite3.connect(bench.queue)) as connection:
            return connection.execute("SELECT 1 FROM state WHERE name = 'suspect'").fetchone() is not None

    bench.start()
    assert is_doubted()
    bench.drain()
    bench.append("three")
    bench.drain()
    assert not is_doubted()
    assert bench.messages() == ["one", "three", "two"]


COLLECTOR: list[str | Path] = [sys.executable, "-c", "from sereno_cli.main import main; main()", "collect", "logs"]


def test_a_killed_collector_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Killed again and again at random moments while lines are written and files rotate, each line is stored once."""
    log = tmp_path / "app.log"
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            with log.open("a") as file:
                for _ in range(20):
                    file.write((f"text {written}" if written % 2 else ecs_line(f"line {written}")) + "\n")
                    written += 1
            if written % 2000 == 0:
                log.rename(tmp_path / f"app.log.{written // 2000}")
            time.sleep(0.003)

    outputs: list[str | Path] = ["--log-store", tmp_path / "logs.sqlite", "--checkpoint", tmp_path / "c.json"]
    command = [*COLLECTOR, "--file", log, *outputs, "--dead-letters", tmp_path / "d.jsonl"]
    log.touch()
    # It has to know the file before it is rotated for the first time; on a busy machine 0.35 s don't suffice to start.
    subprocess.run([*command, "--once"], check=True, capture_output=True, timeout=60)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for seconds in (0.35, 0.9, 0.6, 0.75, 1.1):
            collector = subprocess.Popen([*command, "--metrics-port", "0"], stdout=subprocess.DEVNULL)
            time.sleep(seconds)
            os.kill(collector.pid, signal.SIGKILL)
            collector.wait(10)
    finally:
        stop.set()
        writer.join()
    log.touch()
    done = subprocess.run([*command, "--once"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    with closing(Bench(tmp_path)) as bench:
        messages = bench.messages()
    assert len(messages) == written
    assert set(messages) == {f"text {n}" if n % 2 else f"line {n}" for n in range(written)}


def letter(record_id: str, text: str = "the line") -> DeadLetter:
    """A dead letter."""
    document = {"message": text, "log.file.path": "/app.log", "log.offset": 7}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return DeadLetter("because", LogRecord(record_id, moment, "checkout", "info", text, document=document))


def test_a_dead_letter_says_what_why_and_where_from(tmp_path: Path) -> None:
    """Each letter is a JSON line with the reason, the place and the original line."""
    path = tmp_path / "dead.jsonl"
    letters = DeadLetters(path, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    letters.keep([])
    assert not path.exists()
    letters.keep([letter("a", "caf\u00e9")])
    letters.keep([letter("b")])
    first, second = (orjson.loads(line) for line in path.read_bytes().splitlines())
    assert first == {
        "@timestamp": "2026-11-22T12:00:00.000Z",
        "reason": "because",
        "record_id": "a",
        "log.file.path": "/app.log",
        "log.offset": 7,
        "line": '{"message":"caf\u00e9","log.file.path":"/app.log","log.offset":7}',
    }
    assert second["record_id"] == "b"


def test_a_dead_letter_is_not_written_again_after_a_kill(tmp_path: Path) -> None:
    """Letters that are on the disk already are known; one that the kill cut off is written whole, on a new line."""
    path = tmp_path / "dead.jsonl"
    DeadLetters(path, lambda: datetime.now(UTC)).keep([letter("a"), letter("b")])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    DeadLetters(path, lambda: datetime.now(UTC)).keep([letter("a"), letter("b"), letter("c")])
    readable = []
    for line in path.read_bytes().splitlines():
        try:
            readable.append(orjson.loads(line)["record_id"])
        except orjson.JSONDecodeError:
            continue
    assert readable == ["a", "b", "c"]


POSITION = Position(path="/app.log", source="s", inode=1, generation=0, offset=10, tail="t", modified_ns=5)


def test_a_checkpoint_is_one_collectors_own(tmp_path: Path) -> None:
    """A second collector with the same checkpoint is refused until the first is gone."""
    path = tmp_path / "c.json"
    with closing(Checkpoint(path, store="one")) as first:
        first.save([POSITION])
        with pytest.raises(LockError, match="another collector uses"):
            Checkpoint(path, store="two")
    with closing(Checkpoint(path, store="two")) as second:
        assert second.positions == (POSITION,)
        assert second.earlier_store == "one"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"version": 1}', b'{"version": 1, "positions": [{"path": 1}], "store": ""}']
)
def test_a_damaged_checkpoint_is_refused_with_the_cure(tmp_path: Path, content: bytes) -> None:
    """What is no checkpoint is never taken for an empty one; the file is left for a person, and not left locked."""
    path = tmp_path / "c.json"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(CheckpointError, match="move it away"):
            Checkpoint(path, store="s")
    assert path.read_bytes() == content


def test_a_newer_checkpoint_is_refused(tmp_path: Path) -> None:
    """A checkpoint of a newer Sereno is not overwritten."""
    path = tmp_path / "c.json"
    path.write_bytes(b'{"version": 99, "positions": [], "store": "s"}')
    with pytest.raises(CheckpointError, match="upgrade sereno"):
        Checkpoint(path, store="s")


def test_a_checkpoint_in_an_impossible_place_is_explained(tmp_path: Path) -> None:
    """The path and the cause stand in the message."""
    with pytest.raises(LockError, match="No such file"):
        Checkpoint(tmp_path / "missing" / "c.json", store="s")
