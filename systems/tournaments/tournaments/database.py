"""A service's own database: made if it isn't there, reached again after the server was gone."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from reference_system.hanging import hung_up_in_time
from reference_system.program import Unavailable

Answer = TypeVar("Answer")
Connection = psycopg.Connection[tuple[Any, ...]]

_PATIENCE_SECONDS = 15.0
_CONNECT_SECONDS = 2
"""The shortest that libpq knows."""
_DEADLINE_SECONDS = 2.5
"""Of a transaction, whatever the server does: one that hangs refuses nothing, and ends no statement."""
_SERVER_MAY_TAKE = "2000ms"
_HANGS_SECONDS = 1.0
_LEFT_ALONE_SECONDS = 1.0
"""After the server let somebody wait: who stands behind them must not wait as long again, one after the other."""
_MAINTENANCE = "postgres"
"""The database that every server has: from there others are made."""


class DatabaseUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The database can't be used now; the message says why."""


class Database:
    """One connection that several threads share, one at a time: each service has few of them, free tiers count them.

    A server that hangs holds whoever comes first for `_CONNECT_SECONDS + _DEADLINE_SECONDS` at most, be it a question
    or a scrape, and the others no longer.

    Raises:
        Unavailable: it can't be made within fifteen seconds.
    """

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._conninfo = make_conninfo(
            url, connect_timeout=_CONNECT_SECONDS, options=f"-c statement_timeout={_SERVER_MAY_TAKE}"
        )
        self._left_alone_until = 0.0
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._make(schema)
            except (DatabaseUnavailable, psycopg.Error) as error:
                if time.monotonic() > deadline:
                    raise Unavailable(f"the database can't be used: {error}") from error
                time.sleep(0.2)
            else:
                return

    def run(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do something in one transaction: all of it, or nothing.

        Raises:
            DatabaseUnavailable: it can't be done now; the next call connects anew.
        """
        if not self._lock.acquire(timeout=_DEADLINE_SECONDS):
            raise DatabaseUnavailable("the database can't be used: it lets others wait")
        try:
            return self._run(work)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection; the next call opens one again."""
        with self._lock:
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.close()
                self._connection = None

    def _run(self, work: Callable[[Connection], Answer]) -> Answer:
        begin = time.monotonic()
        if begin < self._left_alone_until:
            raise DatabaseUnavailable("the database can't be used: it hung a moment ago")
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._conninfo)
            connection = self._connection
            with hung_up_in_time(connection, _DEADLINE_SECONDS), connection.transaction():
                return work(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            now = time.monotonic()
            if now - begin > _HANGS_SECONDS:
                self._left_alone_until = now + _LEFT_ALONE_SECONDS
            self.close()
            raise DatabaseUnavailable(f"the database can't be used: {error}") from error

    def _make(self, schema: str) -> None:
        known = conninfo_to_dict(self._url)
        name = str(known.get("dbname") or "")
        with (
            psycopg.connect(
                make_conninfo(self._url, dbname=_MAINTENANCE), autocommit=True, connect_timeout=_CONNECT_SECONDS
            ) as connection,
            hung_up_in_time(connection, _PATIENCE_SECONDS),  # a database is made by copying one
        ):
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self.run(lambda connection: connection.execute(schema.encode()))
