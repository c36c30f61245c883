"""The program: a run each period, runs that somebody asks for, and a look at what became of the rows."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reference_system.faults import FaultKind
from reference_system.program import Unavailable
from sereno_telemetry import Job, instrument_clients

from etl.broker import Broker
from etl.database import Database
from etl.extract.deliveries import Deliveries
from etl.extract.extraction import JOB, Extraction
from etl.extract.shop_client import ShopClient
from etl.ledger import Ledger
from etl.objects import RawObjects
from etl.service import Parts
from etl.working import Worker

SERVICE = "etl-extract"
KINDS: tuple[FaultKind, ...] = ()

_LOOK_SECONDS = 1.0
_ASKED_FOR_AT_MOST_EVERY_SECONDS = 5.0
_MAY_TAKE_SECONDS = 0.5

_logger = logging.getLogger(__name__)


class Schedule:
    """When runs begin: each period, and earlier where somebody asks for one."""

    def __init__(self, extraction: Extraction, period_seconds: float) -> None:
        self._extraction = extraction
        self._period_seconds = period_seconds
        self._wanted = threading.Event()
        self._next_at = 0.0
        self._began_at = float("-inf")

    def ask(self) -> None:
        """A run soon; several who ask get the same."""
        self._wanted.set()

    def turn(self, stopping: threading.Event) -> float:
        """Run, if it is time."""
        now = time.monotonic()
        early = self._wanted.is_set() and now - self._began_at >= _ASKED_FOR_AT_MOST_EVERY_SECONDS
        if (early or now >= self._next_at) and not stopping.is_set():
            self._wanted.clear()
            self._began_at = now
            # Before the run, so that one that fails isn't tried in a hurry by the worker's own pauses alone.
            self._next_at = now + self._period_seconds
            self._next_at = now + self._extraction.run(self._period_seconds)
        return 0.1


class Watcher:
    """Asks the ledger what became of the rows on their way."""

    def __init__(self, ledger: Ledger, deliveries: Deliveries) -> None:
        self._ledger = ledger
        self._deliveries = deliveries
        self._is_blind = False

    def turn(self, _: threading.Event) -> float:
        """One look."""
        waiting = self._deliveries.waiting()
        try:
            if waiting:
                self._deliveries.loaded(self._ledger.loaded_of(waiting))
            self._is_blind = False
        except Unavailable as error:
            if not self._is_blind:
                _logger.warning("Rows on their way can't be looked at: %s", error)
            self._is_blind = True
        return _LOOK_SECONDS


@contextmanager
def build(parts: Parts) -> Iterator[None]:
    """Extract while the program runs."""
    settings = parts.settings
    instrument_clients(registry=parts.registry, libraries=["httpx"])  # the others cost 20 MB, and aren't used
    deliveries = Deliveries()
    parts.registry.register(deliveries)
    database = Database(settings.database_url, parts.connections, parts.registry, most_idle=2)
    ledger = Ledger(database)
    shop = ShopClient(settings.upstream_url, parts.connections, parts.registry)
    objects = RawObjects(settings.objects_url, settings.bucket, parts.connections)
    extraction = Extraction(
        shop=shop,
        objects=objects,
        ledger=ledger,
        broker=Broker(settings.broker_url, parts.connections, parts.registry),
        deliveries=deliveries,
        job=Job(JOB, registry=parts.registry, tracer_provider=parts.tracer_provider),
        raw_kept_seconds=settings.raw_kept_seconds,
    )
    schedule = Schedule(extraction, settings.period_seconds)

    @parts.app.post("/runs", status_code=202)
    async def ask_for_run() -> dict[str, str]:
        schedule.ask()
        return {"run": "soon"}

    workers = (Worker(JOB, schedule.turn), Worker("watcher", Watcher(ledger, deliveries).turn))
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop(_MAY_TAKE_SECONDS)
        database.close()
        objects.close()
        shop.close()
