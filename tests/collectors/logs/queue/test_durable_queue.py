"""What is in the queue stays there until it is settled, whatever happens to the process, the disk and the file."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sereno_collectors.logs.locking import LockError
from sereno_collectors.logs.model import QueueFull
from sereno_collectors.logs.queue import (
    DurableQueue,
    QueueError,
    QueueReader,
    QueueState,
    QueueUnavailable,
    Settlement,
)
from support.queueing import ALL, HOUR, Desk, document, noise, position, waiting


def test_what_is_put_is_taken_once_in_its_order(desk: Desk) -> None:
    """Parcels come out oldest first, each to one taker; settled ones are gone."""
    desk.queue.put([document(1), document(2)])
    desk.queue.put([document(3)])
    first, second = desk.queue.take(*ALL)
    assert (first.documents, second.documents, first.repeated) == (2, 1, False)
    assert first.body.splitlines()[0] == b'{"create":{"_index":"logs-app-default","_id":"00000001"}}'
    assert desk.queue.take(*ALL) == ()
    desk.queue.settle([Settlement(first), Settlement(second)])
    assert desk.queue.state() == QueueState(0, 0, desk.limit_bytes, None)
    assert waiting(desk) == []


def test_no_more_is_taken_than_asked_for(desk: Desk) -> None:
    """A request's limits hold for documents and bytes, but one parcel is always given."""
    for number in range(3):
        desk.queue.put([document(number, noise(100))])
    (only,) = desk.queue.take(1, 10)
    assert len(desk.queue.take(10, len(only.body) * 2)) == 2


def test_what_is_left_of_a_parcel_is_taken_again(desk: Desk) -> None:
    """The rest of a settled parcel keeps its place before younger ones."""
    desk.queue.put([document(1), document(2)])
    desk.queue.put([document(3)])
    (first,) = desk.queue.take(2, 10_000)
    lines = first.body.splitlines(keepends=True)
    desk.queue.settle([Settlement(first, b"".join(lines[2:]))])
    rest, younger = desk.queue.take(*ALL)
    assert (rest.number, rest.documents, rest.body) == (first.number, 1, b"".join(lines[2:]))
    assert younger.number > rest.number
    assert desk.queue.state().documents == 2


def test_what_is_not_taken_does_not_stand_before_newer_parcels(desk: Desk) -> None:
    """What a store does not take now, and what is newer, are first in turn; what is in doubt is before both."""
    for number in (1, 2):
        desk.queue.put([document(number), document(number + 10)])
    for parcel in desk.queue.take(*ALL):
        desk.queue.settle([Settlement(parcel, b"".join(parcel.body.splitlines(keepends=True)[2:]))])
    desk.queue.put([document(3)])
    desk.queue.put([document(4)])
    turns = [desk.queue.take(1, 10)[0] for _ in range(4)]
    assert [parcel.number for parcel in turns] == [1, 3, 2, 4]
    desk.queue.give_back(turns[3:])
    desk.queue.settle([Settlement(turns[0], turns[0].body)])
    assert [parcel.number for parcel in desk.queue.take(*ALL)] == [4, 1]


def test_what_may_have_been_sent_is_marked(desk: Desk) -> None:
    """A parcel that was given back, or taken by a process that is gone, comes out as a repeated one; others don't."""
    desk.queue.put([document(1)])
    desk.queue.give_back(desk.queue.take(*ALL))
    (again,) = desk.queue.take(*ALL)
    assert again.repeated
    desk.queue.put([document(2)])
    desk.again()
    assert [(parcel.documents, parcel.repeated) for parcel in desk.queue.take(*ALL)] == [(1, True), (1, False)]


def test_what_was_surely_not_stored_is_no_repeated_one(desk: Desk) -> None:
    """A parcel that the server had no time for comes back as it was: nobody looks for it, unless it was in doubt."""
    desk.queue.put([document(1)])
    desk.queue.give_back(desk.queue.take(*ALL), in_doubt=False)
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [False]
    desk.again()
    desk.queue.give_back(desk.queue.take(*ALL), in_doubt=False)
    assert [parcel.repeated for parcel in desk.queue.take(*ALL)] == [True]


