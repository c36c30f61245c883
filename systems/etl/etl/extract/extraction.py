"""One extraction: from the shop's pages to an object in S3, a line in the ledger and a message."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from reference_system.program import Unavailable
from sereno_telemetry import Job, current_run

from etl.broker import Broker
from etl.extract.deliveries import LATE_AFTER_SECONDS, Deliveries
from etl.extract.shop_client import RequestsUsedUp, ShopClient, ShopUnavailable
from etl.ledger import Ledger, PositionMoved
from etl.model import PIPELINE, TRANSFORM_QUEUE, Batch, batch_message
from etl.objects import PREFIX, RawObjects

JOB = "extract"
_FIRST_RUN_GOES_BACK = timedelta(seconds=60)
_MOST_PAGES = 20
_MOST_DELETED = 20

_logger = logging.getLogger(__name__)


class Extraction:
    """Runs extractions, one at a time.

    What the ledger says is extracted; a run that fails before leaves an object that nobody asks for, and the next one
    begins at the same row. A batch that transform wasn't told of is told by the next run, whatever comes of that.
    """

    def __init__(
        self,
        *,
        shop: ShopClient,
        objects: RawObjects,
        ledger: Ledger,
        broker: Broker,
        deliveries: Deliveries,
        job: Job,
        raw_kept_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shop = shop
        self._objects = objects
        self._ledger = ledger
        self._broker = broker
        self._deliveries = deliveries
        self._job = job
        self._raw_kept = timedelta(seconds=raw_kept_seconds)
        self._clock = clock
        self._knows_what_waits = False

    def run(self, period_seconds: float) -> float:
        """Extract what is new; how many seconds later the next run should begin.

        Raises:
            Unavailable: a server is gone; nothing is lost. Where it is the broker, the run has extracted all the same.
        """
        try:
            pause_seconds = self._run(period_seconds)
        except Exception:
            self._tell_all_the_same()
            raise
        self._tell()
        return pause_seconds

    def _run(self, period_seconds: float) -> float:
        with self._job.running():
            self._take_over()
            try:
                has_more = self._extract()
            except RequestsUsedUp as error:
                current_run().fail("requests used up")
                _logger.warning("Extraction has to wait: %s", error)
                return period_seconds
            self._delete_old()
        return 0.0 if has_more else self._pace(period_seconds)

    def _take_over(self) -> None:
        """What an earlier process extracted and isn't loaded; what was late already, that process has counted."""
        if not self._knows_what_waits:
            for batch_id, rows, age_seconds in self._ledger.not_loaded_since(LATE_AFTER_SECONDS):
                self._deliveries.extracted(batch_id, rows, age_seconds)
            self._knows_what_waits = True

    def _extract(self) -> bool:
        """Whether there is more than one run may fetch."""
        after = self._ledger.position()
        rows: list[object] = []
        begin: int | datetime = self._clock() - _FIRST_RUN_GOES_BACK if after is None else after
        for _ in range(_MOST_PAGES):
            page = self._shop.page(begin)
            rows.extend(page.rows)
            begin = page.last
            if not page.has_more:
                break
        if rows:
            self._keep(rows, after, page.last)
        return page.has_more

    def _keep(self, rows: list[object], after: int | None, last: int) -> None:
        # The number first, so that the oldest object has the lowest name. A run that is done again overwrites its own.
        batch_id = f"{PIPELINE}-{last:020d}"
        batch = Batch(batch_id, f"{PREFIX}{batch_id}.jsonl.gz", len(rows))
        self._objects.put(batch.object_key, b"\n".join(json.dumps(row).encode() for row in rows))
        try:
            self._ledger.extracted(batch, after, last)
        except PositionMoved as error:
            # Two extract programs, as for a moment at a deployment: the other one has these rows.
            raise ShopUnavailable(f"another extraction was faster: {error}") from error
        self._deliveries.extracted(batch.batch_id, batch.rows)
        current_run().rows(JOB, read=batch.rows, written=batch.rows)

    def _tell(self) -> None:
        """Tell transform. Extraction goes on without the broker: the ledger knows what is to be told."""
        for_telling = self._ledger.unpublished()
        if not for_telling:
            return
        # A channel for each run: between them its heartbeats would be nobody's business.
        with self._broker.channel() as channel:
            for batch in for_telling:
                self._broker.publish(channel, TRANSFORM_QUEUE, batch_message(batch), batch.batch_id)
                self._ledger.published(batch)

    def _tell_all_the_same(self) -> None:
        """After a run that failed: that failure is the one to be raised, and this one is logged."""
        try:
            self._tell()
        except Unavailable as error:
            _logger.warning("Nor can transform be told: %s", error)

    def _delete_old(self) -> None:
        keys = self._objects.oldest(_MOST_DELETED, self._clock() - self._raw_kept)
        needed = self._ledger.needed(keys) if keys else frozenset()
        self._objects.delete([key for key in keys if key not in needed])

    def _pace(self, period_seconds: float) -> float:
        """The period; longer where the shop's requests wouldn't last until there are new ones.

        Half of what is left is kept for runs that somebody asks for, and for whatever else has our key.
        """
        remaining = self._shop.remaining
        if remaining is None:
            return period_seconds
        lasts = self._shop.seconds_to_reset() / max(1.0, remaining / 2)
        return max(period_seconds, min(lasts, 60.0))
