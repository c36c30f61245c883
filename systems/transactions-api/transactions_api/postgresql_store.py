"""Transactions in PostgreSQL, which stands for Aurora PostgreSQL."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from transactions_api.model import Transaction
from transactions_api.postgresql_connections import BUSY, Connection, Connections, reason
from transactions_api.store import StoreUnavailable, Unstorable

_MAINTENANCE = "postgres"
"""The database that every server has: from there others are created, taken away and brought back."""
_LOCK = 7_281_945
"""Held while the table is made: programs that start together would make it twice."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS transactions (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    account text NOT NULL,
    amount_cents bigint NOT NULL,
    currency text NOT NULL,
    description text NOT NULL,
    created_at timestamptz NOT NULL
)
"""
_COLUMNS: LiteralString = "id, account, amount_cents, currency, description, created_at"
_INSERT = f"INSERT INTO transactions ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_NEWEST = f"SELECT {_COLUMNS} FROM transactions ORDER BY position DESC LIMIT %s"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM transactions WHERE id = %s"  # noqa: S608
_STORED = "SELECT id FROM transactions WHERE id = ANY(%s)"

_TRIES = 10
_WAITS_FOR_LOCKS = "SET LOCAL lock_timeout = '200ms'"
"""A write that meets a lock says so after this time and is made again: ten of them stay below two seconds."""

_logger = logging.getLogger(__name__)


class PostgresqlStore:
    """The database at `url`: a `TransactionStore` that is `Removable`. Database and table are made if need be.

    Raises:
        StoreUnavailable: the database can't be used within ten seconds.
    """

    def __init__(self, url: str, *, patience_seconds: float = 10.0) -> None:
        self._url = url
        self._name = _name(url)
        self._connections = Connections(url)
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                self._make()
                break
            except StoreUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Write all in one commit; those that are there already stay as they are.

        Raises `StoreUnavailable`, or `Unstorable` if one of them can't ever be written.
        While somebody else's lock is in the way it is tried again, for up to two seconds; each time is logged.
        """
        rows = [
            (each.id, each.account, each.amount_cents, each.currency, each.description, each.created_at)
            for each in transactions
        ]

        def insert(connection: Connection) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(_WAITS_FOR_LOCKS)
                cursor.executemany(_INSERT, rows)

        for left in reversed(range(_TRIES)):
            try:
                return self._connections.run(insert)
            except BUSY as error:
                _log_conflict(error)
                if not left:
                    raise StoreUnavailable(f"the database can't be used: {reason(error)}") from error
        return None

    def newest(self, limit: int) -> tuple[Transaction, ...]:
        """The transactions stored last, newest first. Raises `StoreUnavailable`."""
        return tuple(Transaction(*row) for row in self._rows(_NEWEST, limit))

    def find(self, transaction_id: str) -> Transaction | None:
        """The transaction with this id, None if it isn't stored. Raises `StoreUnavailable`."""
        try:
            return next((Transaction(*row) for row in self._rows(_ONE, transaction_id)), None)
        except Unstorable:  # what can't be stored isn't
            return None

    def stored(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are stored. Raises `StoreUnavailable`."""
        return frozenset(transaction_id for (transaction_id,) in self._rows(_STORED, list(ids)))

    def close(self) -> None:
        """Close all connections; the next call opens one again."""
        self._connections.close()

    def reconnect(self) -> None:
        """Close all connections and open one. Raises `StoreUnavailable`."""
        self.close()
        self._rows("SELECT %s::int", 1)

    def take_away(self) -> None:
        """Let the server accept nobody to the database any more, and hang up all who are there. Raises `OSError`."""
        with self._maintained() as connection:
            try:
                _allow_connections(connection, self._name, allowed=False)
                end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                connection.execute(end_all, (self._name,))
            except psycopg.Error:
                accept_again(self._url)  # half of it would be a fault that is off, and breaks all the same
                raise

    def bring_back(self) -> None:
        """Undo `take_away`; again does nothing. Raises `OSError`."""
        with self._maintained() as connection:
            _allow_connections(connection, self._name, allowed=True)

    @contextmanager
    def _maintained(self) -> Iterator[Connection]:
        if self._name == _MAINTENANCE:
            raise OSError(f"it takes another database than {_MAINTENANCE}, from which it is switched")
        try:
            with _maintenance(self._url) as connection:
                yield connection
        except psycopg.Error as error:
            raise OSError(reason(error)) from error

    def _rows(self, statement: LiteralString, parameter: object) -> list[tuple[Any, ...]]:
        try:
            return self._connections.run(lambda connection: connection.execute(statement, (parameter,)).fetchall())
        except BUSY as error:
            raise StoreUnavailable(f"the database can't be used: {reason(error)}") from error

    def _make(self) -> None:
        try:
            self._connections.run(_make_table)
        except StoreUnavailable:
            self._make_database()
            self._connections.run(_make_table)

    def _make_database(self) -> None:
        """Create the database if that is what is missing; what else is wrong is told by who asked."""
        with suppress(psycopg.Error), _maintenance(self._url) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self._name,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._name)))


def accept_again(url: str) -> None:
    """Let the server accept clients to the database, if it may be asked that: nobody else undoes a fault's end."""
    with suppress(psycopg.Error, OSError), _maintenance(url) as connection:
        _allow_connections(connection, _name(url), allowed=True)


def _allow_connections(connection: Connection, name: str, *, allowed: bool) -> None:
    statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    connection.execute(statement.format(sql.Identifier(name), sql.Literal(allowed)))


def _maintenance(url: str) -> Connection:
    return psycopg.connect(make_conninfo(url, dbname=_MAINTENANCE, connect_timeout=2), autocommit=True)


def _name(url: str) -> str:
    return str(conninfo_to_dict(url).get("dbname") or _MAINTENANCE)


def _make_table(connection: Connection) -> None:
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(_SCHEMA)


def _log_conflict(error: psycopg.Error) -> None:
    kind, why = type(error), reason(error)
    _logger.error(
        "Writing transactions met somebody else's lock, and is tried again: %s",
        why,
        extra={"ecs": {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": why}},
    )
