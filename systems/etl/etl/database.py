"""PostgreSQL: short transactions on connections that are always closed or given back."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from prometheus_client import CollectorRegistry, Counter
from psycopg import sql
from reference_system.hanging import hung_up_in_time
from reference_system.program import Unavailable

from etl.connections import POSTGRESQL, Connections, ServerUnavailable
from etl.schema import SCHEMA, SCHEMA_LOCK

_CONNECT_SECONDS = 3
_REUSED_WITHIN_SECONDS = 30.0

_logger = logging.getLogger(__name__)


class DatabaseUnavailable(ServerUnavailable):
    """The database could not do what it was asked."""

    def __init__(self, cause: object) -> None:
        super().__init__(POSTGRESQL, cause)


class DatabaseWrong(Unavailable):
    """The database refuses what it is asked: a table or a right is missing, and somebody has to mend that."""


class ValuesWrong(DatabaseWrong):
    """It refuses the values that it is given, and would as often as they came."""


_OF_VALUES = (psycopg.DataError, psycopg.IntegrityError, UnicodeError)
"""UnicodeError: text that is none stops at our end already."""


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: psycopg.Connection
    since: float


class Database:
    """A database; safe for several threads.

    Args:
        url: where libpq's clients connect.
        connections: who keeps account of them.
        registry: where transactions are counted.
        most_idle: how many connections wait for their next use.
        timeout_seconds: of a transaction as a whole; a server that hangs is hung up.
    """

    def __init__(
        self,
        url: str,
        connections: Connections,
        registry: CollectorRegistry,
        *,
        most_idle: int = 1,
        timeout_seconds: float = 5.0,
    ) -> None:
        self._url = url
        self._connections = connections
        self._most_idle = most_idle
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []
        self._out: set[psycopg.Connection] = set()
        self._has_schema = False
        connections.known(POSTGRESQL)
        self._transactions = Counter(
            "etl_database_transactions", "Transactions of the database.", ["outcome"], registry=registry
        )
        for outcome in ("ok", "failed"):
            self._transactions.labels(outcome)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A transaction: committed at the end of the block, rolled back by an exception.

        Raises:
            DatabaseUnavailable: it is gone, hangs or is going down; whether it has committed isn't known.
            ValuesWrong: it refuses the values of the statement.
            DatabaseWrong: it refuses the statement.
        """
        connection = self._taken()
        try:
            with hung_up_in_time(connection, self._timeout_seconds), connection.transaction():
                yield connection
        except _OF_VALUES as error:
            self._give_up(connection, error)
            self._transactions.labels("ok").inc()  # to refuse them is what it is there for
            raise ValuesWrong(_refusal(error)) from error
        except psycopg.Error as error:
            self._give_up(connection, error)
            self._transactions.labels("failed").inc()
            if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
                raise DatabaseUnavailable(error) from error
            raise DatabaseWrong(_refusal(error)) from error
        except BaseException:  # not the database's failure: what was done in the block
            self.close_connection(connection)
            self._transactions.labels("ok").inc()
            raise
        self._transactions.labels("ok").inc()
        self._give_back(connection)

    def take(self) -> psycopg.Connection:
        """A connection with our schema, which is to be closed by `close_connection`. Raises `DatabaseUnavailable`."""
        connection = self._reused() or self._opened()
        with self._lock:
            self._out.add(connection)
        return connection

    def close_connection(self, connection: psycopg.Connection) -> None:
        """Close one; again does nothing."""
        with self._lock:
            was_open = connection in self._out
            self._out.discard(connection)
        if was_open:
            self._close(connection)

    def close_forgotten(self) -> int:
        """Close connections that were taken and not closed; how many there were.

        To be called where nothing of the program may be using one.
        """
        with self._lock:
            forgotten, self._out = self._out, set()
        for connection in forgotten:
            self._connections.failed(POSTGRESQL, "left_open")
            self._close(connection)
        return len(forgotten)

    def close(self) -> None:
        """Close those that wait for their next use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for each in idle:
            self._close(each.connection)

    def _taken(self) -> psycopg.Connection:
        try:
            return self.take()
        except DatabaseUnavailable:
            self._transactions.labels("failed").inc()
            raise

    def _reused(self) -> psycopg.Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                candidate = self._idle.pop()
            fresh = time.monotonic() - candidate.since < _REUSED_WITHIN_SECONDS
            if fresh and not candidate.connection.closed:
                return candidate.connection
            self._close(candidate.connection)

    def _opened(self) -> psycopg.Connection:
        try:
            connection = psycopg.connect(self._url, connect_timeout=_CONNECT_SECONDS, autocommit=True)
        except psycopg.Error as error:
            self._connections.failed(POSTGRESQL, error)
            raise DatabaseUnavailable(error) from error
        self._connections.opened(POSTGRESQL)
        try:
            self._ensure_schema(connection)
        except psycopg.Error as error:
            self._connections.failed(POSTGRESQL, error)
            self._close(connection)
            raise DatabaseUnavailable(error) from error
        return connection

    def _ensure_schema(self, connection: psycopg.Connection) -> None:
        """Make what isn't there; programs that start together wait for each other."""
        if self._has_schema:
            return
        with hung_up_in_time(connection, self._timeout_seconds), connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            for statement in SCHEMA:
                connection.execute(sql.SQL(statement))
        self._has_schema = True

    def _give_back(self, connection: psycopg.Connection) -> None:
        with self._lock:
            self._out.discard(connection)
            if len(self._idle) < self._most_idle:
                self._idle.append(_Idle(connection, time.monotonic()))
                return
        self._close(connection)

    def _give_up(self, connection: psycopg.Connection, error: Exception) -> None:
        """Close it; those that wait are as broken where the server went away."""
        self._connections.failed(POSTGRESQL, error)
        self.close_connection(connection)
        if isinstance(error, psycopg.OperationalError):
            self.close()

    def _close(self, connection: psycopg.Connection) -> None:
        with suppress(psycopg.Error):
            connection.close()
        self._connections.closed(POSTGRESQL)


def _refusal(error: Exception) -> str:
    """In one line, without the hints and values that PostgreSQL adds on further ones."""
    return f"{POSTGRESQL} refuses: {str(error).partition(chr(10))[0]}"
