"""One read-only transaction for each part: a connection of its own, bounded in time, closed whatever happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from types import ModuleType
from typing import Any, cast

from sqlalchemy import Connection, Engine, Executable, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.drivers import mysql, postgresql, sqlite
from sereno_exporters.sql.drivers.model import Driver, HangUp, Login, Place
from sereno_exporters.sql.settings import SqlSettings
from sereno_exporters.sql.statement import Dialect

_DRIVERS: dict[Dialect, ModuleType] = {
    Dialect.POSTGRESQL: postgresql,
    Dialect.MYSQL: mysql,
    Dialect.SQLITE: sqlite,
}
_GRACE_SECONDS = 0.2
"""The database's own timeout comes first: it says why."""
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Transaction:
    """What may be asked within one read-only transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect_name(self) -> str:
        """`postgresql`, `mysql`, `mariadb` or `sqlite`."""
        return self._connection.dialect.name

    def rows(self, statement: Executable, **parameters: object) -> Rows:
        """What one of Sereno's own statements answers."""
        result = self._connection.execute(statement, parameters)
        return Rows(tuple(result.keys()), result.fetchall())

    def rows_of_text(self, sql: str) -> Rows:
        """What a user's statement answers; not a character of it is read as a parameter."""
        result = self._connection.execution_options(no_parameters=True).exec_driver_sql(sql)
        return Rows(tuple(result.keys()), result.fetchall())


class Database:
    """A target's database. Thread-safe; nothing stays open between scrapes."""

    def __init__(self, target: Target[SqlSettings]) -> None:
        self._target = target
        self._settings = target.settings
        self._driver = cast("Driver", _DRIVERS[self._settings.dialect])
        self._free = BoundedSemaphore(self._settings.connections)

    @contextmanager
    def reading(self, deadline: Deadline, what: str) -> Iterator[Transaction]:
        """A read-only transaction, rolled back and closed when the block is left.

        Args:
            deadline: of everything in it: waiting for its turn, connecting, asking.
            what: for messages: "the query open_orders".

        Raises:
            FetchError: the database doesn't answer, in time or at all, or says no.
        """
        if not self._free.acquire(timeout=deadline.seconds_left()):
            many = self._settings.connections
            raise FetchError(
                Reason.TIMEOUT, f"{what}: other parts keep all {many} connections busy (connections: {many})"
            )
        try:
            with self._connected(deadline, what) as connection:
                if deadline.has_passed:
                    raise FetchError(Reason.TIMEOUT, f"{what}: connecting took all of its time")
                self._driver.begin(connection, deadline.remaining_seconds)
                yield Transaction(connection)
        finally:
            self._free.release()

    @contextmanager
    def _connected(self, deadline: Deadline, what: str) -> Iterator[Connection]:
        place = self._place()
        hang_ups: list[HangUp] = []

        def guard(hang_up: Callable[[], object]) -> None:
            hang_ups.append(HangUp(hang_up, deadline.remaining_seconds + _GRACE_SECONDS))

        def creator() -> Any:
            return self._driver.connect(self._settings, place, deadline, guard)

        connection: Connection | None = None
        try:
            # An engine of its own for each: one that is shared asks the server about itself once, behind a lock that no
            # deadline ends.
            connection = self._engine(creator).connect()
            yield connection
            connection.rollback()
        except SQLAlchemyError as error:
            raise self._trouble(error, place, what, is_late=any(each.has_happened for each in hang_ups)) from error
        finally:
            for each in hang_ups:
                each.cancel()
            if connection is not None:
                connection.invalidate()
                connection.close()

    def _engine(self, creator: Any) -> Engine:
        options = self._driver.ENGINE_OPTIONS
        return create_engine(
            self._driver.URL, creator=creator, poolclass=NullPool, pool_reset_on_return=None, **options
        )

    def _place(self) -> Place:
        settings, target = self._settings, self._target
        username = target.secret(settings.username_file) if settings.username_file else ""
        password = target.secret(settings.password_file) if settings.password_file else None
        file = str(target.file(settings.file).absolute()) if settings.file else ""
        port = f":{settings.port}" if settings.port else ""
        shown = file or f"{settings.dialect} {settings.host}{port}/{settings.database}"
        ca_file = str(target.file(settings.ca_file)) if settings.ca_file else None
        return Place(shown, Login(username, password), file, ca_file)

    def _trouble(self, error: SQLAlchemyError, place: Place, what: str, *, is_late: bool) -> FetchError:
        if is_late:
            return FetchError(Reason.TIMEOUT, f"{what}: {place.shown} does not answer in time")
        if not isinstance(error, DBAPIError) or error.orig is None:
            return FetchError(Reason.ERROR, f"{what}: {_on_one_line(str(error))}")
        own = error.orig
        reason = self._driver.reason(own)
        said = _on_one_line(self._driver.message(own))
        match reason:
            case Reason.TIMEOUT:
                return FetchError(reason, f"{what}: not done in time ({said}): look for locks, or raise its timeout")
            case Reason.UNREACHABLE:
                return FetchError(reason, f"{place.shown} can't be reached: {said}")
            case Reason.REFUSED:
                return FetchError(reason, f"{what}: {place.shown} refuses: {said}: look at the user and its rights")
            case _:
                return FetchError(reason, f"{what}: {said}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_MESSAGE]
