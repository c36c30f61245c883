"""The program: a consumer of extract's messages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reference_system.faults import FaultKind
from sereno_telemetry import Consumer, Job

from etl.broker import Broker
from etl.database import Database
from etl.model import MESSAGING_SYSTEM, TRANSFORM_QUEUE
from etl.objects import RawObjects
from etl.service import Parts
from etl.transform.stage import JOB, Transformation
from etl.working import Worker

SERVICE = "etl-transform"
CONNECTION_LEFT_OPEN = FaultKind(
    "connection-left-open", "Each batch leaves a connection to PostgreSQL open, which is found and closed after it."
)
KINDS = (CONNECTION_LEFT_OPEN,)

_MAY_TAKE_SECONDS = 1.0


@contextmanager
def build(parts: Parts) -> Iterator[None]:
    """Transform while the program runs."""
    settings = parts.settings
    database = Database(settings.database_url, parts.connections, parts.registry)
    objects = RawObjects(settings.objects_url, settings.bucket, parts.connections)
    broker = Broker(settings.broker_url, parts.connections, parts.registry)
    consumer = Consumer(
        TRANSFORM_QUEUE, system=MESSAGING_SYSTEM, registry=parts.registry, tracer_provider=parts.tracer_provider
    )
    transformation = Transformation(
        objects,
        database,
        broker,
        Job(JOB, registry=parts.registry, tracer_provider=parts.tracer_provider),
        parts.registry,
        leaves_open=lambda: parts.faults.active(CONNECTION_LEFT_OPEN) is not None,
    )

    def turn(stopping: threading.Event) -> float:
        broker.consume(TRANSFORM_QUEUE, consumer, transformation.handle, stopping.is_set)
        return 0.0

    worker = Worker(JOB, turn)
    worker.start()
    try:
        yield
    finally:
        worker.stop(_MAY_TAKE_SECONDS)
        database.close()
        objects.close()
