"""A queue's file may be deleted, replaced or damaged, and its rescue killed: what can be read is never lost."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sereno_collectors.logs.queue import DurableQueue, QueueError, Settlement
from support.queueing import ALL, Desk, document, noise, position, waiting

PARTS = ("", "-wal", "-shm")


def fill(desk: Desk, count: int, size_bytes: int) -> None:
    """Put so many documents, each by itself."""
    for number in range(count):
        desk.queue.put([document(number, noise(size_bytes))])


def ids(*numbers: int) -> list[str]:
    """The ids of documents with these numbers."""
    return [document(number).record_id for number in numbers]


@pytest.mark.parametrize("content", [b"", None])
def test_a_damaged_file_is_kept_and_what_can_be_read_is_rescued(desk: Desk, content: bytes | None) -> None:
    """The collector goes on with a new file; reading begins where the store had answered; the old file stays."""
    for number in range(200):
        desk.queue.put([document(number, noise(3_000))], [position(number)])
    desk.queue.close()
    desk.answered = (position(7),)
    whole = desk.path.read_bytes()
    middle = len(whole) // 2
    desk.path.write_bytes(whole[:middle] + b"\xff" * 20_000 + whole[middle + 20_000 :] if content is None else content)
    desk.queue = desk.opened()
    if content == b"":  # SQLite takes an empty file for a new database, and so do we
        assert (waiting(desk), desk.queue.positions) == ([], (position(7),))
        return
    assert desk.queue.positions == (position(7),)
    assert list(desk.path.parent.glob("queue.sqlite.damaged-*"))
    (told,) = desk.reports
    assert "was damaged" in told
    assert (len(waiting(desk)) > 100) == (content is None)
    desk.queue.put([document(1_000)])


def test_a_truncated_file_gives_what_is_left(desk: Desk) -> None:
    """Of a file that lost its end, the parcels before it are rescued, each whole and once."""
    fill(desk, 200, 4_500)
    desk.queue.close()
    with desk.path.open("r+b") as file:
        file.truncate(desk.path.stat().st_size // 2)
    desk.queue = desk.opened()
    rescued = waiting(desk)
    assert 50 < len(rescued) < 200
    assert rescued == sorted(set(rescued))
    desk.again()
    assert waiting(desk) == rescued


@pytest.mark.parametrize("page", [2, 3, 4, 5, 6, 10, 20])
def test_a_damaged_page_costs_what_is_on_it(desk: Desk, page: int) -> None:
    """Whichever page of the tree is overwritten: the queue opens, and what is rescued is whole and in order."""
    fill(desk, 300, 3_000)
    desk.queue.close()
    with closing(sqlite3.connect(desk.path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with desk.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x5a" * size)
    desk.queue = desk.opened()
    rescued = waiting(desk)
    assert rescued == sorted(set(rescued))
    assert len(rescued) >= (290 if page > 5 else 0)


@pytest.mark.parametrize("gone", [("",), ("-wal",), PARTS])
@pytest.mark.parametrize("by", ["put", "take"])
def test_a_deleted_file_is_written_anew(desk: Desk, gone: tuple[str, ...], by: str) -> None:
    """With the next put, or the next look for something to send, all that was acknowledged is on disk again."""
    desk.queue.put([document(1)], [position(10)])
    for part in gone:
        desk.path.with_name(desk.path.name + part).unlink()
    if by == "put":
        desk.queue.put([document(2)], [position(20)])
    else:
        assert [parcel.documents for parcel in desk.queue.take(*ALL)] == [1]
    assert waiting(desk) == ids(1, 2)[: 2 if by == "put" else 1]
    assert "deleted or replaced" in desk.reports[0]
    desk.again()
    assert desk.queue.positions == (position(20 if by == "put" else 10),)


def test_what_took_the_place_of_the_file_is_kept(desk: Desk) -> None:
    """A file that somebody moved to the queue's place gets another name, and is not written into."""
    desk.queue.put([document(1)])
    other = desk.path.with_name("other")
    other.write_bytes(b"somebody's")
    other.rename(desk.path)
    desk.queue.put([document(2)])
    assert waiting(desk) == ids(1, 2)
    (kept,) = desk.path.parent.glob("queue.sqlite.replaced-*")
    assert kept.read_bytes() == b"somebody's"


