"""What is done with a batch."""

import logging
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, Counter
from sereno_telemetry import Job

from etl.broker import Broker
from etl.database import Database, ValuesWrong
from etl.ledger import Ledger, UnknownBatch
from etl.model import LOAD_QUEUE, Batch, DeadLetter, NoMessage, Order, Rejected, read_batch_message, rows_message
from etl.objects import RawObjects
from etl.transform.rows import OBJECT_MISSING, REASONS, lost, reshape

JOB = "transform"

_logger = logging.getLogger(__name__)


class Transformation:
    """Handles messages of extract: one batch each, and a second time nothing but the message to load."""

    def __init__(
        self,
        objects: RawObjects,
        database: Database,
        broker: Broker,
        job: Job,
        registry: CollectorRegistry,
        *,
        leaves_open: Callable[[], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._objects = objects
        self._database = database
        self._ledger = Ledger(database)
        self._broker = broker
        self._job = job
        self._leaves_open = leaves_open
        self._clock = clock
        self._rejected = Counter("etl_rows_rejected", "Rows that were rejected.", ["reason"], registry=registry)
        for reason in REASONS:
            self._rejected.labels(reason)

    def handle(self, channel: BlockingChannel, body: bytes) -> None:
        """Transform a batch and tell load.

        Raises:
            NoMessage: it tells of no batch.
            DeadLetter: the ledger has other figures of it, or can't keep what is told.
            Unavailable: a server is gone; the message has to come again.
        """
        batch = read_batch_message(body)
        with self._job.running() as run:
            if self._leaves_open():
                self._database.take()
            orders, rejected = self._reshaped(batch)
            try:
                first_time = self._ledger.transformed(batch.batch_id, len(orders), rejected)
            except UnknownBatch as error:
                raise NoMessage(str(error)) from error
            except ValuesWrong as error:
                raise DeadLetter(f"{batch.batch_id} is not transformed: {error}") from error
            self._broker.publish(channel, LOAD_QUEUE, rows_message(batch.batch_id, orders), batch.batch_id)
            if first_time:
                run.rows(JOB, read=len(orders) + len(rejected), written=len(orders), rejected=len(rejected))
                self._tell_rejected(batch.batch_id, Tally(each.reason for each in rejected))
        self._close_forgotten()

    def _reshaped(self, batch: Batch) -> tuple[Sequence[Order], Sequence[Rejected]]:
        raw = self._objects.get(batch.object_key)
        if raw is not None:
            return reshape(raw.split(b"\n"), self._clock())
        _logger.error("The raw rows of %s are gone: its %d rows are lost", batch.batch_id, batch.rows)
        return (), lost(batch.rows)

    def _tell_rejected(self, batch_id: str, reasons: Tally[str]) -> None:
        for reason, count in reasons.items():
            self._rejected.labels(reason).inc(count)
        if reasons and OBJECT_MISSING not in reasons:
            words = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
            _logger.warning("%d rows of %s were rejected: %s", reasons.total(), batch_id, words)

    def _close_forgotten(self) -> None:
        forgotten = self._database.close_forgotten()
        if forgotten:
            _logger.error("%d connections to PostgreSQL were not closed by their batch; they are closed now", forgotten)