def test_what_is_known_again_is_in_doubt_no_more(desk: Desk) -> None:
    """The rest of a parcel that was looked for is not looked for a second time."""
    desk.queue.put([document(1), document(2)])
    desk.queue.give_back(desk.queue.take(*ALL))
    (doubted,) = desk.queue.take(*ALL)
    lines = doubted.body.splitlines(keepends=True)
    desk.queue.settle([Settlement(doubted, b"".join(lines[2:]))])
    assert [(parcel.documents, parcel.repeated) for parcel in desk.queue.take(*ALL)] == [(1, False)]


def test_a_full_queue_takes_nothing_and_says_so(desk: Desk) -> None:
    """Beyond its limit a put is refused as a whole, position included; with room again it is taken."""
    big = noise(600_000)
    desk.queue.put([document(1, big)], [position(1)])
    with pytest.raises(QueueFull, match="is full"):
        desk.queue.put([document(2, big)], [position(2)])
    assert (waiting(desk), desk.queue.positions) == (["00000001"], (position(1),))
    desk.queue.settle([Settlement(parcel) for parcel in desk.queue.take(*ALL)])
    desk.queue.put([document(2, big)], [position(2)])
    assert (waiting(desk), desk.queue.positions) == (["00000002"], (position(2),))


def test_positions_come_back_with_what_was_put(desk: Desk) -> None:
    """The next process finds the positions of the last put; answered is only what was settled without a gap."""
    desk.queue.put([document(1)], [position(10)])
    desk.queue.put([document(2)], [position(20)])
    first, second = (desk.queue.take(1, 1)[0] for _ in range(2))
    desk.queue.settle([Settlement(second)])
    assert not desk.queue.answered
    desk.queue.settle([Settlement(first)])
    assert desk.queue.answered == (position(20),)
    desk.again()
    assert desk.queue.positions == (position(20),)


def test_the_ledger_tells_what_was_received(desk: Desk) -> None:
    """Each source's first and last number and count of an hour are kept beside the queue."""
    desk.queue.put([document(3), document(4)])
    desk.queue.put([document(9)])
    (row,) = QueueReader(desk.path).received(HOUR, "2026-11-26T00")
    assert (row.source, row.first_sequence, row.last_sequence, row.documents) == ("shop-1", 3, 9, 3)
    assert QueueReader(desk.path).received("2026-11-26T00", "2026-11-27T00") == ()


def test_one_collector_at_a_time(desk: Desk) -> None:
    """A second one is refused until the first is gone."""
    with pytest.raises(LockError, match="another collector uses"):
        desk.opened()


def test_what_is_no_queue_is_left_alone(tmp_path: Path) -> None:
    """Another program's database, a newer Sereno's queue and an impossible place are messages."""
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE somebody (name)")
    newer = tmp_path / "newer.sqlite"
    DurableQueue(newer, limit_bytes=1, report=print).close()
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for path, told in ((other, "no queue of Sereno's"), (newer, "upgrade"), (tmp_path / "no/q.sqlite", "No such file")):
        with pytest.raises((QueueError, LockError), match=told):
            DurableQueue(path, limit_bytes=1, report=print)