def test_a_deleted_file_that_can_not_be_written_is_waited_for(desk: Desk) -> None:
    """Where the folder is gone, too, nothing is taken; when it is there again the queue goes on."""
    desk.queue.put([document(1)])
    aside = desk.path.parent.with_name("aside")
    desk.path.parent.rename(aside)
    with pytest.raises(Exception, match="was deleted and can't be written anew"):
        desk.queue.put([document(2)])
    aside.rename(desk.path.parent)
    desk.queue.put([document(2)])
    assert waiting(desk) == ids(1, 2)


def test_damage_while_it_is_in_use_is_said_and_rescued_by_the_next_start(desk: Desk) -> None:
    """A file that is overwritten under the collector's hands is refused with a reason, not by a bug's exception."""
    desk.limit_bytes = 10**8
    desk.again()
    fill(desk, 100, 100_000)  # more than SQLite keeps in memory
    desk.again()  # the log is copied into the file
    size = desk.path.stat().st_size
    with desk.path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\x5a" * (size - 4_096))
    with pytest.raises(QueueError, match=r"malformed|not a database|disk image"):
        desk.queue.take(*ALL)
    desk.again()
    desk.queue.put([document(1_000)])
    assert waiting(desk)[-1:] == ids(1_000)


RESCUER = """
import os, pathlib, sys
from sereno_collectors.logs.queue import DurableQueue, file, rescue
left = int(sys.argv[2])
def counted(real):
    def call(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*given, **named)
    return call
pathlib.Path.rename = counted(pathlib.Path.rename)
pathlib.Path.unlink = counted(pathlib.Path.unlink)
rescue.synchronise = counted(rescue.synchronise)
rescue.readable_parcels = counted(rescue.readable_parcels)
DurableQueue(pathlib.Path(sys.argv[1]), limit_bytes=10**9, report=print).close()
"""


@pytest.mark.parametrize("steps", range(10))
def test_a_rescue_that_is_killed_is_done_again_or_finished(desk: Desk, steps: int) -> None:
    """After kill -9 at each step of a rescue the next start has what could be read, and the damaged file is kept."""
    fill(desk, 100, 3_000)
    desk.queue.close()
    with desk.path.open("r+b") as file:
        file.truncate(desk.path.stat().st_size - 100_000)
    damaged = desk.path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", RESCUER, desk.path, str(steps)], check=False, capture_output=True)
    assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
    desk.queue = desk.opened()
    assert len(waiting(desk)) > 50
    assert damaged in [path.read_bytes() for path in desk.path.parent.glob("queue.sqlite.damaged-*")]
    assert not list(desk.path.parent.glob("*.rescued*"))


def test_the_kills_reach_every_step(desk: Desk) -> None:
    """The last of the steps above is beyond the end of a rescue, the one before is not."""
    fill(desk, 100, 3_000)
    desk.queue.close()
    with desk.path.open("r+b") as file:
        file.truncate(desk.path.stat().st_size - 100_000)
    codes = []
    for steps in (9, 0):
        done = subprocess.run([sys.executable, "-c", RESCUER, desk.path, str(steps)], check=False, capture_output=True)
        codes.append(done.returncode)
    desk.queue = desk.opened()
    assert codes == [-signal.SIGKILL, -signal.SIGKILL]


@pytest.mark.parametrize("lost", [True, False])
def test_what_is_read_again_after_a_loss_may_have_been_sent(desk: Desk, lost: bool) -> None:
    """With the file lost, or rescued, parcels are repeated ones until all is read again; after that they are not."""
    desk.queue.put([document(1)], [position(10)])
    desk.queue.settle([Settlement(parcel) for parcel in desk.queue.take(*ALL)])
    desk.queue.close()
    desk.answered = (position(5),)
    if lost:
        for part in PARTS:
            desk.path.with_name(desk.path.name + part).unlink(missing_ok=True)
    else:
        desk.path.write_bytes(desk.path.read_bytes()[:100] + b"\xff" * 60_000)
    desk.queue = desk.opened()
    desk.queue.put([document(1)], [position(10)])
    desk.again()
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [True]
    desk.queue.put([document(2)], [position(20)])
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [True]
    desk.queue.trust()
    desk.queue.put([document(3)], [position(30)])
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [False]
    desk.again()
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [True, True, True]


