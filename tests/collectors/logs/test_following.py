"""Files are followed line by line, through everything that rotation does to them."""

import errno
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from sereno_collectors.logs.inputs.files import followed_file, tail
from sereno_collectors.logs.inputs.files.content import Content, PlainContent, open_content
from sereno_collectors.logs.inputs.files.files_input import BATCH_BYTES, FilesInput
from sereno_collectors.logs.inputs.files.files_input import BATCH_EVENTS as BATCH_LINES
from sereno_collectors.logs.inputs.files.followed_file import LONGEST_LINE_BYTES
from sereno_collectors.logs.model import Chunk, Position
from support.collecting import Bench, Clock, ecs_line

TRACE = "it failed\nTraceback (most recent call last):\n  File x, line 1\nValueError: no"


class Batches:
    """An intake that keeps each batch by itself."""

    is_ending = False

    def __init__(self) -> None:
        self.batches: list[tuple[Chunk, ...]] = []

    def accept(
        self, chunks: Sequence[Chunk], positions: Sequence[Position] = (), *, patience_seconds: float | None = None
    ) -> None:
        """See `Intake.accept`."""
        assert positions
        assert patience_seconds
        self.batches.append(tuple(chunks))

    @property
    def events(self) -> list[str]:
        """Everything that was taken, in order."""
        return [event.decode() for batch in self.batches for chunk in batch for event in chunk.events]


def test_a_file_is_read_from_its_beginning_and_on(bench: Bench) -> None:
    """What was there before the start is collected, then what comes, in the order of the file."""
    bench.append(ecs_line("one"), "two")
    bench.drain()
    bench.append(ecs_line("three"))
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert (bench.count("received"), bench.count("indexed")) == (3, 3)


def test_a_line_is_taken_when_it_has_its_end(bench: Bench) -> None:
    """A half-written line waits for its other half and is one record then."""
    bench.append('{"message": "ha', end="")
    bench.drain()
    assert bench.count("received") == 0
    bench.append('lf", "a": 1}', end="")
    bench.drain()
    assert bench.count("received") == 0
    bench.append("")
    bench.drain()
    assert bench.messages() == ["half"]


def test_empty_lines_and_carriage_returns_are_no_content(bench: Bench) -> None:
    """Blank lines vanish; Windows' line ends are line ends; a carriage return within a line is part of it."""
    bench.append("one\r", "", "   ", "50%\r100%", "\r")
    bench.drain()
    assert bench.messages() == ["50%\r100%", "one"]


def test_the_next_process_goes_on_where_the_last_stood(bench: Bench) -> None:
    """After a restart only new lines are read, those written meanwhile included."""
    bench.append("one", "two")
    bench.drain()
    bench.append("three")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert bench.count("received") == 1


def test_numbers_that_never_came_are_counted(bench: Bench) -> None:
    """A gap in a source's numbers shows in the metrics until the late lines come."""

    def numbered(number: int) -> str:
        return ecs_line(f"line {number}", **{"service.node.name": "n", "event.sequence": number})

    bench.append(numbered(1), numbered(4), numbered(5))
    bench.drain()
    assert bench.gauge("missing_documents") == 2
    bench.append(numbered(3), numbered(2))
    bench.drain()
    assert bench.gauge("missing_documents") == 0


def test_a_file_that_comes_later_is_waited_for(bench: Bench) -> None:
    """A log that does not exist yet is read from its beginning once it does."""
    bench.start()
    bench.drain()
    bench.append("one")
    bench.drain()
    assert bench.messages() == ["one"]


def test_several_files_are_followed_fairly(bench: Bench) -> None:
    """A file with much does not hold up one with little."""
    bench.append(*(f"busy {number}" for number in range(3 * BATCH_LINES)), name="busy.log")
    bench.append(ecs_line("quiet"), name="quiet.log")
    collector = bench.start("busy.log", "quiet.log")
    collector.collect_batch()
    assert "quiet" in bench.messages()
    bench.drain()
    assert len(bench.messages()) == 3 * BATCH_LINES + 1


