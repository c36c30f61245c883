"""What is done with a batch of orders."""

import logging
import time
from collections.abc import Callable

from pika.adapters.blocking_connection import BlockingChannel  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, Counter
from sereno_telemetry import Job

from etl.database import ValuesWrong
from etl.ledger import Ledger, UnknownBatch
from etl.model import DEAD_LETTERS, DeadLetter, NoMessage, read_rows_message

JOB = "load"

_logger = logging.getLogger(__name__)


class Loading:
    """Handles messages of transform."""

    def __init__(
        self, ledger: Ledger, job: Job, registry: CollectorRegistry, *, slower_by_seconds: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._job = job
        self._slower_by_seconds = slower_by_seconds
        self._twice = Counter(
            "etl_batches_delivered_twice", "Batches that came again and changed nothing.", registry=registry
        )
        self._refused = Counter(
            "etl_rows_refused",
            f"Rows of batches that the database refused; they wait on {DEAD_LETTERS}.",
            registry=registry,
        )

    def handle(self, _: BlockingChannel, body: bytes) -> None:
        """Load a batch.

        Raises:
            NoMessage: it holds no orders.
            DeadLetter: the database refuses one of them. In the ledger the batch isn't loaded, so that the message,
                once it is put right and sent again, loads it.
            Unavailable: the database is gone; the message has to come again.
        """
        batch_id, orders = read_rows_message(body)
        with self._job.running() as run:
            time.sleep(self._slower_by_seconds())
            try:
                first_time = self._ledger.loaded(batch_id, orders)
            except UnknownBatch as error:
                raise NoMessage(str(error)) from error
            except ValuesWrong as error:
                self._refused.inc(len(orders))
                raise DeadLetter(f"the {len(orders)} rows of {batch_id} are not loaded: {error}") from error
            if first_time:
                run.rows(JOB, read=len(orders), written=len(orders))
            else:
                self._twice.inc()
                _logger.info("%s came again and is loaded already", batch_id)
