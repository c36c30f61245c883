"""Rotation of every kind loses and repeats nothing."""

import gzip
import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_collectors.logs.tail import LINGER_SECONDS, REMEMBERED
from support.collecting import Bench


def rotate_by_renaming(bench: Bench, new_name: str = "app.log.1") -> None:
    """What logrotate does, and a writer that opens its file anew."""
    bench.log.rename(bench.folder / new_name)


def linger(bench: Bench) -> None:
    """Let the time pass after which a rotated file is taken for finished."""
    bench.drain()
    bench.clock.seconds += LINGER_SECONDS + 1
    bench.drain()


def test_renaming_loses_and_repeats_nothing(bench: Bench) -> None:
    """Lines written before, during and after a rotation by renaming are stored once, also late ones to the old file."""
    bench.append("before")
    bench.drain()
    bench.append("not read yet")
    rotate_by_renaming(bench)
    bench.append("new file")
    bench.drain()
    bench.append("late to the old file", name="app.log.1")
    bench.drain()
    assert bench.messages() == ["before", "late to the old file", "new file", "not read yet"]
    assert bench.count("duplicate") == 0
    assert bench.reports == []


def test_a_gap_between_two_files_is_no_end(bench: Bench) -> None:
    """While the path names nothing, the old file is still read and the new one awaited."""
    bench.append("one")
    bench.drain()
    rotate_by_renaming(bench)
    bench.drain()
    bench.append("late", name="app.log.1")
    bench.drain()
    bench.append("two")
    bench.drain()
    assert bench.messages() == ["late", "one", "two"]


def test_a_rotated_file_is_finished_after_a_while_with_its_last_line(bench: Bench) -> None:
    """The last line of a rotated file needs no end; afterwards the file is closed and remembered as read."""
    bench.append("one")
    bench.drain()
    bench.append("no end", end="")
    rotate_by_renaming(bench)
    bench.append("two")
    bench.drain()
    assert bench.messages() == ["one", "two"]
    linger(bench)
    assert bench.messages() == ["no end", "one", "two"]
    bench.start()
    bench.drain()
    assert bench.count("received") == 0
    assert bench.reports == []


def test_a_deleted_file_is_read_to_its_end(bench: Bench) -> None:
    """Deleting a rotated file that is open loses nothing of it."""
    bench.append("one")
    bench.drain()
    bench.append("two")
    bench.log.unlink()
    bench.append("three")
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


def test_rotations_while_no_collector_runs_are_caught_up(bench: Bench) -> None:
    """After several rotations during a stop, each file is found by what it is, not by its name."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    rotate_by_renaming(bench, "app.log.2")
    bench.append("three")
    rotate_by_renaming(bench)
    bench.append("four")
    bench.start()
    bench.drain()
    assert bench.messages() == ["four", "one", "three", "two"]
    assert bench.count("received") == 3


def test_old_rotated_files_are_not_read_at_the_first_start(bench: Bench) -> None:
    """A collector that never ran before begins with the file that it is given, not with its archive."""
    bench.append("ancient", name="app.log.1")
    os.utime(bench.folder / "app.log.1", (1_700_000_000, 1_700_000_000))
    bench.append("one")
    bench.drain()
    rotate_by_renaming(bench, "app.log.2")
    bench.append("two")
    bench.drain()
    assert bench.messages() == ["one", "two"]


@pytest.mark.parametrize("name", ["app.log.bak", "app.log.1.gz", "app.logger", "other.log.1", "app.log.orig.1"])
def test_only_rotated_files_are_taken_for_rotated_files(bench: Bench, name: str) -> None:
    """A person's copies and compressed files beside the log are left alone."""
    bench.append("one")
    bench.drain()
    (bench.folder / name).write_bytes(gzip.compress(b"x\n") if name.endswith("gz") else b"copy\n")
    rotate_by_renaming(bench, "app.log-20261122")
    bench.append("two")
    bench.drain()
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "two"]


def test_a_truncated_file_is_read_anew(bench: Bench) -> None:
    """After a truncation the same line at the same place is another record."""
    bench.append("service started", "one")
    bench.drain()
    bench.log.write_text("service started\n")
    bench.drain()
    assert bench.messages() == ["one", "service started", "service started"]
    assert bench.count("duplicate") == 0
    assert "truncated" in bench.reports[0]


def test_a_file_that_grew_beyond_its_old_size_after_a_truncation_is_read_anew(bench: Bench) -> None:
    """What was read is known by its content, not by the file's size."""
    bench.append("one")
    bench.drain()
    bench.log.write_text("another beginning, longer than what was there\nmore\n")
    bench.drain()
    assert bench.messages() == ["another beginning, longer than what was there", "more", "one"]


def test_copying_and_truncating_loses_nothing(bench: Bench) -> None:
    """What logrotate's copytruncate moves into the copy before it was read is read from the copy."""
    bench.append("one")
    bench.drain()
    bench.append("two")
    shutil.copy(bench.log, bench.folder / "app.log.1")
    bench.log.write_text("three\n")
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    linger(bench)
    bench.start()
    bench.drain()
    assert bench.count("received") == 0


def test_copying_and_truncating_while_no_collector_runs_loses_nothing(bench: Bench) -> None:
    """The copy is found after a restart, too."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    shutil.copy(bench.log, bench.folder / "app.log.1")
    bench.log.write_text("three\n")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


def test_a_restored_folder_is_read_on(bench: Bench) -> None:
    """The same bytes in a file with another inode, as after a restore, are not collected again."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    moved = bench.folder / "elsewhere"
    shutil.copy(bench.log, moved)
    moved.replace(bench.log)
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "two"]
    assert bench.count("received") == 1


