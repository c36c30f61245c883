"""What the API reads of the database."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from etl.database import Database
from etl.model import Order


@dataclass(frozen=True, slots=True)
class Total:
    """The orders of one currency."""

    currency: str
    rows: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class BatchAccount:
    """What became of a batch's rows: extracted = transformed + rejected, transformed = loaded; null is not yet."""

    batch_id: str
    extracted: int
    transformed: int | None
    rejected: int | None
    loaded: int | None
    extracted_at: datetime
    transformed_at: datetime | None
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that became no order."""

    position: int
    reason: str
    raw: str


_ORDER = "order_id, customer, amount_cents, currency, country, ordered_at"


class Reading:
    """Each method is one transaction, and raises `DatabaseUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, limit: int) -> list[Order]:
        """The orders made last, the newest first."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            query = f"SELECT {_ORDER} FROM orders ORDER BY ordered_at DESC LIMIT %s"  # noqa: S608 - of constants
            return cursor.execute(query, (limit,)).fetchall()

    def order(self, order_id: int) -> Order | None:
        """One order."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(Order)) as cursor:
            query = f"SELECT {_ORDER} FROM orders WHERE order_id = %s"  # noqa: S608 - of constants
            return cursor.execute(query, (order_id,)).fetchone()

    def totals(self, minutes: int) -> list[Total]:
        """Rows and amounts of the orders of the last minutes, by currency."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(Total)) as cursor:
            return cursor.execute(
                "SELECT currency, count(*) AS rows, sum(amount_cents)::bigint AS amount_cents FROM orders "
                "WHERE ordered_at > now() - make_interval(mins => %s) GROUP BY currency ORDER BY currency",
                (minutes,),
            ).fetchall()

    def batches(self, limit: int) -> list[BatchAccount]:
        """The batches extracted last, the newest first."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(BatchAccount)) as all_:
            return all_.execute(
                "SELECT batch_id, extracted, transformed, rejected, loaded, extracted_at, transformed_at, loaded_at "
                "FROM etl.batches ORDER BY extracted_at DESC LIMIT %s",
                (limit,),
            ).fetchall()

    def rejected(self, batch_id: str) -> list[RejectedRow]:
        """The rejected rows of a batch."""
        with self._database.transaction() as connection, connection.cursor(row_factory=class_row(RejectedRow)) as all_:
            return all_.execute(
                "SELECT position, reason, raw FROM etl.rejected_rows WHERE batch_id = %s ORDER BY position", (batch_id,)
            ).fetchall()
