"""What every SQLite file of ours needs alike."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; the write lock is taken first, so that what is read inside can't change.

    Raises:
        sqlite3.Error: the lock isn't had in time, or the file can't be written; nothing was changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def durable_connection(path: Path, *, mode: str, wait_seconds: float) -> Iterator[sqlite3.Connection]:
    """A connection for one operation, in which a commit is on disk when it returns.

    Args:
        path: of the file.
        mode: `rwc`; `rw` doesn't create a missing file, `ro` changes nothing.
        wait_seconds: how long to wait for another who writes.

    Raises:
        sqlite3.Error: the file can't be opened.
    """
    url = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(url, uri=True, timeout=wait_seconds, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
