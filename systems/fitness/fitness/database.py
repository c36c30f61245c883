"""A PostgreSQL database, whose connections are opened anew after the server was gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reference_system.program import Unavailable
from sqlalchemy import Connection, create_engine, exc, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError

_CONNECTIONS = 5
_WAIT_SECONDS = 2
_STATEMENT_MILLISECONDS = 4_000
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

    def __init__(self, url: str, *, application: str, schema: Sequence[str]) -> None:
        try:
            address = make_url(url).set(drivername="postgresql+psycopg")
        except ArgumentError as error:
            raise StoreUnavailable("the database's address is none: write postgresql://user@host:port/name") from error
        self._engine = create_engine(
            address,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_WAIT_SECONDS,
            pool_pre_ping=True,  # a server that was gone and is back costs no request an error
            connect_args={
                "connect_timeout": _WAIT_SECONDS,
                "application_name": application,
                "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
            },
        )
        with self.transaction() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})
            for statement in schema:
                connection.execute(text(statement))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an exception. Raises `StoreUnavailable`."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, InternalError) as error:
            raise StoreUnavailable(f"the database can't be used: {_first_line(error.orig)}") from error
        except exc.TimeoutError as error:
            raise StoreUnavailable(f"no connection to the database was free within {_WAIT_SECONDS} s") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
