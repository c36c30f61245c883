"""Rotated files that were compressed before they were read lose and repeat nothing."""

import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sereno_collectors.logs.inputs.files.content import KEPT_BYTES, PIECE_BYTES, CompressedContent, PlainContent
from sereno_collectors.logs.inputs.files.leftovers import PATIENCE_SECONDS, Leftover
from sereno_collectors.logs.inputs.files.rotation import file_at
from sereno_collectors.logs.inputs.files.tail import Tail
from sereno_collectors.logs.model import Origin, OriginKind, Position
from support.collecting import Bench, Clock

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def packed(path: Path, ending: str = "gz") -> Path:
    """Compress a file as gzip does: the original's time, the original deleted when all is written."""
    made = path.with_name(f"{path.name}.{ending}")
    made.write_bytes(PACKERS[ending](path.read_bytes()))
    status = path.stat()
    os.utime(made, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
    return made


def stopped_and_rotated(bench: Bench) -> Path:
    """A collector that read "one" and ended, and a rotated file with "two" behind it."""
    bench.append("one")
    bench.drain()
    bench.end()
    bench.append("two")
    return bench.log.rename(bench.folder / "app.log.1")


def assert_nothing_twice(bench: Bench) -> None:
    """Another collector finds nothing new."""
    assert bench.count("duplicate") == 0
    bench.linger()
    bench.start()
    bench.drain()
    assert bench.count("received") == 0


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_was_compressed_during_a_stop_is_read_on(bench: Bench, ending: str) -> None:
    """The compressed file is known by what was read of it, and gives the rest."""
    packed(stopped_and_rotated(bench), ending)
    bench.append("three")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert bench.count("received") == 2
    assert not [report for report in bench.reports if "gone" in report or "damaged" in report]
    assert_nothing_twice(bench)


def test_files_that_came_and_went_during_a_stop_are_read(bench: Bench) -> None:
    """Of three rotations the collector saw none: each compressed file is read once, a begun one is read on."""
    oldest = packed(stopped_and_rotated(bench))
    oldest.rename(bench.folder / "app.log.3.gz")
    for number in (2, 1):
        bench.append(f"nobody saw {number}", "no end", end="\n")
        packed(bench.log.rename(bench.folder / f"app.log.{number}"))
    bench.append("three")
    bench.start()
    bench.drain()
    assert bench.messages() == ["no end", "no end", "nobody saw 1", "nobody saw 2", "one", "three", "two"]
    assert_nothing_twice(bench)


def test_copying_truncating_and_compressing_during_a_stop_loses_nothing(bench: Bench) -> None:
    """The truncated file has the old one's inode; what was not read of it is in the compressed copy."""
    copy = stopped_and_rotated(bench)
    shutil.copy2(copy, bench.folder / "copy")
    copy.rename(bench.log)
    (bench.folder / "copy").rename(copy)
    packed(copy)
    bench.log.write_text("three\n")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert_nothing_twice(bench)


@pytest.mark.parametrize("is_finished", [False, True])
def test_what_was_read_uncompressed_is_not_read_again(bench: Bench, *, is_finished: bool) -> None:
    """A file that was read before it was compressed gives nothing more: while it is open, and after a restart."""
    bench.append("one")
    bench.drain()
    rotated = bench.log.rename(bench.folder / "app.log.1")
    bench.append("two")
    (bench.linger if is_finished else bench.drain)()
    packed(rotated)
    bench.drain()
    bench.log.rename(bench.folder / "app.log.1")
    bench.append("three")
    bench.drain()
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert bench.count("received") == 0


def test_a_finished_file_that_is_compressed_during_a_stop_is_known(bench: Bench) -> None:
    """The youngest file of all is not taken for an unread one when it was read to its end before."""
    bench.append("one")
    bench.drain()
    rotated = bench.log.rename(bench.folder / "app.log.1")
    bench.linger()
    bench.end()
    packed(rotated)
    bench.log.touch()
    bench.start()
    bench.drain()
    assert bench.messages() == ["one"]
    assert bench.count("received") == 0


def test_a_half_written_file_is_waited_for(bench: Bench) -> None:
    """While the end of the compressed file is missing nothing is read of it, and nothing is given up."""
    rotated = stopped_and_rotated(bench)
    status = rotated.stat()
    whole = gzip.compress(rotated.read_bytes())
    rotated.unlink()
    half = bench.folder / "app.log.1.gz"
    for length in (0, 5, len(whole) - 4):
        half.write_bytes(whole[:length])
        bench.append(f"new file {length}")
        bench.start()
        bench.drain()
        assert "two" not in bench.messages()
    half.write_bytes(whole)
    os.utime(half, ns=(status.st_atime_ns, status.st_mtime_ns))
    bench.drain()
    assert "two" in bench.messages()
    assert not [report for report in bench.reports if "gone" in report or "damaged" in report]
    assert_nothing_twice(bench)


def test_a_file_whose_end_never_comes_gives_what_it_has(bench: Bench) -> None:
    """After a minute without growth the writer is taken for dead: what can be unpacked is stored, the rest is said."""
    rotated = stopped_and_rotated(bench)
    packed_bytes = gzip.compress(rotated.read_bytes())
    rotated.unlink()
    (bench.folder / "app.log.1.gz").write_bytes(packed_bytes[:-8])  # without its checksum
    bench.append("three")
    bench.start()
    bench.drain()
    assert bench.messages() == ["one", "three"]
    bench.clock.seconds += PATIENCE_SECONDS + 1
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]
    assert len([report for report in bench.reports if "damaged behind byte 8" in report]) == 1
    assert_nothing_twice(bench)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_damaged_file_is_said_and_read_up_to_the_damage(bench: Bench, ending: str) -> None:
    """Bytes that were overwritten end the reading of that file with a message; what was read stays, others go on."""
    rotated = stopped_and_rotated(bench)
    with rotated.open("a") as file:
        file.writelines(f"{number} {random.Random(number).randbytes(150).hex()}\n" for number in range(10_000))
    made = packed(rotated, ending)
    data = bytearray(made.read_bytes())
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 64] = b"\xff" * 64
    status = made.stat()
    made.write_bytes(data)
    os.utime(made, ns=(status.st_atime_ns, status.st_mtime_ns))
    bench.append("three")
    bench.start()
    bench.drain()
    assert {"one", "two", "three"} < set(bench.messages())
    assert 2_000 < len(bench.messages()) < 10_000
    assert len([report for report in bench.reports if "damaged behind byte" in report]) == 1
    assert_nothing_twice(bench)


