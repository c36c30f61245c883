"""Rotation of every kind loses and repeats nothing."""

import gzip
import os
import shutil

import pytest
from sereno_collectors.logs.inputs.files.tail import REMEMBERED
from support.collecting import Bench


def rotate_by_renaming(bench: Bench, new_name: str = "app.log.1") -> None:
    """What logrotate does, and a writer that opens its file anew."""
    bench.log.rename(bench.folder / new_name)


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
    bench.linger()
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
    bench.linger()
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
    bench.linger()
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
    bench.linger()
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
        bench.linger()
        bench.log.unlink()
    assert len(bench.messages()) == REMEMBERED + 10
    assert (bench.checkpoint).stat().st_size < 20_000


def test_what_was_rotated_behind_a_link_is_read_on(bench: Bench) -> None:
    """A link to a log elsewhere, as Kubernetes makes them: its target's rotated file is found beside the target."""
    pods = bench.folder / "pods"
    pods.mkdir()
    target = pods / "0.log"
    bench.log.symlink_to(target)
    target.write_text("one\n")
    bench.drain()
    bench.end()
    with target.open("a") as file:
        file.write("two\n")
    target.rename(pods / "0.log.20261126-120000")
    target.write_text("three\n")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert bench.reports == []
    bench.linger()
    bench.start()
    bench.drain()
    assert bench.count("received") == 0


def test_a_link_that_moved_to_a_new_file_leaves_nothing_behind(bench: Bench) -> None:
    """A link to the file of the day, as cronolog makes it: the rest of yesterday's is read after a stop."""
    (bench.folder / "app.2026-11-25").write_text("one\n")
    bench.log.symlink_to(bench.folder / "app.2026-11-25")
    bench.drain()
    bench.end()
    bench.append("two", name="app.2026-11-25")
    bench.append("three", name="app.2026-11-26")
    bench.log.unlink()
    bench.log.symlink_to(bench.folder / "app.2026-11-26")
    bench.start()
    bench.drain()
    assert (bench.messages(), bench.reports) == (["one", "three", "two"], [])


def test_a_file_that_a_person_moved_away_is_read_to_its_end(bench: Bench) -> None:
    """The very file that was read is known under any name; a copy under such a name is none of ours."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    bench.log.rename(bench.folder / "app.log.old")
    shutil.copy2(bench.folder / "app.log.old", bench.folder / "app.log.bak")
    bench.append("three")
    bench.start()
    bench.drain()
    assert (bench.messages(), bench.reports) == (["one", "three", "two"], [])
    assert bench.count("received") == 2
