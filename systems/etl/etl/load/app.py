"""The program: a consumer of transform's messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reference_system.faults import FaultKind, Faults, Parameter, Share
from sereno_telemetry import Consumer, Job

from etl.broker import Broker
from etl.database import Database
from etl.ledger import Ledger
from etl.load.stage import JOB, Loading
from etl.model import LOAD_QUEUE, MESSAGING_SYSTEM
from etl.service import Parts
from etl.working import Worker

SERVICE = "etl-load"
SLOW = FaultKind(
    "slow",
    "Some batches wait for locks of somebody else before they are written.",
    (
        Parameter("seconds", "how long", default=40.0, above=0.0, up_to=600.0),
        Parameter("ratio", "part of the batches", default=0.03, above=0.0, up_to=1.0),
    ),
)
KINDS = (SLOW,)

_MAY_TAKE_SECONDS = 1.0


class _Slowness:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._share = Share()

    def __call__(self) -> float:
        """Seconds that the next batch takes longer."""
        slow = self._faults.active(SLOW)
        return slow.settings["seconds"] if slow is not None and self._share.takes(slow.settings["ratio"]) else 0.0


@contextmanager
def build(parts: Parts) -> Iterator[None]:
    """Load while the program runs."""
    settings = parts.settings
    database = Database(settings.database_url, parts.connections, parts.registry)
    broker = Broker(settings.broker_url, parts.connections, parts.registry)
    consumer = Consumer(
        LOAD_QUEUE, system=MESSAGING_SYSTEM, registry=parts.registry, tracer_provider=parts.tracer_provider
    )
    loading = Loading(
        Ledger(database),
        Job(JOB, registry=parts.registry, tracer_provider=parts.tracer_provider),
        parts.registry,
        slower_by_seconds=_Slowness(parts.faults),
    )

    def turn(stopping: threading.Event) -> float:
        broker.consume(LOAD_QUEUE, consumer, loading.handle, stopping.is_set)
        return 0.0

    worker = Worker(JOB, turn)
    worker.start()
    try:
        yield
    finally:
        worker.stop(_MAY_TAKE_SECONDS)
        database.close()
