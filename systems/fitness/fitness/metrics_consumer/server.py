"""Puts the parts of the consumer together; its API is health and metrics only."""

import socket
from collections.abc import Sequence

from fastapi import FastAPI
from reference_system.faults import FaultKind
from reference_system.program import Unavailable
from sereno_telemetry import Consumer, instrument

from fitness.database import Database, StoreUnavailable
from fitness.events import DEAD_LIST, LIST, MESSAGING_SYSTEM
from fitness.metrics_consumer.consuming import WAIT_SECONDS, EventConsumer
from fitness.metrics_consumer.queue import ReliableList
from fitness.metrics_consumer.settings import Settings
from fitness.metrics_store import SCHEMA, MetricsStore
from fitness.program import add_health, serve, watched
from fitness.redis_client import connected

SERVICE = "fitness-metrics-consumer"
CONSUMER_STUCK = FaultKind("consumer-stuck", "The consumer takes nothing from the list; users notice nothing.")
KINDS = (CONSUMER_STUCK,)

_ANSWER_SECONDS = WAIT_SECONDS + 2.0
_WORKER_MAY_TAKE_SECONDS = 0.8


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Consume until SIGTERM or SIGINT.

    Raises:
        Unavailable: the database can't be opened, or an address is none.
    """
    try:
        client = connected(settings.redis_url, answer_seconds=_ANSWER_SECONDS)
    except ValueError as error:
        raise Unavailable(f"the address of Redis is none: {error}") from error
    with watched(KINDS, clients=("redis",)) as watching:
        database = Database(settings.database_url, application=SERVICE, schema=SCHEMA)
        app = FastAPI(title="Fitness: metrics consumer", version="1.0.0")
        add_health(app)
        done = instrument(app, service=SERVICE, registry=watching.registry)
        consumer = EventConsumer(
            ReliableList(client, LIST, DEAD_LIST, settings.name),
            MetricsStore(database),
            consumer=Consumer(
                LIST,
                system=MESSAGING_SYSTEM,
                retried_on=(StoreUnavailable,),
                registry=watching.registry,
                tracer_provider=done.tracer_provider,
            ),
            registry=watching.registry,
            stuck=lambda: watching.faults.active(CONSUMER_STUCK) is not None,
        )
        consumer.worker.start()
        try:
            serve(SERVICE, settings, sockets, app, watching.faults)
        finally:
            consumer.worker.stop(_WORKER_MAY_TAKE_SECONDS)
            client.close()
            database.close()
