"""Transactions in SQLite (WAL: one writer, readers meanwhile)."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from transactions_api.model import Transaction
from transactions_api.store import StoreUnavailable, Unstorable

Answer = TypeVar("Answer")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS transactions (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TEXT NOT NULL
)
"""
_INSERT = """
INSERT OR IGNORE INTO transactions (id, account, amount_cents, currency, description, created_at)
VALUES (?, ?, ?, ?, ?, ?)
"""
_NEWEST = """
SELECT id, account, amount_cents, currency, description, created_at FROM transactions ORDER BY position DESC LIMIT ?
"""
_STORED = "SELECT id FROM transactions WHERE id IN (SELECT value FROM json_each(?))"
_ONE = "SELECT id, account, amount_cents, currency, description, created_at FROM transactions WHERE id = ?"


class SqliteStore:
    """The database file at `path`: a `TransactionStore` that is `Removable`.

    Raises:
        StoreUnavailable: the file can't be opened or is no database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f"{path.name}.gone")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self._aside.exists() and not path.exists():
                self._aside.rename(path)  # a process that was killed while `database-gone` was on left it there
        except OSError as error:
            raise StoreUnavailable(f"the database {path} can't be opened: {error.strerror}") from error
        self._reader = _Connection(path)
        self._writer = _Connection(path, create=True)
        self._writer.run(lambda connection: connection.execute(_SCHEMA))
        self._writer.create = False

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Write all in one commit; those that are there already stay as they are.

        Raises `StoreUnavailable`, or `Unstorable` if one of them can't ever be written.
        """
        rows = [
            (each.id, each.account, each.amount_cents, each.currency, each.description, each.created_at.isoformat())
            for each in transactions
        ]

        def insert(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany(_INSERT, rows)

        try:
            self._writer.run(insert)
        except (OverflowError, UnicodeEncodeError) as error:
            raise Unstorable(str(error)) from error

    def newest(self, limit: int) -> tuple[Transaction, ...]:
        """The transactions stored last, newest first. Raises `StoreUnavailable`."""
        rows = self._reader.run(lambda connection: connection.execute(_NEWEST, (limit,)).fetchall())
        return tuple(_transaction(row) for row in rows)

    def find(self, transaction_id: str) -> Transaction | None:
        """The transaction with this id, None if it isn't stored. Raises `StoreUnavailable`."""
        row = self._reader.run(lambda connection: connection.execute(_ONE, (transaction_id,)).fetchone())
        return None if row is None else _transaction(row)

    def stored(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are stored. Raises `StoreUnavailable`."""
        asked = json.dumps(list(ids))  # one value, however many ids: SQLite limits the number of its parameters
        rows = self._reader.run(lambda connection: connection.execute(_STORED, (asked,)).fetchall())
        return frozenset(transaction_id for (transaction_id,) in rows)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def take_away(self) -> None:
        """Really take the database away: close it and move its file, so that every call fails. Raises `OSError`."""
        with self._reader.lock, self._writer.lock:
            self.close()
            self._path.rename(self._aside)

    def bring_back(self) -> None:
        """Undo `take_away`. Raises `OSError`."""
        with self._reader.lock, self._writer.lock:
            self._aside.rename(self._path)


class _Connection:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.lock = threading.RLock()
        self.create = create
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self.lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except sqlite3.Error as error:
                self.close()
                raise StoreUnavailable(f"the database can't be used: {error}") from error

    def close(self) -> None:
        with self.lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        # rw, not rwc: a file that went away must be an error, not an empty new database.
        mode = "rwc" if self.create else "rw"
        connection = sqlite3.connect(
            f"file:{quote(str(self._path.absolute()))}?mode={mode}", uri=True, check_same_thread=False, timeout=1.0
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _transaction(row: tuple[str, str, int, str, str, str]) -> Transaction:
    transaction_id, account, amount_cents, currency, description, created_at = row
    return Transaction(transaction_id, account, amount_cents, currency, description, datetime.fromisoformat(created_at))
