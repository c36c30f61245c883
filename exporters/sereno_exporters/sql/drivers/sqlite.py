"""SQLite: a file, opened to be read only."""

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.drivers.model import Guard, Place
from sereno_exporters.sql.settings import SqlSettings

URL: Final = "sqlite://"
ENGINE_OPTIONS: Final[dict[str, Any]] = {}
_STEPS_BETWEEN_LOOKS = 10_000
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


def connect(settings: SqlSettings, place: Place, deadline: Deadline, guard: Guard) -> Any:  # noqa: ARG001 - as all
    """The file must be there: nothing is made."""
    path = Path(place.file)
    if not path.is_file():
        raise FetchError(Reason.UNREACHABLE, f"there is no file {path}")
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=deadline.seconds_left(), check_same_thread=False
    )
    guard(connection.interrupt)
    return connection


def begin(connection: Connection, seconds: float) -> None:
    """Whatever a statement says, it reads rows and calls functions; it is broken off when its time is over."""
    own: Any = connection.connection.driver_connection
    own.execute("PRAGMA query_only = ON")
    ends_at = time.monotonic() + seconds
    own.set_progress_handler(lambda: time.monotonic() > ends_at, _STEPS_BETWEEN_LOOKS)
    own.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)


def reason(error: BaseException) -> Reason:
    """By SQLite's own code."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_INTERRUPT:
            return Reason.TIMEOUT
        case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_AUTH | sqlite3.SQLITE_READONLY:
            return Reason.CONFIGURATION
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
            return Reason.UNREACHABLE
        case _:
            return Reason.GARBAGE


def message(error: BaseException) -> str:
    """SQLite's sentence."""
    return str(error)
