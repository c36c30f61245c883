"""What is broken while the fault `table-locked` is on: another program holds a lock on the table, again and again."""

import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg.conninfo import make_conninfo

from transactions_api.postgresql_connections import reason

_LOCK = "LOCK TABLE transactions IN SHARE ROW EXCLUSIVE MODE"
"""Readers go on, writers wait: what CREATE TRIGGER and many a maintenance job take."""
_AGAIN_SECONDS = 0.5


class BatchJob:
    """A thread with a connection of its own, which locks the table, and leaves it free for as long."""

    def __init__(self, url: str, seconds: Callable[[], float]) -> None:
        self._conninfo = make_conninfo(url, connect_timeout=2, application_name="batch-job")
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Raises OSError: the database can't be reached."""
        try:
            connection = psycopg.connect(self._conninfo)
        except psycopg.Error as error:
            raise OSError(reason(error)) from error
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=[connection], name="batch-job", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and leave no lock behind."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, connection: psycopg.Connection) -> None:
        while True:
            with suppress(psycopg.Error), connection:
                self._lock_in_turns(connection)
            # Its connection was ended, as by the fault `database-gone`: it goes on when there is a database again.
            while connection.closed:
                if self._stopping.wait(_AGAIN_SECONDS):
                    return
                with suppress(psycopg.Error):
                    connection = psycopg.connect(self._conninfo)

    def _lock_in_turns(self, connection: psycopg.Connection) -> None:
        while not self._stopping.is_set():
            with connection.transaction():
                connection.execute(_LOCK)
                self._stopping.wait(self._seconds())
            self._stopping.wait(self._seconds())
