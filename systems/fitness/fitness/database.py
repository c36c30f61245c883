"""A PostgreSQL database, whose connections are opened anew after the server was gone."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg.rows import namedtuple_row
from reference_system.hanging import hung_up_in_time
from reference_system.program import Unavailable

Connection = psycopg.Connection[Any]
"""Its rows have the columns as attributes."""

_CONNECTIONS = 5
_WAIT_SECONDS = 2
_STATEMENT_MILLISECONDS = 4_000
_TRANSACTION_SECONDS = 6.0
"""With what is asked of others in it; then the server is taken for one that hangs."""
_SCHEMA_LOCK = 7_311_846
"""Any number that is always the same: programs that start together create their schemas one after another."""


class StoreUnavailable(Unavailable):
    """The database could not do what it was asked; the message names the cause."""


class Database:
    """The database at `url` (postgresql://…); safe for several threads.

    Args:
        url: its address, with user and password.
        application: what the server calls our connections.
        schema: statements that create what isn't there yet.

    Raises:
        StoreUnavailable: the address is none, or nothing answers there.
    """

    def __init__(self, url: str, *, application: str, schema: Sequence[LiteralString]) -> None:
        self._url = url
        self._application = application
        self._idle: deque[Connection] = deque()
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        with self.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            for statement in schema:
                connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception.

        Raises:
            StoreUnavailable: the database is gone, or hangs; whether it has committed isn't known then.
        """
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise StoreUnavailable(f"no connection to the database was free within {_WAIT_SECONDS} s")
        try:
            connection = self._connection()
            try:
                with hung_up_in_time(connection, _TRANSACTION_SECONDS), connection.transaction():
                    yield connection
            finally:
                if not connection.closed:
                    self._idle.append(connection)
        except psycopg.OperationalError as error:
            raise StoreUnavailable(f"the database can't be used: {_first_line(error)}") from error
        except psycopg.ProgrammingError as error:
            if error.sqlstate is not None:
                raise  # a statement of ours is wrong
            raise StoreUnavailable(f"the database's address is none: {_first_line(error)}") from error
        finally:
            self._free.release()

    def close(self) -> None:
        """Close all connections."""
        while (connection := self._kept()) is not None:
            connection.close()

    def _kept(self) -> Connection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _connection(self) -> Connection:
        """One that answers: a server that was gone and is back costs no request an error."""
        kept = self._kept()
        if kept is not None:
            try:
                with hung_up_in_time(kept, _WAIT_SECONDS):
                    kept.execute("SELECT 1")
            except psycopg.OperationalError:
                self.close()  # whatever ended it has ended the others, too
            else:
                return kept
        return psycopg.connect(
            self._url,
            autocommit=True,
            row_factory=namedtuple_row,
            connect_timeout=_WAIT_SECONDS,
            application_name=self._application,
            options=f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
        )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