def test_a_file_of_another_kind_is_not_touched(tmp_path: Path) -> None:
    """A text file that is named as queue by mistake is refused and stays as it is."""
    path = tmp_path / "app.log"
    path.write_bytes(b"a line of a log\n")
    with pytest.raises(QueueError, match="some other file"):
        DurableQueue(path, limit_bytes=1, report=print)
    assert path.read_bytes() == b"a line of a log\n"


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file may grow beyond what the queue's log has now."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wal = path.with_name(f"{path.name}-wal")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_at_the_other_end_changes_nothing(desk: Desk) -> None:
    """What can't be marked as taken or settled stays as it is, counts included, until there is room."""
    for number in range(20):
        desk.queue.put([document(number, noise(500))])
    with full_disk(desk.path), pytest.raises(QueueUnavailable):
        desk.queue.take(*ALL)
    parcels = desk.queue.take(*ALL)
    assert len(parcels) == 20
    before = desk.queue.state()
    for _ in range(3):
        with full_disk(desk.path), pytest.raises(QueueUnavailable):
            desk.queue.settle([Settlement(parcel) for parcel in parcels])
    assert desk.queue.state() == before
    desk.queue.settle([Settlement(parcel) for parcel in parcels])
    assert desk.queue.state().documents == desk.queue.state().size_bytes == 0


def test_a_full_disk_is_waited_for(desk: Desk) -> None:
    """Where the file can't grow nothing is taken, and trying again is right."""
    desk.queue.put([document(1)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        with pytest.raises(QueueUnavailable, match="disk full"):
            desk.queue.put([document(2, noise(500_000))], [position(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (waiting(desk), desk.queue.positions) == (["00000001"], ())
    desk.queue.put([document(2, noise(500_000))], [position(2)])
    assert waiting(desk) == ["00000001", "00000002"]


def test_a_body_that_can_not_be_read_now_is_read_the_next_time(desk: Desk) -> None:
    """A read that fails after the parcel was marked as taken leaves it in the queue for the next taker."""
    desk.queue.put([document(1), document(2)])
    desk.again()  # the body is read from the file
    connection, is_read = desk.queue._file.connection, False

    def watch(statement: str) -> None:
        nonlocal is_read
        is_read = is_read or statement.startswith("SELECT body")

    connection.set_trace_callback(watch)
    connection.set_progress_handler(lambda: is_read, 1)
    with pytest.raises(QueueUnavailable, match="interrupted"):
        desk.queue.take(*ALL)
    assert is_read
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    assert [parcel.documents for parcel in desk.queue.take(*ALL)] == [2]


def test_a_settlement_counts_although_nothing_can_be_asked_behind_it(desk: Desk) -> None:
    """What is settled stays settled where the look for the oldest parcel fails; the positions follow the next time."""
    desk.queue.put([document(1)], [position(10)])
    desk.queue.put([document(2)], [position(20)])
    first, second = (desk.queue.take(1, 1)[0] for _ in range(2))
    connection, is_asked = desk.queue._file.connection, False

    def watch(statement: str) -> None:
        nonlocal is_asked
        is_asked = is_asked or statement.startswith("SELECT min(number)")

    connection.set_trace_callback(watch)
    connection.set_progress_handler(lambda: is_asked, 1)
    desk.queue.settle([Settlement(first)])
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    assert (is_asked, desk.queue.state().documents, desk.queue.answered) == (True, 1, ())
    desk.queue.settle([Settlement(second)])
    assert desk.queue.answered == (position(20),)


WRITER = """
import sys
from pathlib import Path
from sereno_collectors.logs.locking import LockError
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue, Settlement
queue = DurableQueue(Path(sys.argv[1]), limit_bytes=10**9, report=print)
for number in range(1, 10**9):
    queue.put([Document(f"{number:08x}", "logs-app-default", b"x" * 500, "shop", "shop-1", number, "2026-11-25T23")])
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After kill -9 at any moment everything whose put had returned is there, once."""
    path = tmp_path / "queue.sqlite"
    acknowledged = 0
    for lines in (3, 40, 200):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(lines)]
            os.kill(process.pid, signal.SIGKILL)
            said += process.stdout.readlines()
        acknowledged += int(next(line for line in reversed(said) if line.endswith("\n")))
        ids = [record_id for record_id, _ in QueueReader(path).queued()]
        assert acknowledged <= len(ids) <= acknowledged + 1  # one more may be on disk and not yet said
        acknowledged = len(ids)
