"""Connections to PostgreSQL: few, kept open, replaced when they fail, and hung up when they hang."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from reference_system.hanging import hung_up_in_time

from transactions_api.store import StoreUnavailable, Unstorable

Connection = psycopg.Connection[tuple[Any, ...]]
Answer = TypeVar("Answer")

MOST_CONNECTIONS = 8
_CONNECT_SECONDS = 2
"""The shortest that libpq knows."""
_DEADLINE_SECONDS = 3.0
"""Of a call, whatever the server does: a server that hangs refuses nothing, and ends no statement."""
_SERVER_MAY_TAKE = "2500ms"
_DEAD_WITHIN_SECONDS = 1.0
"""A connection that died while it was idle says so at once."""

BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
"""Somebody else was in the way: nothing is wrong with the connection, and the same call may succeed a moment later."""


class Connections:
    """Up to `MOST_CONNECTIONS` connections to the database at `url`, each used by one thread at a time."""

    def __init__(self, url: str) -> None:
        self._conninfo = make_conninfo(
            url,
            connect_timeout=_CONNECT_SECONDS,
            application_name="transactions-api",
            options=f"-c statement_timeout={_SERVER_MAY_TAKE} -c timezone=UTC",
        )
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def run(self, work: Callable[[Connection], Answer]) -> Answer:
        """What `work` answers on a connection; it may be called twice, if the first connection had died while idle.

        Raises:
            StoreUnavailable: the database can't be reached, refuses the work, or took longer than three seconds.
            Unstorable: it never takes these values.
            psycopg.Error: one of `BUSY`.
        """
        if not self._free.acquire(timeout=_DEADLINE_SECONDS):
            raise StoreUnavailable(f"the database can't be used: all {MOST_CONNECTIONS} connections are taken")
        try:
            return self._run(work)
        except BUSY:
            raise
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
            raise Unstorable(reason(error)) from error
        except psycopg.Error as error:
            raise StoreUnavailable(f"the database can't be used: {reason(error)}") from error
        finally:
            self._free.release()

    def close(self) -> None:
        """Close those that nobody uses; the next call opens one again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _run(self, work: Callable[[Connection], Answer]) -> Answer:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            began = time.monotonic()
            try:
                return self._used(kept, work)
            except psycopg.OperationalError:
                was_dead = kept.broken and time.monotonic() - began < _DEAD_WITHIN_SECONDS
                if not was_dead:  # it answered with an error, or didn't answer: so would another one
                    raise
                self.close()  # whatever ended it has ended the others, too
        return self._used(psycopg.connect(self._conninfo, autocommit=True), work)

    def _used(self, connection: Connection, work: Callable[[Connection], Answer]) -> Answer:
        """Work on one connection, which is kept unless it is broken."""
        try:
            with hung_up_in_time(connection, _DEADLINE_SECONDS):
                return work(connection)
        finally:
            if connection.broken:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)


def reason(error: psycopg.Error) -> str:
    """What the server says, or libpq where there is no server, in one line."""
    return " ".join((error.diag.message_primary or str(error)).split()) or type(error).__name__
