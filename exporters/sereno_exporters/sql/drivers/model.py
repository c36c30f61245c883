"""What each database's module does."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Any, Protocol

from sqlalchemy import Connection

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import Reason
from sereno_exporters.sql.settings import SqlSettings


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects; read anew for each connection."""

    username: str
    password: str | None = field(repr=False)


Guard = Callable[[Callable[[], object]], None]
"""Gets what hangs a connection up from another thread, and calls it when the time is over."""


class Driver(Protocol):
    """A database's module (`drivers/*.py`) has these."""

    URL: str
    """What SQLAlchemy calls the dialect with its driver."""
    ENGINE_OPTIONS: dict[str, Any]

    def connect(self, settings: SqlSettings, place: "Place", deadline: Deadline, guard: "Guard") -> Any:
        """A connection of the driver's own, opened within the deadline; `guard` is told at once how it is hung up."""
        ...

    def begin(self, connection: Connection, seconds: float) -> None:
        """Start a read-only transaction in which a statement may take so long; times without a zone are UTC."""
        ...

    def reason(self, error: BaseException) -> Reason:
        """What an error of the driver means."""
        ...

    def message(self, error: BaseException) -> str:
        """The database's own sentence."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is, with everything that files say."""

    shown: str
    """For messages: host, port and database, or the file."""
    login: Login
    file: str
    """SQLite's, absolute."""
    ca_file: str | None


class HangUp:
    """Ends a connection's waits when its time is over, whatever the server does: a stopped server keeps no timeout."""

    def __init__(self, hang_up: Callable[[], object], seconds: float) -> None:
        self.has_happened = False
        self._is_over = False
        self._lock = Lock()
        self._hang_up = hang_up
        self._timer = Timer(seconds, self._run)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Before the connection is closed: afterwards its descriptor may be somebody else's."""
        self._timer.cancel()
        with self._lock:
            self._is_over = True

    def _run(self) -> None:
        with self._lock:
            if not self._is_over:
                self.has_happened = True
                with suppress(OSError):
                    self._hang_up()


def shut_down(descriptor: int) -> None:
    """End both directions of a socket: whoever waits for it wakes up. The descriptor itself stays its owner's."""
    with socket.socket(fileno=os.dup(descriptor)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
