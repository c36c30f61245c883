"""MySQL and MariaDB by PyMySQL."""

import math
import ssl
from typing import Any, Final

from sqlalchemy import Connection

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.drivers.model import Opened, Place, shut_down
from sereno_exporters.sql.settings import SqlSettings

URL: Final = "mysql+pymysql://"
ENGINE_OPTIONS: Final[dict[str, Any]] = {}
PORT = 3306
_REASONS = {
    **dict.fromkeys((1205, 1317, 1969, 3024), Reason.TIMEOUT),  # lock wait, interrupted, MariaDB's and MySQL's limits
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1370, 1698), Reason.REFUSED),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 1053, 1040, 1129, 1927), Reason.UNREACHABLE),
    **dict.fromkeys((1049, 1054, 1060, 1064, 1146, 1305, 1792), Reason.CONFIGURATION),
}


def connect(settings: SqlSettings, place: Place, deadline: Deadline) -> Opened:
    """A connection, opened within the deadline; no single read takes longer either."""
    try:
        import pymysql  # type: ignore[import-untyped] # noqa: PLC0415 - an extra
    except ImportError as error:
        raise FetchError(Reason.CONFIGURATION, "the driver of MySQL is missing: pip install 'sereno[mysql]'") from error
    seconds = deadline.seconds_left()
    connection = pymysql.connect(
        host=settings.host or "",
        port=settings.port or PORT,
        database=settings.database,
        user=place.login.username,
        password=place.login.password or "",
        connect_timeout=seconds,  # the socket gets it, which takes fractions
        read_timeout=seconds,
        write_timeout=seconds,
        charset="utf8mb4",
        program_name="sereno exporter",
        local_infile=False,
        ssl=_tls(settings, place),
    )
    descriptor = connection._sock.fileno()  # noqa: SLF001 - it has no other name
    return Opened(connection, lambda: shut_down(descriptor))


def begin(connection: Connection, seconds: float) -> None:
    """The session is this transaction's own: it ends with the connection, which is not kept."""
    limit = (
        f"max_statement_time = {max(0.001, seconds):.3f}"
        if connection.dialect.is_mariadb  # type: ignore[attr-defined]
        else f"max_execution_time = {max(1, int(seconds * 1000))}"
    )
    # Quotes and backslashes mean to the server what they mean to whoever looked at the statement.
    mode = "REPLACE(REPLACE(@@sql_mode, 'ANSI_QUOTES', ''), 'NO_BACKSLASH_ESCAPES', '')"
    connection.exec_driver_sql(
        f"SET SESSION {limit}, lock_wait_timeout = {math.ceil(seconds)}, time_zone = '+00:00', sql_mode = {mode}"
    )
    connection.exec_driver_sql("START TRANSACTION READ ONLY")


def reason(error: BaseException) -> Reason:
    """By the server's number of the error."""
    number = error.args[0] if error.args else None
    return _REASONS.get(number, Reason.ERROR) if isinstance(number, int) else Reason.GARBAGE


def message(error: BaseException) -> str:
    """The server's sentence, which follows the number."""
    return str(error.args[1]) if len(error.args) > 1 else str(error)


def _tls(settings: SqlSettings, place: Place) -> ssl.SSLContext | None:
    if settings.tls in (None, "off"):
        return None
    context = ssl.create_default_context(cafile=place.ca_file)
    if settings.tls == "encrypted":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
