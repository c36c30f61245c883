"""Lines of a pipe come in whole, in order, each once."""

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_collectors.logs.inputs.stdin import StdinInput
from sereno_collectors.logs.inputs.stdin.event_buffer import LONGEST_EVENT_BYTES, EventBuffer
from sereno_collectors.logs.model import Chunk, Origin, OriginKind
from support.taking_intake import TakingIntake
from support.waiting import wait_for

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = Origin(OriginKind.STDIN, "-", "a run")
TRACE = b"it failed\nTraceback (most recent call last):\n  File x, line 1\nValueError: no"


@dataclass
class Pipe:
    """A pipe with a collector's input at its end."""

    stop: Event = field(default_factory=Event)
    reports: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.intake = TakingIntake(self.stop)
        made = StdinInput(self.reader, run="1", report=self.reports.append)
        self.thread = threading.Thread(target=made.run, args=(self.intake, self.stop))
        self.thread.start()

    def write(self, data: bytes) -> None:
        """As the program before the pipe does."""
        os.write(self.writer, data)

    def write_all(self, data: bytes) -> None:
        """The same, for more than a pipe holds."""
        with os.fdopen(self.writer, "wb", closefd=False) as file:
            file.write(data)

    def end(self) -> None:
        """The program before the pipe ends; everything is to be read."""
        os.close(self.writer)
        self.writer = -1
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe that is read."""
    made = Pipe()
    yield made
    made.stop.set()
    made.thread.join(5)
    os.close(made.reader)
    if made.writer >= 0:
        os.close(made.writer)


def test_the_end_of_the_stream_ends_the_input_with_its_last_line(pipe: Pipe) -> None:
    """Every line is handed over, a last one without an end included, and the input returns."""
    pipe.write(b'{"n":1}\n{"n":2}\n\nlast, without')
    pipe.write(b" an end")
    pipe.end()
    assert pipe.intake.events == [b'{"n":1}', b'{"n":2}', b"", b"last, without an end"]
    assert {chunk.origin.kind for chunk in pipe.intake.chunks} == {OriginKind.STDIN}


def test_a_traceback_is_one_event_however_its_lines_come(pipe: Pipe) -> None:
    """Text waits for the lines that continue it, and is handed over when none came for a while."""
    for line in TRACE.splitlines(keepends=True):
        pipe.write(line)
    pipe.write(b"\nnext\n")
    wait_for(lambda: pipe.intake.events == [TRACE, b"next"], what="both events")


def test_a_silent_stream_does_not_hold_up_the_end(pipe: Pipe) -> None:
    """Told to stop while its writer is silent, the input hands over what it has and returns."""
    pipe.write(b"half a li")
    pipe.stop.set()
    pipe.thread.join(3)
    assert not pipe.thread.is_alive()
    assert pipe.intake.events == [b"half a li"]


def test_while_the_queue_is_full_the_writer_waits_and_nothing_is_lost(pipe: Pipe) -> None:
    """A full queue holds the stream up; when there is room again, everything comes in order."""
    pipe.intake.room.clear()
    written = [b'{"n":%d}' % number for number in range(30_000)]
    writer = threading.Thread(target=pipe.write_all, args=(b"".join(line + b"\n" for line in written),))
    writer.start()
    writer.join(0.3)
    assert writer.is_alive(), "the pipe and one batch hold less than was written"
    pipe.intake.room.set()
    writer.join(10)
    pipe.end()
    assert pipe.intake.events == written
    assert pipe.reports == []


def test_what_is_lost_at_the_end_with_a_full_queue_is_said(pipe: Pipe) -> None:
    """Events that were read and that an ending collector did not take are counted in a report."""
    pipe.intake.room.clear()
    pipe.write(b'{"n":1}\n{"n":2}\n{"n"')
    pipe.stop.set()
    pipe.thread.join(3)
    assert not pipe.thread.is_alive()
    assert pipe.intake.events == []
    assert "events that were read" in pipe.reports[0]
    assert "lost" in pipe.reports[0]


def test_what_was_read_before_the_stream_failed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that can't be read any more is an end with a reason, and what came before it is handed over."""
    given: list[bytes | int] = [b"text that may go on\n", errno.EIO]

    def read(*_: int) -> bytes:
        if isinstance(what := given.pop(0), int):
            raise OSError(what, os.strerror(what))
        return what

    reader, writer = os.pipe()
    os.write(writer, b"x")
    monkeypatch.setattr(os, "read", read)
    stop = Event()
    intake = TakingIntake(stop)
    with pytest.raises(OSError, match="standard input can't be read: Input/output error"):
        StdinInput(reader, run="1", report=print).run(intake, stop)
    assert intake.events == [b"text that may go on"]
    os.close(reader)
    os.close(writer)


PIECES = st.lists(
    st.sampled_from(
        [b'{"n":1}\n', b"text\n", b"  more\n", b"\n", b"Traceback (most recent call last):\n", b"ha", b"lf\n"]
    ),
    max_size=30,
)


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(st.tuples(PIECES, st.booleans()), max_size=8))
def test_chunks_are_gapless(reads: list[tuple[list[bytes], bool]]) -> None:
    """Whatever is read and whenever it is taken, the events stand at their offsets and make up the whole stream."""
    buffer = EventBuffer(ORIGIN)
    chunks: list[Chunk] = []
    for pieces, settled in reads:
        buffer.feed(b"".join(pieces))
        chunks += buffer.take(NOON, settled=settled)
    chunks += buffer.take(NOON, ended=True)
    whole = b"".join(piece for pieces, _ in reads for piece in pieces)
    assert buffer.is_empty
    assert b"\n".join(event for chunk in chunks for event in chunk.events) == whole.removesuffix(b"\n")
    for chunk in chunks:
        assert whole.startswith(b"\n".join(chunk.events), chunk.offset)


def test_a_line_without_end_is_taken_in_pieces() -> None:
    """A line that is longer than the bound comes in pieces, which together are the line; text is bounded, too."""
    buffer = EventBuffer(ORIGIN)
    buffer.feed(b"x" * LONGEST_EVENT_BYTES)
    (first,) = buffer.take(NOON)
    buffer.feed(b"rest\n")
    (second,) = buffer.take(NOON, settled=True)
    assert first.events == (b"x" * LONGEST_EVENT_BYTES,)
    assert (second.offset, second.events) == (LONGEST_EVENT_BYTES, (b"rest",))
    buffer.feed(b"text\n" + (b" " * 2047 + b"\n") * 600)
    assert len(b"".join(buffer.take(NOON)[0].events)) > LONGEST_EVENT_BYTES


def test_blank_lines_do_not_fill_the_memory() -> None:
    """Blank lines without end are taken, though text that goes on may follow."""
    buffer = EventBuffer(ORIGIN)
    taken = 0
    for _ in range(6):
        buffer.feed(b"\n" * (LONGEST_EVENT_BYTES // 4))
        taken += sum(len(chunk.events) for chunk in buffer.take(NOON))
    assert taken >= LONGEST_EVENT_BYTES


def test_text_waits_for_the_lines_that_continue_it() -> None:
    """However its lines are cut into reads, a traceback comes whole, before the event that follows it."""
    buffer = EventBuffer(ORIGIN)
    taken: list[Chunk] = []
    for line in (TRACE + b"\nnext\n").splitlines(keepends=True):
        buffer.feed(line)
        taken += buffer.take(NOON)
    taken += buffer.take(NOON, settled=True)
    assert [chunk.events for chunk in taken] == [(TRACE,), (b"next",)]