def test_a_stop_in_the_middle_of_a_compressed_file_repeats_nothing(bench: Bench) -> None:
    """Reading goes on where it stood, however often the collector ends in between."""
    rotated = stopped_and_rotated(bench)
    lines = [f"line {number:06}" for number in range(60_000)]
    with rotated.open("a") as file:
        file.write("\n".join(lines))  # the last one has no end
    packed(rotated)
    bench.append("three")
    for _ in range(4):
        assert bench.start().collect_batch()
        received = bench.count("received")
        assert received is not None
        assert received < 20_000
    bench.drain()
    bench.linger()
    assert bench.messages() == sorted(["one", "two", "three", *lines])
    assert_nothing_twice(bench)


@pytest.mark.parametrize("ending", PACKERS)
def test_compressed_content_is_the_same_bytes_at_every_place(tmp_path: Path, ending: str) -> None:
    """Whatever is asked in whatever order, the answer is the one of the uncompressed file."""
    chooser = random.Random(ending)
    plain = tmp_path / "app.log.1"
    plain.write_bytes(chooser.randbytes(3 * PIECE_BYTES + 17))
    (tmp_path / f"app.log.1.{ending}").write_bytes(PACKERS[ending](plain.read_bytes()))
    expected, found = PlainContent(str(plain)), CompressedContent(str(tmp_path / f"app.log.1.{ending}"))
    offset = 0
    for _ in range(60):
        length = chooser.choice((1, 64, KEPT_BYTES, PIECE_BYTES, 2 * PIECE_BYTES))
        assert found.bytes_at(length, offset) == expected.bytes_at(length, offset)
        offset = max(0, offset + chooser.randint(-KEPT_BYTES, PIECE_BYTES)) % (expected.size + 100)
    assert found.size == expected.size
    assert found.fault is None
    found.close()
    expected.close()


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")
@pytest.mark.parametrize("way", ["create", "copytruncate", "create delaycompress"])
def test_the_real_logrotate_loses_and_repeats_nothing(bench: Bench, way: str) -> None:
    """Rotations with compression by logrotate and gzip, some while the collector runs and some while it doesn't."""
    settings = bench.folder / "logrotate.conf"
    options = "\n".join(way.split())
    settings.write_text(f"{bench.log} {{\nsu root root\nrotate 9\ncompress\n{options}\n}}\n")
    settings.chmod(0o644)
    bench.folder.chmod(0o755)
    expected = ["first"]
    bench.append("first")
    bench.drain()
    for number in range(6):
        for name in ("before", "after"):
            expected.append(f"{name} {number}")
            bench.append(expected[-1])
            if name == "before" and number % 2:
                bench.drain()
        if number % 3:
            bench.end()
        command = [str(LOGROTATE), "--force", "--state", str(bench.folder / "state"), str(settings)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        if number % 3 == 0:
            bench.drain()
    bench.append("last")
    bench.linger()
    assert bench.messages() == sorted([*expected, "last"])
    assert_nothing_twice(bench)


@pytest.mark.parametrize(
    "names", [("app.log", "link.log"), ("link.log", "app.log"), ("*.log", "app.*"), ("li*.log", "mo*.log")]
)
def test_a_file_under_two_names_is_read_once(bench: Bench, names: tuple[str, str]) -> None:
    """Links and patterns that overlap give each line once, also after a rotation and a restart."""
    bench.append("one")
    for link in ("link.log", "more.log"):
        (bench.folder / link).symlink_to(bench.log)
    bench.start(*names)
    bench.drain()
    bench.log.rename(bench.folder / "old")
    bench.append("two")
    bench.drain()
    assert bench.messages() == ["one", "two"]
    bench.start(*names)
    bench.drain()
    assert bench.messages() == ["one", "two"]


def test_patterns_leave_compressed_files_alone(bench: Bench) -> None:
    """What a pattern finds compressed is no text: it is read as the rest of a followed file, or not."""
    packed(stopped_and_rotated(bench))
    (bench.folder / "other.gz").write_bytes(gzip.compress(b"other\n"))
    bench.append("three")
    bench.start("app.*", "*.gz")
    bench.drain()
    assert bench.messages() == ["one", "three", "two"]


class _Life:
    """A log file whose writer, rotation, compression and collector act in any order."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.chooser = random.Random(seed)
        self.written: list[str] = []

    def write(self) -> None:
        lines = [f"line {len(self.written) + number} {self.chooser.random()}" for number in range(3)]
        self.written += lines
        self.bench.append(*lines)

    def rename(self) -> None:
        if self.bench.log.exists():
            self.bench.log.rename(self._next())
            self.write()

    def copy_and_truncate(self) -> None:
        if self.bench.log.exists() and self.bench.log.stat().st_size:
            shutil.copy(self.bench.log, self._next())
            os.truncate(self.bench.log, 0)
            self.write()

    def compress(self) -> None:
        # A collector that runs looks five times a second: it has seen a rotated file before that is compressed.
        if self.bench.runs:
            self.bench.drain()
        for path in sorted(self.bench.folder.glob("app.log.?")):
            packed(path, self.chooser.choice(tuple(PACKERS)))

    def delete_what_was_read(self) -> None:
        self.bench.drain()
        for path in self.bench.folder.glob("app.log.*"):
            path.unlink()

    def _next(self) -> Path:
        """The name of the newest rotated file; the others move up, as logrotate has it."""
        for number in range(8, 0, -1):
            for path in self.bench.folder.glob(f"app.log.{number}*"):
                path.rename(path.with_name(path.name.replace(f".log.{number}", f".log.{number + 1}")))
        return self.bench.folder / "app.log.1"


@pytest.mark.parametrize("seed", range(25))
def test_no_order_of_events_loses_or_repeats_a_line(bench: Bench, seed: int) -> None:
    """Seeded rounds of writing, both rotations, compression, deletion, stops and starts: every line once."""
    life = _Life(bench, seed)
    life.write()
    bench.drain()
    acts = (life.write, life.rename, life.copy_and_truncate, life.compress, life.delete_what_was_read, bench.drain)
    for _ in range(14):
        life.chooser.choice((*acts, bench.end, bench.linger))()
    life.write()
    bench.linger()
    assert bench.messages() == sorted(life.written)
    assert bench.count("duplicate") == 0


def test_measuring_the_lag_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who scrapes the metrics asks for sizes in a thread of his own: he must not unpack what is being read."""
    log = tmp_path / "app.log"
    log.write_text("one\n")
    known = Position(str(log), "s", log.stat().st_ino, 0)
    rotated = log.rename(tmp_path / "app.log.1")
    packed(rotated)
    tail = Tail(str(log), [known], origin=Origin(OriginKind.FILE, str(log), ""), monotonic=Clock(), report=print)
    log.write_text("")
    known_size = Leftover(
        file_at(f"{rotated}.gz") or pytest.fail("it is gone"), 4, None, frozenset()
    )  # as it was examined
    assert tail._open_leftover(known_size, known)
    monkeypatch.setattr(gzip.GzipFile, "read1", lambda *_: pytest.fail("it was read"))
    assert tail.sizes() == {"s": 4}
    tail.close()
