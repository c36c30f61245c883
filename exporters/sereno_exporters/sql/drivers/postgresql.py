"""PostgreSQL by psycopg 3; nothing outlives the transaction, so that pgBouncer may hand it to whoever comes next."""

from typing import Any, Final

from sqlalchemy import Connection

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.drivers.model import Guard, Place, shut_down
from sereno_exporters.sql.settings import SqlSettings

URL: Final = "postgresql+psycopg://"
ENGINE_OPTIONS: Final[dict[str, Any]] = {"use_native_hstore": False}  # asks the catalogue at each connection
PORT = 5432
APPLICATION_NAME = "sereno exporter"
"""By which the server's lists of clients know its connections."""
_TLS = {None: "prefer", "off": "disable", "encrypted": "require", "verified": "verify-full"}
_REASONS = {
    "57014": Reason.TIMEOUT,  # statement_timeout
    "55P03": Reason.TIMEOUT,  # lock_timeout of the role or the server
    "25P03": Reason.TIMEOUT,
    "42501": Reason.REFUSED,
    "08": Reason.UNREACHABLE,
    "57P": Reason.UNREACHABLE,  # the server stops or starts
    "28": Reason.REFUSED,
    "22": Reason.CONFIGURATION,  # the query divides by zero, casts what is no number
    "25": Reason.CONFIGURATION,  # the query writes
    "3D": Reason.CONFIGURATION,
    "42": Reason.CONFIGURATION,  # no such table, column, function
    "0A": Reason.CONFIGURATION,
}


def connect(settings: SqlSettings, place: Place, deadline: Deadline, guard: Guard) -> Any:
    """A connection, opened within the deadline (libpq knows no less than 2 s)."""
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise FetchError(
            Reason.CONFIGURATION, "the driver of PostgreSQL is missing: pip install 'sereno[postgresql]'"
        ) from error
    connection = psycopg.connect(
        host=settings.host,
        port=settings.port or PORT,
        dbname=settings.database,
        user=place.login.username,
        password=place.login.password,
        passfile="",  # who connects is what the configuration says, not what lies in somebody's home
        connect_timeout=max(2, round(deadline.seconds_left())),
        sslmode=_TLS[settings.tls],
        sslrootcert=place.ca_file or ("system" if settings.tls == "verified" else ""),
        application_name=APPLICATION_NAME,
        prepare_threshold=None,
    )
    descriptor = connection.fileno()
    guard(lambda: shut_down(descriptor))
    return connection


def begin(connection: Connection, seconds: float) -> None:
    """One journey; all of it ends with the transaction."""
    connection.exec_driver_sql(
        "SET TRANSACTION READ ONLY;"
        f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))};"
        "SET LOCAL TIME ZONE 'UTC'; SET LOCAL standard_conforming_strings = on"
    )


def reason(error: BaseException) -> Reason:
    """By SQLSTATE, the longest that is known; while connecting there is none, but a sentence of the server's."""
    state = getattr(error, "sqlstate", None)
    if state:
        for length in (5, 3, 2):
            if found := _REASONS.get(state[:length]):
                return found
        return Reason.ERROR
    if type(error).__name__ == "ConnectionTimeout":
        return Reason.TIMEOUT
    text = str(error)
    if 'database "' in text or "SSL" in text or "certificate" in text:
        return Reason.CONFIGURATION
    if any(words in text for words in ("password", "pg_hba.conf", "role ")):
        return Reason.REFUSED
    return Reason.UNREACHABLE if type(error).__name__ in ("OperationalError", "AdminShutdown") else Reason.GARBAGE


def message(error: BaseException) -> str:
    """The primary message, without the statement and its details, which may hold data."""
    diagnostics = getattr(error, "diag", None)
    return getattr(diagnostics, "message_primary", None) or str(error)