def test_a_writer_that_is_very_late_is_read_at_the_next_rotation(bench: Bench) -> None:
    """What is appended to a finished file is found when the path changes hands again."""
    bench.append("one")
    bench.drain()
    rotate_by_renaming(bench)
    bench.append("two")
    linger(bench)
    bench.append("very late", name="app.log.1")
    (bench.folder / "app.log.1").rename(bench.folder / "app.log.2")
    rotate_by_renaming(bench)
    bench.append("three")
    bench.drain()
    assert bench.messages() == ["one", "three", "two", "very late"]


def test_a_file_that_is_rotated_back_is_not_read_again(bench: Bench) -> None:
    """A finished file that takes its old place is known, and read on where it was left."""
    bench.append("one")
    bench.drain()
    rotate_by_renaming(bench)
    bench.append("two")
    linger(bench)
    bench.log.rename(bench.folder / "app.log.2")
    (bench.folder / "app.log.1").rename(bench.log)
    bench.append("three")
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


def test_a_vanished_file_is_reported(bench: Bench) -> None:
    """When a file is gone that was not read to its end for sure, a person is told; the new one is read."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("a new file with another beginning", name="elsewhere")
    (bench.folder / "elsewhere").replace(bench.log)
    bench.start()
    bench.drain()
    assert bench.messages() == ["a new file with another beginning", "one"]
    assert "is gone" in bench.reports[0]


def test_many_rotations_keep_the_checkpoint_small(bench: Bench) -> None:
    """Finished files are forgotten after a while."""
    bench.start()
    for number in range(REMEMBERED + 10):
        bench.append(f"line {number}")
        if number % 2 == 0:
            bench.drain()
        rotate_by_renaming(bench)
        bench.append("")
        linger(bench)
        bench.log.unlink()
    assert len(bench.messages()) == REMEMBERED + 10
    assert (bench.checkpoint).stat().st_size < 20_000


class Life:
    """A log file in a hard life: written, rotated, its collector stopped and killed; each line is unlike all others."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.written: list[str] = []
        self.bench.append("the first line")
        self.written.append("the first line")
        self.bench.drain()

    def write(self) -> None:
        """Some lines."""
        lines = [self._line(len(self.written) + number) for number in range(3)]
        self.bench.append(*lines)
        self.written.extend(lines)

    def write_in_two_pieces(self) -> None:
        """A line that is seen half-written."""
        line = self._line(len(self.written))
        self.bench.append(line[:4], end="")
        self.collect()
        self.bench.append(line[4:])
        self.written.append(line)

    def rename(self) -> None:
        """Rotation by renaming; two archives are kept, and what is dropped was read."""
        self._shift()
        if self.bench.log.exists():
            self.bench.log.rename(self.bench.folder / "app.log.1")

    def copy_and_truncate(self) -> None:
        """Rotation by copying; a running collector looks between two of them, a stopped one may miss several."""
        if self.bench.runs:
            self.write()
            self.collect()
            self.write()
        self._shift()
        shutil.copy(self.bench.log, self.bench.folder / "app.log.1")
        os.truncate(self.bench.log, 0)
        if self.bench.runs:
            self.write()
            self.collect()

    def collect(self) -> None:
        """One batch."""
        self.bench.collector.collect_batch()

    def stop(self) -> None:
        """No process, until something asks for one."""
        self.bench.end()

    def restart(self) -> None:
        """A new process."""
        self.bench.start()

    def killed_before_saving(self) -> None:
        """A process that is killed after the store's answer and before its positions are saved, and comes back."""
        saved = self.bench.checkpoint.read_bytes()
        self.bench.drain()
        self.bench.end()
        self.bench.checkpoint.write_bytes(saved)
        self.bench.start()
        self.collect()

    def wait(self) -> None:
        """Long enough for rotated files to be finished."""
        linger(self.bench)

    def _line(self, number: int) -> str:
        # Of growing length: a file that is emptied and filled with as much again within one tick of the file
        # system's clock is found out only when it grows on.
        return f"{number} {'x' * number} and more"

    def _shift(self) -> None:
        older = self.bench.folder / "app.log.1"
        oldest = self.bench.folder / "app.log.2"
        if oldest.exists():
            self.bench.drain()
            oldest.unlink()
        if older.exists():
            older.rename(oldest)


Deed = Callable[[Life], None]
DEEDS: tuple[Deed, ...] = (
    Life.write,
    Life.write,
    Life.write_in_two_pieces,
    Life.collect,
    Life.stop,
    Life.restart,
    Life.killed_before_saving,
    Life.wait,
)


@pytest.mark.parametrize("rotate", [Life.rename, Life.copy_and_truncate])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_line_is_stored_once_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, rotate: Deed, data: st.DataObject
) -> None:
    """In any order of writing, rotating, stopping and killing, each line is in the store exactly once."""
    bench = Bench(tmp_path_factory.mktemp("life"))
    try:
        life = Life(bench)
        for deed in data.draw(st.lists(st.sampled_from((*DEEDS, rotate)), max_size=25)):
            deed(life)
        linger(bench)
        assert bench.messages() == sorted(life.written)
    finally:
        bench.close()
        shutil.rmtree(bench.folder)
