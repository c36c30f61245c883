"""How old a moment in a column is, by the database's own clock; in each dialect."""

from typing import Any

from sqlalchemy import ColumnElement, case, extract, func, literal_column

from sereno_exporters.sql.statement import Dialect

_MOST_EPOCH_SECONDS = 10**11


def age_seconds(moment: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """Seconds since `moment`. Without a zone it is read as UTC: the transaction's zone.

    SQLite has no type for moments: texts are ISO 8601, numbers are seconds since the epoch.
    """
    match dialect:
        case Dialect.POSTGRESQL:
            return extract("epoch", func.clock_timestamp() - moment)
        case Dialect.MYSQL:
            microseconds = func.timestampdiff(literal_column("MICROSECOND"), moment, literal_column("UTC_TIMESTAMP(6)"))
            return microseconds / 1_000_000
        case Dialect.SQLITE:
            days = func.julianday("now")
            epoch = (days - 2440587.5) * 86_400  # the epoch, as SQLite counts days
            return case(
                (func.typeof(moment) == "text", (days - func.julianday(moment)) * 86_400),
                # What would be in the year 5138 counts milliseconds: as seconds it would be fresh for ever.
                (func.abs(moment) < _MOST_EPOCH_SECONDS, epoch - moment),
            )
