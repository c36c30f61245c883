"""MySQL and MariaDB by PyMySQL."""

import math
import socket
import ssl
from typing import Any, Final

from sqlalchemy import Connection

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.sql.drivers.model import Guard, Place, shut_down
from sereno_exporters.sql.settings import SqlSettings

URL: Final = "mysql+pymysql://"
ENGINE_OPTIONS: Final[dict[str, Any]] = {}
PORT = 3306
_MALFORMED = 2027
_MODES_OF_OTHER_WORDS = ("ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL")
"""The first two, and those that bring them along (MariaDB) or are them (ANSI); the longer before what is in them."""
_REASONS = {
    **dict.fromkeys((1205, 1317, 1969, 3024), Reason.TIMEOUT),  # lock wait, interrupted, MariaDB's and MySQL's limits
    **dict.fromkeys((1044, 1045, 1142, 1143, 1227, 1370, 1698), Reason.REFUSED),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 1053, 1040, 1129, 1927), Reason.UNREACHABLE),
    _MALFORMED: Reason.GARBAGE,
    **dict.fromkeys((1049, 1054, 1060, 1064, 1146, 1305, 1792), Reason.CONFIGURATION),
}


def connect(settings: SqlSettings, place: Place, deadline: Deadline, guard: Guard) -> Any:
    """A connection; its socket is guarded before the server says its first word, which may come drop by drop."""
    try:
        import pymysql  # type: ignore[import-untyped] # noqa: PLC0415 - an extra
    except ImportError as error:
        raise FetchError(Reason.CONFIGURATION, "the driver of MySQL is missing: pip install 'sereno[mysql]'") from error
    seconds = deadline.seconds_left()
    host, port = settings.host or "", settings.port or PORT
    connection = pymysql.connect(
        host=host,
        port=port,
        database=settings.database,
        user=place.login.username,
        password=place.login.password or "",
        read_timeout=seconds,
        write_timeout=seconds,
        charset="utf8mb4",
        program_name="sereno exporter",
        local_infile=False,
        ssl=_tls(settings, place),
        ssl_disabled=settings.tls == "off",
        defer_connect=True,
    )
    try:
        wire = socket.create_connection((host, port), timeout=seconds)
    except OSError as error:
        reason = Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.UNREACHABLE
        raise FetchError(reason, f"{place.shown} can't be reached: {error.strerror or error}") from error
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    descriptor = wire.fileno()
    guard(lambda: shut_down(descriptor))
    try:
        connection.connect(wire)
    except pymysql.Error:
        raise
    except Exception as error:  # the driver stumbles over what no MySQL says
        raise pymysql.err.OperationalError(_MALFORMED, "what answers there speaks no MySQL") from error
    return connection


def begin(connection: Connection, seconds: float) -> None:
    """The session is this transaction's own: it ends with the connection, which is not kept."""
    limit = (
        f"max_statement_time = {max(0.001, seconds):.3f}"
        if connection.dialect.is_mariadb  # type: ignore[attr-defined]
        else f"max_execution_time = {max(1, int(seconds * 1000))}"
    )
    # Quotes and backslashes mean to the server what they mean to whoever looked at the statement.
    mode = "@@sql_mode"
    for word in _MODES_OF_OTHER_WORDS:
        mode = f"REPLACE({mode}, '{word}', '')"
    connection.exec_driver_sql(
        f"SET SESSION {limit}, lock_wait_timeout = {math.ceil(seconds)}, time_zone = '+00:00', sql_mode = {mode}"
    )
    connection.exec_driver_sql("START TRANSACTION READ ONLY")


def reason(error: BaseException) -> Reason:
    """By the server's number of the error."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Reason.CONFIGURATION
    if "timed out" in str(error):
        return Reason.TIMEOUT
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
