"""What is particular to the SQLite log store: its file, and what becomes of it."""

import itertools
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from sereno_backends.logs import (
    LogStoreCorrupt,
    LogStoreReadOnly,
    LogStoreRefused,
    LogStoreTooNew,
    LogStoreUnreachable,
    SqliteLogStore,
    sqlite_file,
)
from support.log_records import Ask, MakeRecord

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from sereno_backends.logs import LogRecord, SqliteLogStore

noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
store = SqliteLogStore(sys.argv[1])
for batch in range(int(sys.argv[2])):
    records = [
        LogRecord(f"{batch}-{i}", noon + timedelta(seconds=batch), "checkout", "info", f"message {i}")
        for i in range(100)
    ]
    store.write(records)
    print(batch, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file is to be."""
    return tmp_path / "logs.sqlite"


def start_writer(path: Path, batches: int) -> subprocess.Popen[str]:
    """A process that writes batches of 100 records and prints the number of each that is written."""
    command = [sys.executable, "-c", WRITER, str(path), str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_reading_where_nothing_is_names_the_cure_and_makes_no_file(path: Path, ask: Ask) -> None:
    """A mistyped path is an error, not an empty store."""
    with closing(SqliteLogStore(path)) as store, pytest.raises(LogStoreUnreachable, match="sereno collect logs"):
        store.count(ask())
    assert not path.exists()


@pytest.mark.parametrize("content", [b"no database, just text. " * 50, b"SQLite format 3\x00" + b"\x07" * 4096])
def test_a_file_that_is_no_database_is_refused_and_kept(
    path: Path, record: MakeRecord, ask: Ask, content: bytes
) -> None:
    """Neither writing nor reading touches a file that is something else."""
    path.write_bytes(content)
    with closing(SqliteLogStore(path)) as store:
        with pytest.raises(LogStoreCorrupt, match=str(path)):
            store.write([record("a")])
        with pytest.raises(LogStoreCorrupt, match="move it away"):
            store.search(ask())
    assert path.read_bytes() == content


def test_a_damaged_store_is_an_error_and_no_wrong_answer(path: Path, record: MakeRecord, ask: Ask) -> None:
    """Pages that were overwritten are noticed when they are read."""
    with closing(SqliteLogStore(path)) as store:
        store.write([record(str(number), "x" * 500) for number in range(500)])
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 200_000)
    with closing(SqliteLogStore(path)) as store, pytest.raises(LogStoreCorrupt, match="damaged"):
        store.search(ask(limit=500))


def test_somebody_elses_database_is_refused(path: Path, record: MakeRecord, ask: Ask) -> None:
    """A SQLite file with other tables gets none of ours."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE incident (id INTEGER)")
    with closing(SqliteLogStore(path)) as store:
        with pytest.raises(LogStoreCorrupt, match="no log store of Sereno's"):
            store.write([record("a")])
        with pytest.raises(LogStoreCorrupt, match="choose another file"):
            store.count(ask())
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("incident",)]


def test_a_newer_schema_is_refused_by_reader_and_writer(path: Path, record: MakeRecord, ask: Ask) -> None:
    """A store of a newer Sereno is left alone, and the message says to upgrade."""
    with closing(SqliteLogStore(path)) as store:
        store.write([record("a")])
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with closing(SqliteLogStore(path)) as store:
        with pytest.raises(LogStoreTooNew, match="upgrade sereno"):
            store.write([record("b")])
        with pytest.raises(LogStoreTooNew, match="schema 99"):
            store.count(ask())


def test_the_file_is_durable_and_carries_its_version(path: Path, record: MakeRecord) -> None:
    """The file is in WAL mode and records its schema version."""
    with closing(SqliteLogStore(path)) as store:
        store.write([record("a")])
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert file.execute("PRAGMA user_version").fetchone() == (1,)


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("", LogStoreUnreachable, "it is a folder"),
        ("missing/logs.sqlite", LogStoreUnreachable, "mkdir -p"),
    ],
)
def test_an_impossible_path_is_explained(
    tmp_path: Path, record: MakeRecord, where: str, error: type[Exception], message: str
) -> None:
    """What is wrong with the path stands in the message."""
    with closing(SqliteLogStore(tmp_path / where)) as store, pytest.raises(error, match=message):
        store.write([record("a")])


def test_a_lock_that_is_kept_is_an_answer_in_time(path: Path, record: MakeRecord, ask: Ask) -> None:
    """While another process keeps the file locked, writing fails after the busy timeout, reading goes on."""
    with closing(SqliteLogStore(path, busy_timeout_seconds=0.1)) as store:
        store.write([record("a")])
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LogStoreUnreachable, match="locked by another process"):
                store.write([record("b")])
            assert store.count(ask()) == 1
        store.write([record("b")])
        assert store.count(ask()) == 2


def test_a_full_disk_loses_the_batch_as_a_whole(path: Path, record: MakeRecord, ask: Ask) -> None:
    """Where the file can't grow, the batch is refused and none of it is stored; with room, it is stored."""
    with closing(SqliteLogStore(path)) as store:
        store.write([record("a")])
        assert store._writer is not None
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count = {pages + 5}")
        batch = [record(f"b{number}", "x" * 4000) for number in range(50)]
        with pytest.raises(LogStoreRefused, match="full"):
            store.write(batch)
        assert store.count(ask()) == 1
        store._writer.execute("PRAGMA max_page_count = 1000000")
        assert store.write(batch).indexed == 50