def test_files_that_are_left_out_keep_their_positions(bench: Bench) -> None:
    """Following other files for a while does not make the first ones be read again."""
    bench.append("one")
    bench.drain()
    bench.append("two", name="other.log")
    bench.start("other.log")
    bench.drain()
    bench.start("app.log", "other.log")
    bench.drain()
    assert bench.count("received") == 0


def test_a_very_long_line_is_kept_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is larger than what is read at once is stored completely, piece by piece."""
    monkeypatch.setattr(followed_file, "CHUNK_BYTES", 100)
    monkeypatch.setattr(followed_file, "LONGEST_LINE_BYTES", 1000)
    long_line = "".join(f"{number:04}" for number in range(700))
    fitting = "f" * 999
    bench.append("before", fitting, long_line, "after")
    bench.drain()
    pieces = [record.message for record in bench.stored() if record.message not in {"before", fitting, "after"}]
    assert "".join(pieces) == long_line
    assert [len(piece) for piece in pieces] == [1000, 1000, 800]
    assert len(bench.messages()) == 6


def test_long_lines_do_not_fill_the_memory(tmp_path: Path) -> None:
    """A batch is bounded in bytes, too, however long the lines are."""
    log = tmp_path / "app.log"
    line = "x" * (LONGEST_LINE_BYTES - 10)
    log.write_text(f"{line}\n" * 40)
    taken = Batches()
    with closing(FilesInput([log], known=(), report=print)) as files:
        files.run_once(taken)
    assert taken.events == [line] * 40
    assert max(sum(len(chunk.events[0]) for chunk in batch) for batch in taken.batches) < 2 * BATCH_BYTES


@pytest.mark.parametrize("before", ["text\n\n", "\n" * 1010], ids=["text", "blank"])
def test_a_busy_file_is_read_on_behind_blank_lines(bench: Bench, before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank lines before a line that fills what is read at once hold up nothing, though the file never rests."""
    monkeypatch.setattr(followed_file, "CHUNK_BYTES", 1000)
    bench.append(before, end="")
    bench.append(ecs_line("y" * 1000))
    for number in range(20):
        bench.append(ecs_line(f"line {number}"))
        bench.collector.collect_batch()
        bench.clock.seconds += 0.1
    assert "line 10" in bench.messages()


@pytest.mark.parametrize("ending", [True, False])
def test_no_trace_is_cut_where_reading_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ending: bool) -> None:
    """What continues an event in the file already belongs to it, also when the collector ends meanwhile."""
    monkeypatch.setattr(followed_file, "CHUNK_BYTES", 200)
    log = tmp_path / "app.log"
    log.write_text(f"{TRACE}\n" * 20)
    taken = Batches()
    with closing(FilesInput([log], known=(), report=print)) as files:
        while files.read_batch(taken, ending=ending):
            pass
    assert taken.events == [TRACE] * (20 if ending else 19)


def test_a_last_line_without_an_end_belongs_to_its_trace(tmp_path: Path) -> None:
    """A trace at the end of a file is one event, whether its last line has an end or not."""
    log = tmp_path / "app.log"
    log.write_text(TRACE)
    taken = Batches()
    with closing(FilesInput([log], known=(), report=print)) as files:
        files.run_once(taken)
    assert taken.events == [TRACE]


def test_text_before_half_a_json_line_is_taken_at_the_end(tmp_path: Path) -> None:
    """Half a JSON object is left for the next time; the text before it can't go on, and is not."""
    log = tmp_path / "app.log"
    log.write_text(f'{TRACE}\n{{"half')
    taken = Batches()
    with closing(FilesInput([log], known=(), report=print)) as files:
        files.run_once(taken)
        assert taken.events == [TRACE]
        assert files.unread_bytes == len('{"half')


