"""The ledger of batches: each stage writes its rows and what became of them in one transaction, once for each batch."""

from collections.abc import Sequence

from psycopg import Connection

from etl.database import Database
from etl.model import PIPELINE, Batch, Order, Rejected


class UnknownBatch(Exception):  # noqa: N818 - reads as what happened
    """A message tells of a batch that isn't in the ledger."""


class PositionMoved(Exception):  # noqa: N818 - reads as what happened
    """Another extraction has fetched the same rows meanwhile."""


class Ledger:
    """What the stages write. Every method is one transaction, and raises `DatabaseUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self) -> int | None:
        """The last order that was extracted; None before the first run."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT position FROM etl.positions WHERE pipeline = %s", (PIPELINE,)).fetchone()
        return None if row is None else int(row[0])

    def extracted(self, batch: Batch, after: int | None, last: int) -> None:
        """Rows `after` … `last` were fetched; the position moves with them.

        Raises:
            PositionMoved: it isn't `after` any more.
        """
        with self._database.transaction() as connection:
            if after is None:
                moved = connection.execute(
                    "INSERT INTO etl.positions (pipeline, position) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (PIPELINE, last),
                )
            else:
                moved = connection.execute(
                    "UPDATE etl.positions SET position = %s WHERE pipeline = %s AND position = %s",
                    (last, PIPELINE, after),
                )
            if moved.rowcount != 1:
                raise PositionMoved(f"the position isn't {after} any more")
            connection.execute(
                "INSERT INTO etl.batches (batch_id, object_key, extracted) VALUES (%s, %s, %s)",
                (batch.batch_id, batch.object_key, batch.rows),
            )
            _add(connection, "extract", batch.rows, batch.rows, 0)

    def unpublished(self) -> tuple[Batch, ...]:
        """Batches that transform wasn't told of yet, the oldest first."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT batch_id, object_key, extracted FROM etl.batches "
                "WHERE loaded_at IS NULL AND published_at IS NULL ORDER BY extracted_at"
            ).fetchall()
        return tuple(Batch(*row) for row in rows)

    def published(self, batch: Batch) -> None:
        """Transform was told."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE etl.batches SET published_at = now() WHERE batch_id = %s", (batch.batch_id,))

    def transformed(self, batch_id: str, orders: int, rejected: Sequence[Rejected]) -> bool:
        """Write what became of a batch's rows; False: it was written before, and nothing is changed.

        Raises:
            UnknownBatch: there is no such batch.
        """
        with self._database.transaction() as connection:
            if _is_done(connection, batch_id, "transformed_at"):
                return False
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO etl.rejected_rows (batch_id, position, reason, raw) VALUES (%s, %s, %s, %s)",
                    [(batch_id, each.position, each.reason, each.row) for each in rejected],
                )
            connection.execute(
                "UPDATE etl.batches SET transformed = %s, rejected = %s, transformed_at = now() WHERE batch_id = %s",
                (orders, len(rejected), batch_id),
            )
            _add(connection, "transform", orders + len(rejected), orders, len(rejected))
        return True

    def loaded(self, batch_id: str, orders: Sequence[Order]) -> bool:
        """Write a batch's rows into the table; False: they are there already, and nothing is changed.

        An order that another batch brought is replaced: who sets the position back loads anew, and doubles nothing.

        Raises:
            UnknownBatch: there is no such batch.
        """
        rows = [
            (each.order_id, each.customer, each.amount_cents, each.currency, each.country, each.ordered_at, batch_id)
            for each in orders
        ]
        with self._database.transaction() as connection:
            if _is_done(connection, batch_id, "loaded_at"):
                return False
            with connection.cursor() as cursor:
                cursor.executemany(_UPSERT, rows)
            connection.execute(
                "UPDATE etl.batches SET loaded = %s, loaded_at = clock_timestamp() WHERE batch_id = %s",
                (len(rows), batch_id),
            )
            _add(connection, "load", len(rows), len(rows), 0)
        return True

    def loaded_of(self, batch_ids: Sequence[str]) -> frozenset[str]:
        """Those of these batches that are loaded."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT batch_id FROM etl.batches WHERE batch_id = ANY(%s) AND loaded_at IS NOT NULL",
                (list(batch_ids),),
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def not_loaded_since(self, seconds: float) -> tuple[tuple[str, int, float], ...]:
        """Batches extracted within the last `seconds` that aren't loaded: id, rows, age in seconds."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT batch_id, extracted, extract(epoch FROM now() - extracted_at) FROM etl.batches "
                "WHERE loaded_at IS NULL AND extracted_at > now() - make_interval(secs => %s) ORDER BY extracted_at",
                (seconds,),
            ).fetchall()
        return tuple((row[0], row[1], float(row[2])) for row in rows)

    def needed(self, object_keys: Sequence[str]) -> frozenset[str]:
        """Those of these raw objects whose batch isn't transformed yet."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT object_key FROM etl.batches WHERE object_key = ANY(%s) AND transformed_at IS NULL",
                (list(object_keys),),
            ).fetchall()
        return frozenset(row[0] for row in rows)


_UPSERT = """
INSERT INTO orders (order_id, customer, amount_cents, currency, country, ordered_at, batch_id)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (order_id) DO UPDATE SET
    customer = EXCLUDED.customer, amount_cents = EXCLUDED.amount_cents, currency = EXCLUDED.currency,
    country = EXCLUDED.country, ordered_at = EXCLUDED.ordered_at, batch_id = EXCLUDED.batch_id, loaded_at = now()
"""


def _is_done(connection: Connection, batch_id: str, column: str) -> bool:
    """Whether a stage was through with it. The row is locked: of two deliveries at once the second one waits."""
    row = connection.execute(
        "SELECT transformed_at, loaded_at FROM etl.batches WHERE batch_id = %s FOR UPDATE", (batch_id,)
    ).fetchone()
    if row is None:
        raise UnknownBatch(f"there is no batch {batch_id} in the ledger")
    return row[("transformed_at", "loaded_at").index(column)] is not None


def _add(connection: Connection, stage: str, rows_in: int, rows_out: int, rejected: int) -> None:
    connection.execute(
        "INSERT INTO etl.stages AS known VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (pipeline, stage) DO UPDATE "
        "SET rows_in = known.rows_in + EXCLUDED.rows_in, rows_out = known.rows_out + EXCLUDED.rows_out, "
        "rows_rejected = known.rows_rejected + EXCLUDED.rows_rejected, finished_at = EXCLUDED.finished_at",
        (PIPELINE, stage, rows_in, rows_out, rejected),
    )