def test_a_deleted_file_is_noticed(path: Path, record: MakeRecord, ask: Ask) -> None:
    """After somebody deletes the file, records go into a new one, not into the void."""
    with closing(SqliteLogStore(path)) as store, closing(SqliteLogStore(path)) as reader:
        store.write([record("a")])
        assert reader.count(ask()) == 1
        for file in path.parent.glob("logs.sqlite*"):
            file.unlink()
        assert store.write([record("b")]).indexed == 1
        assert [found.record_id for found in reader.search(ask())] == ["b"]


def test_several_processes_read_while_one_writes(path: Path, ask: Ask) -> None:
    """Readers never fail nor see half a batch while another process writes."""
    with start_writer(path, 60) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen: list[int] = []
        with closing(SqliteLogStore(path)) as first, closing(SqliteLogStore(path)) as second:
            while writer.poll() is None:
                seen.extend((first.count(ask()), second.count(ask(text="message"))))
            seen.append(first.count(ask()))
    assert seen[-1] == 6000
    assert len(set(seen)) > 3, "nothing was read meanwhile"
    assert all(count % 100 == 0 for count in seen)


def test_two_writers_share_the_work(path: Path, ask: Ask) -> None:
    """Two processes that write the same records at once store each of them once."""
    with start_writer(path, 20) as one, start_writer(path, 20) as other:
        one.communicate(timeout=60)
        other.communicate(timeout=60)
    assert (one.returncode, other.returncode) == (0, 0)
    with closing(SqliteLogStore(path)) as store:
        assert store.count(ask()) == 2000
        assert store.count(ask(text="message 7")) == 20


@pytest.mark.parametrize("statement", [1, 2, 3, 4])
def test_a_store_that_somebody_else_creates_meanwhile_is_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    """Between any two looks of opening it."""
    connect, seen = sqlite_file._connect, itertools.count(1)

    def watched(*arguments: Any) -> sqlite3.Connection:
        connection = connect(*arguments)
        connection.set_trace_callback(
            lambda _: sqlite_file.open_for_writing(path, 5).close() if next(seen) == statement else None
        )
        monkeypatch.undo()
        return connection

    monkeypatch.setattr(sqlite_file, "_connect", watched)
    sqlite_file.open_for_writing(path, 5).close()
    assert next(seen) > statement


def test_what_was_answered_survives_a_kill(path: Path, ask: Ask) -> None:
    """After kill -9 every answered batch is there whole, searchable, and the file takes more."""
    with start_writer(path, 10_000) as writer:
        assert writer.stdout is not None
        answered = [int(writer.stdout.readline()) for _ in range(15)][-1]
        os.kill(writer.pid, signal.SIGKILL)
    with closing(SqliteLogStore(path)) as store:
        count = store.count(ask())
        assert count >= (answered + 1) * 100
        assert count % 100 == 0
        assert store.count(ask(text="message")) == count
        assert store.top_messages(ask(limit=1))[0].count == count // 100


@pytest.fixture
def archive(record: MakeRecord) -> Iterator[Path]:
    """A store with one record, in a folder that an unprivileged user may read but not write."""
    folder = Path(mkdtemp(prefix="sereno-archive-", dir="/var/tmp"))
    path = folder / "logs.sqlite"
    with closing(SqliteLogStore(path)) as store:
        store.write([record("a")])
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def file_permissions_apply() -> Iterator[None]:
    """Root is above them: its tests are somebody else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    nobody = pwd.getpwnam("nobody").pw_uid
    os.setresuid(nobody, nobody, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_read_only_file_is_read_and_not_written(archive: Path, record: MakeRecord, ask: Ask) -> None:
    """An archived store answers questions; writing to it is a clear error of its own class."""
    with file_permissions_apply(), closing(SqliteLogStore(archive)) as store:
        assert store.count(ask()) == 1
        with pytest.raises(LogStoreReadOnly, match="can't be written by this user"):
            store.write([record("b")])


def test_a_reader_without_rights_sees_what_is_written_meanwhile(archive: Path, record: MakeRecord, ask: Ask) -> None:
    """A reader who may not write sees the records of a writer who is at work."""
    archive.parent.chmod(0o755)
    with closing(SqliteLogStore(archive)) as writer:
        writer.write([record("b")])
        with file_permissions_apply(), closing(SqliteLogStore(archive)) as reader:
            assert reader.count(ask()) == 2


def test_a_file_closed_to_the_reader_is_explained(archive: Path, ask: Ask) -> None:
    """Without the right to read, the message says so."""
    archive.chmod(0o000)
    with (
        file_permissions_apply(),
        closing(SqliteLogStore(archive)) as store,
        pytest.raises(LogStoreUnreachable, match="this user may not read it"),
    ):
        store.count(ask())


def test_the_package_imports_no_client() -> None:
    """Importing the package, and opening a SQLite store, imports no Elasticsearch."""
    code = """
        import sys, sereno_backends.logs
        assert not {"elasticsearch", "sqlite3"} & set(sys.modules)
        sereno_backends.logs.open_log_store("/tmp/x.sqlite")
        assert "elasticsearch" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_a_wrong_name_is_an_attribute_error() -> None:
    """The lazy package answers for unknown names as any module does."""
    import sereno_backends.logs as package  # noqa: PLC0415 - what is tested

    assert not hasattr(package, "MongoLogStore")
    assert set(package.__all__) <= {name for name in package.__all__ if hasattr(package, name)}