def test_a_first_start_doubts_nothing(desk: Desk) -> None:
    """A new queue for files that were never read sends without looking."""
    desk.queue.put([document(1)], [position(10)])
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [False]


def test_what_is_given_out_was_marked_on_disk_before(desk: Desk) -> None:
    """The mark of what may have been sent is synchronised, for a power cut takes back what is not; not at each take."""
    statements: list[str] = []
    desk.queue._file.connection.set_trace_callback(statements.append)
    for number in range(100):
        desk.queue.put([document(number)])
        statements.clear()
        desk.queue.take(*ALL)
        marks = [index for index, one in enumerate(statements) if "'taken'" in one]
        if number in (0, 65):
            assert statements[marks[0] - 2] == "PRAGMA synchronous = FULL"
        else:
            assert not marks


def test_a_queue_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    """Parcels that were queued uncompressed, before streams were noted down, come out as all others."""
    path = tmp_path / "old.sqlite"
    body = b'{"create":{"_index":"logs-app-default","_id":"00000001"}}\n{}\n'
    queue = DurableQueue(path, limit_bytes=10**9, report=print)
    queue.put([document(1)])
    queue.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "ALTER TABLE parcel DROP COLUMN streams;ALTER TABLE parcel DROP COLUMN body_bytes;PRAGMA user_version = 1;"
        )
        connection.execute("UPDATE parcel SET body = ?", (body,))
        connection.commit()
    queue = DurableQueue(path, limit_bytes=10**9, report=print)
    (parcel,) = queue.take(*ALL)
    assert queue.state().size_bytes == len(body)
    queue.settle([Settlement(parcel)])
    assert queue.state().size_bytes == 0
    queue.close()
    assert (parcel.documents, parcel.body, parcel.streams) == (1, body, frozenset({"logs-app-default"}))
    assert parcel.compressed == b""  # it would be sent for gzip


def test_a_parcel_that_changed_on_disk_is_not_sent(desk: Desk) -> None:
    """A flipped bit within a body, which SQLite does not see, is found: the others are rescued by the next start."""
    for number in (1, 2, 3):
        desk.queue.put([document(number, b"{%b}" % (b"x" * 99))])
    desk.queue.close()
    with closing(sqlite3.connect(desk.path)) as connection, connection:
        (body,) = connection.execute("SELECT body FROM parcel WHERE number = 2").fetchone()
        broken = body[:30] + bytes([body[30] ^ 1]) + body[31:]
        connection.execute("UPDATE parcel SET body = ? WHERE number = 2", (broken,))
    desk.queue = desk.opened()
    with pytest.raises(QueueError, match="can't be decompressed"):
        desk.queue.take(*ALL)
    desk.again()
    assert waiting(desk) == ids(1, 3)
    assert "a parcel in it was not what had been written" in desk.reports[-1]


def test_a_request_stays_small_although_the_queue_is_compressed(desk: Desk) -> None:
    """The limit in bytes of a request is one of what is sent, not of what the queue needs for it."""
    for number in range(10):
        desk.queue.put([document(number, b"x" * 100_000)])
    assert [len(desk.queue.take(2_000, 500_000)) for _ in range(4)] == [4, 4, 2, 0]


def test_a_file_that_is_deleted_before_the_end_is_written_anew(desk: Desk) -> None:
    """An orderly end leaves what was acknowledged on disk, though nobody put or took anything since the deletion."""
    desk.queue.put([document(1)], [position(10)])
    for part in PARTS:
        desk.path.with_name(desk.path.name + part).unlink()
    desk.again()
    assert (waiting(desk), desk.queue.positions) == (ids(1), (position(10),))


def test_another_queue_in_its_place_is_kept_with_its_log(desk: Desk) -> None:
    """Of a database that somebody put there, what only its log holds is kept, too."""
    desk.queue.put([document(1)])
    restored = desk.path.with_name("restored")
    with closing(sqlite3.connect(restored)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE kept (number)")
        for part in ("", "-wal"):
            copy = desk.path.with_name(f"copy{part}")
            copy.write_bytes(restored.with_name(restored.name + part).read_bytes())
            copy.rename(desk.path.with_name(desk.path.name + part))
    desk.queue.put([document(2)])
    assert waiting(desk) == ids(1, 2)
    (kept,) = desk.path.parent.glob("queue.sqlite.replaced-*[0-9]")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