def test_an_unreadable_file_is_reported_and_the_others_go_on(bench: Bench) -> None:
    """A path that can't be opened stops nobody, and its file is read once that is possible."""
    loop = bench.folder / "loop.log"
    loop.symlink_to(loop)
    bench.append("one")
    bench.start("app.log", "loop.log")
    bench.drain()
    assert bench.messages() == ["one"]
    assert any("loop.log: can't be read" in report for report in bench.reports)
    assert len([report for report in bench.reports if "loop.log" in report]) == 1
    loop.unlink()
    loop.write_text("two\n")
    bench.drain()
    assert bench.messages() == ["one", "two"]


def test_a_trouble_that_lasts_is_said_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotated file that can't be opened is reported once, not at each look, and read once that is possible."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    rotated = bench.log.rename(bench.folder / "app.log.1")
    bench.append("three")

    def refused(path: str, size: int | None = None) -> Content:
        if path == str(rotated):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_content(path, size)

    monkeypatch.setattr(tail, "open_content", refused)
    bench.start()
    for _ in range(5):
        bench.drain()
    assert bench.reports == [f"{rotated}: can't be read: Permission denied"]
    assert bench.messages() == ["one", "three"]
    monkeypatch.undo()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


def test_a_disk_that_fails_while_its_file_is_open_stops_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of an open file can't be read any more is said once, and read when it can be again."""
    bench.append("one")
    bench.drain()
    bench.append("two")
    bench.log.rename(bench.folder / "app.log.1")
    bench.append("three")

    def fails(*_: object) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(PlainContent, "bytes_at", fails)
    monkeypatch.setattr(PlainContent, "size", property(fails))
    for _ in range(3):
        bench.drain()
    monkeypatch.undo()
    assert len([report for report in bench.reports if "Stale" in report]) == 2  # of either file
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


def test_a_file_that_is_named_like_a_pattern_is_followed(bench: Bench) -> None:
    """A path with brackets that names a file is that file."""
    bench.append("one", name="app[1].log")
    bench.start("app[1].log")
    bench.drain()
    assert bench.messages() == ["one"]


def test_no_pattern_makes_the_collector_read_itself(bench: Bench) -> None:
    """What it writes, and what SQLite and locks put beside that, is not read, whatever a pattern finds."""
    bench.append("one", name="queue.sqlite.txt")
    bench.dead_letters.write_text("a dead letter\n")
    bench.start("queue*", "dead*")
    bench.drain()
    assert bench.messages() == ["one"]


def test_a_pipe_in_the_place_of_a_file_holds_up_nothing(bench: Bench) -> None:
    """A path that names a pipe is said to be no file; opening it would wait for a writer for ever."""
    os.mkfifo(bench.folder / "pipe.log")
    bench.append("one")
    bench.start("app.log", "pipe.log")
    reading = Thread(target=bench.drain, daemon=True)
    reading.start()
    reading.join(5)
    assert not reading.is_alive()
    assert any("pipe.log: can't be read: it is no regular file" in report for report in bench.reports)


def test_an_event_that_is_held_back_is_not_caught_up_with(tmp_path: Path) -> None:
    """What stood in a file at the start was not handed over while its last event waits for a line that goes on."""
    log = tmp_path / "app.log"
    log.write_text("it failed\n")
    taken, clock = Batches(), Clock()
    with closing(FilesInput([log], known=(), report=print, monotonic=clock)) as files:
        caught_up = []
        for _ in range(3):
            files.read_batch(taken)
            caught_up.append((taken.events, files.has_caught_up))
            clock.seconds += 1
    assert caught_up == [([], False), (["it failed"], False), (["it failed"], True)]


def test_the_bytes_not_stored_yet_are_measured(bench: Bench) -> None:
    """The lag is what stands in the files behind the saved positions."""
    bench.append("one")
    bench.drain()
    assert bench.gauge("lag_bytes") == 0
    bench.append("half", end="")
    bench.drain()
    assert bench.gauge("lag_bytes") == 4
    assert Path(bench.log).stat().st_size == 8
